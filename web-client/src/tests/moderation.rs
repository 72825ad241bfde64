//! Moderators: what they see before they decide, what they decide, and what they take back.
use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use super::stub::ID;
use super::{Client, markup};
use crate::ground::assets::hash;
use crate::texts::{DE, EN};

const AUTHOR: &str = "00000000-0000-7000-8000-00000000000a";
const REPORTER: &str = "00000000-0000-7000-8000-00000000000b";
const DECISION: &str = "00000000-0000-7000-8000-00000000000d";
const ANALYSIS: &str = "00000000-0000-7000-8000-00000000000e";
const TIME: &str = "2026-11-20T12:00:00Z";
const TEXT: &str = "You fool, see a.example";

fn person(id: &str, name: &str) -> Value {
    json!({ "id": id, "first_name": name })
}

/// A decision in force.
fn decided(moderator: Option<&str>) -> Value {
    json!({
        "id": DECISION, "subject_type": "POST", "subject_id": ID, "author": AUTHOR, "at": TIME, "moderator": moderator,
        "actions": [{ "action": "HIDE" }, { "action": "MUTE", "hours": 24 }], "reason": "HARASSMENT_INSULT",
        "policy": null, "analysis": ANALYSIS, "internal_note": "The third time.", "public_note": "Please stay kind.",
        "standing_until": "2026-11-21T12:00:00Z",
    })
}

/// A subject with all that moderation knows of it.
fn subject() -> Value {
    let entry = |kind: &str, details: Value, words: Value| json!({ "id": ID, "at": TIME, "actor_type": "MODERATOR", "actor": REPORTER, "kind": kind, "details": details, "words": words });
    json!({
        "type": "POST", "id": ID,
        "state": {
            "version": 3, "visibility": "HIDDEN", "labels": ["spoiler"], "locked": true, "standing": "ACTIVE",
            "review": "ESCALATED", "severity": 0.91, "reports": 1, "report_weight": 1.2, "decisions": [DECISION],
        },
        "content": { "text": TEXT, "created_at": TIME, "updated_at": TIME, "reach": 41 },
        "reports": [{ "id": ID, "at": TIME, "reporter": REPORTER, "subject_type": "POST", "subject_id": ID,
            "reason": "HARASSMENT_BULLYING", "text": "Every day.", "weight": 1.83, "status": "OPEN" }],
        "history": [
            entry("flagged", json!({ "analysis": ANALYSIS, "severity": 0.9, "reason": "HARASSMENT_INSULT" }), Value::Null),
            entry("noted", json!({}), json!({ "note": "Look at the link." })),
        ],
        "author": { "id": AUTHOR, "decisions": 4, "overturned": 1, "strikes": 2, "strike_weight": 5, "reports": 9,
            "agreed_reports": 3, "appeals": 1 },
    })
}

fn post() -> Value {
    json!({
        "id": ID, "created_at": TIME, "content": TEXT, "created_by": AUTHOR,
        "facets": [{ "kind": "LINK", "value": "https://a.example/?trap", "byte_start": 14, "byte_end": 23 }],
        "media": [{ "id": REPORTER, "alt": "A red leaf", "status": "READY", "medium": "/api/v1/media/7/medium?grant=g" }],
        "item": { "id": ID, "kind": "BOOK", "url": "https://shop.example/", "title": "A book", "artists": ["Eve"], "site": "shop.example" },
    })
}

/// What a machine found in the text.
fn analysis() -> Value {
    let rule = json!({ "policy": ID, "version": 3, "mode": "ENFORCE", "rule": "toxic-label", "outcome": "REVIEW",
        "reason": "HARASSMENT_INSULT", "severity": 0.9 });
    json!({
        "id": ANALYSIS, "at": TIME, "content_type": "POST", "content_id": ID, "author": AUTHOR,
        "content_hash": hash(TEXT.as_bytes()), "model_version": "text-0123", "scores": { "toxic": 0.93 },
        "thresholds": { "toxic": { "label": 0.5, "hide": 0.97 } }, "spans": [{ "head": "toxic", "start": 4, "end": 8, "weight": 2.0 }],
        "explanation_pending": false, "explained_in_part": false, "matched": [rule], "verdict": "REVIEW", "severity": 0.93,
        "signals": {
            "language": "eng", "evasions": ["LEET"], "uppercase": 0.0, "repetition": 0.0, "mentions": 0, "duplicates": 6,
            "duplicate_authors": 0, "velocity": 1, "account_age_hours": 31.4, "read_in_part": false,
            "links": { "count": 1, "shortened": 0, "blocked": 0, "warned": 1, "allowed": 0, "domains": ["a.example"] },
        },
    })
}

/// A client whose API has one case with everything.
async fn with_case() -> Client {
    let client = Client::new().await;
    let stub = &client.stub;
    stub.answer(&format!("GET /moderation/subjects/POST/{ID}"), 200, subject());
    stub.answer(&format!("GET /posts/{ID}"), 200, post());
    stub.answer(&format!("GET /moderation/decisions/{DECISION}"), 200, decided(Some(REPORTER)));
    stub.answer("POST /users/lookup", 200, json!([person(AUTHOR, "Ada"), person(REPORTER, "Rita")]));
    let profile = json!({ "id": AUTHOR, "first_name": "Ada", "date_joined": TIME, "total_followers": 17 });
    stub.answer(&format!("GET /users/{AUTHOR}"), 200, profile);
    let account = json!({ "id": AUTHOR, "date_joined": TIME, "is_verified": false, "role": "USER", "status": "MUTED",
        "status_until": "2026-11-21T12:00:00Z" });
    stub.answer(&format!("GET /admin/users/{AUTHOR}"), 200, account);
    let strike = json!({ "decision_id": DECISION, "weight": 2, "reason": "SPAM_LINK", "at": TIME, "expires_at": "2027-02-20T12:00:00Z" });
    let strikes = json!({ "user_id": AUTHOR, "sum": 2, "strikes": [strike] });
    stub.answer(&format!("GET /moderation/users/{AUTHOR}/strikes"), 200, strikes);
    stub.answer(&format!("GET /moderation/analyses/{ANALYSIS}"), 200, analysis());
    client
}

fn expect(page: &str, all: &[&str]) {
    for expected in all {
        assert!(page.contains(expected), "{expected} is not in {page}");
    }
}

/// A moderator sees the text with what the machine found in it, pictures, links, what is attached, the author's record, reports,
/// notes, and what was decided before.
#[tokio::test]
async fn a_case_shows_all_that_it_is_decided_by() {
    let client = with_case().await;
    let page = client.get(&format!("/moderation/POST/{ID}")).await.text;
    expect(
        &page,
        &[
            "You <mark title=\"toxic\">fool<span class=\"hidden\"> (toxic) </span></mark>, see",
            "src=\"/api/v1/media/7/medium?grant=g\" alt=\"A red leaf\"",
            "href=\"https://a.example/?trap\" rel=\"nofollow ugc noopener\"",
            "Book · <bdi>A book</bdi> · <bdi>Eve</bdi> · <bdi>shop.example</bdi>",
            "hidden · closed for comments",
            "Sensitive content: Spoiler",
            "<bdi>Ada</bdi>",
            &format!("href=\"/moderation/USER/{AUTHOR}\""),
        ],
    );
    expect(&page, &["<strong>Bullying</strong>", "weight 1.8", "<bdi>Rita</bdi>", "Every day."]);
    expect(&page, &["<td>93</td><td>50</td><td>97</td>", "rule toxic-label, version 3", "A person has to look"]);
    expect(
        &page,
        &["<dt>Disguises</dt><dd><bdi>Leet</bdi>", "<dd><bdi>6</bdi>", "<dd><bdi>a.example</bdi>", "<dd><bdi>31</bdi>"],
    );
    expect(&page, &["<dt>Strikes</dt><dd>2 (weight 5)</dd>", "muted", "address not confirmed", "<dd>17</dd>"]);
    expect(&page, &[&format!("href=\"/moderation/decisions/{DECISION}\">Leads to a blocked site")]);
    expect(
        &page,
        &["Look at the link.", "Hide, Mute the account (for 24 hours)", "The third time.", "Please stay kind."],
    );
    expect(&page, &["<option value=\"HARASSMENT_BULLYING\" selected>"]);
    let (before, after) = page.split_once("/decide\"").unwrap();
    assert!(before.contains("A red leaf") && !after.contains("A red leaf"), "it is seen before it is decided about");
    assert_eq!(client.stub.undocumented(), Vec::<String>::new());
}

/// What is hidden has no address: a moderator sees it all the same, from the list of what is hidden, and the list is not read further
/// than to its time.
#[tokio::test]
async fn what_is_hidden_is_found_among_the_hidden() {
    let client = with_case().await;
    client.stub.answer(&format!("GET /posts/{ID}"), 404, json!({ "detail": "Post object not found" }));
    client.stub.answer("GET /posts/hidden", 200, json!([post()]));
    let page = client.get(&format!("/moderation/POST/{ID}")).await.text;
    expect(&page, &["alt=\"A red leaf\"", "https://a.example/?trap"]);
    let mut older = post();
    (older["id"], older["created_at"]) = (json!(REPORTER), json!("2026-11-19T12:00:00Z"));
    let next = ("link", "</api/v1/posts/hidden?cursor=c>; rel=\"next\"");
    client.stub.answer_with("GET /posts/hidden", 200, json!([older]), next);
    let gone = client.get(&format!("/moderation/POST/{ID}")).await;
    assert!(gone.status == StatusCode::OK && !gone.text.contains("A red leaf") && gone.text.contains("fool"));
    assert_eq!(client.stub.calls("GET /posts/hidden").len(), 2, "one page each time");
    let picture = client.get(&format!("/moderation/MEDIA/{ID}")).await.text;
    expect(&picture, &["A picture is being prepared."]);
    for call in ["GET /posts", "GET /posts/hidden"] {
        client.stub.answer(call, 200, json!([]));
    }
    let hidden = client.get(&format!("/moderation/MEDIA/{ID}")).await.text;
    expect(&hidden, &["While it is hidden, only its owner gets its address."]);
}

/// A part that is away is missed, and said to be; the case is shown.
#[tokio::test]
async fn a_case_says_what_is_missing() {
    let client = with_case().await;
    let warning = "Look again before you decide.";
    assert!(!client.get(&format!("/moderation/POST/{ID}")).await.text.contains(warning));
    client.stub.answer(&format!("GET /moderation/analyses/{ANALYSIS}"), 503, json!({ "detail": "away" }));
    let page = client.get(&format!("/moderation/POST/{ID}")).await;
    assert_eq!(page.status, StatusCode::OK);
    expect(&page.text, &[warning, "You fool, see a.example", "A red leaf"]);
}

/// What a machine has left out, of a text or of the search for what weighs, is said in the language of the moderator: the rest may be anything.
#[tokio::test]
async fn a_case_says_what_the_machine_has_left_out() {
    let client = with_case().await;
    let case = format!("/moderation/POST/{ID}");
    let whole = client.get(&case).await.text;
    assert!(!whole.contains(EN.read_in_part) && !whole.contains(EN.explained_in_part), "{whole}");

    let (path, mut partial) = (format!("GET /moderation/analyses/{ANALYSIS}"), analysis());
    (partial["signals"]["read_in_part"], partial["explained_in_part"]) = (json!(true), json!(true));
    client.stub.answer(&path, 200, partial.clone());
    for (language, t) in [("en", &EN), ("de", &DE)] {
        let cookie = format!("web_access=good; language={language}");
        let page = client.ask(Method::GET, &case, &[("cookie", &cookie)], "").await.text;
        expect(&page, &[t.read_in_part, t.explained_in_part]);
    }
    partial["explanation_pending"] = json!(true);
    client.stub.answer(&path, 200, partial);
    let pending = client.get(&case).await.text;
    expect(&pending, &[EN.read_in_part, EN.explanation_pending]);
    assert!(!pending.contains(EN.explained_in_part), "nothing was explained so far: {pending}");
}

/// How long a restriction is, is chosen; what is for good is asked about; what was entered is kept.
#[tokio::test]
async fn how_long_it_is_is_said_and_never_left_over() {
    let client = Client::new().await;
    let (path, call) =
        (format!("/moderation/USER/{ID}/decide"), format!("POST /moderation/subjects/USER/{ID}/decisions"));
    let send =
        async |form: &str| client.post(&path, &format!("key=k&reason=SPAM_COMMERCIAL&internal_note=Mine&{form}")).await;
    for (form, words) in [
        ("action=BAN", "Say for how many hours the account is banned, or that it is for good."),
        ("action=BAN&time=hours&hours=", "Hours are a whole number"),
        ("action=BAN&time=hours&hours=9000", "Hours are a whole number"),
        ("action=BAN&hours=24", "Say for how many hours the account is banned"),
        ("action=MUTE&time=permanent", "Say for how many hours."),
        ("action=DISMISS&time=hours&hours=3", "What you have chosen has no duration."),
        ("time=hours&hours=3", "Choose what is done, and the reason."),
    ] {
        let refused = send(form).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{form}");
        expect(&refused.text, &[words, ">Mine</textarea>", "<option value=\"SPAM_COMMERCIAL\" selected>"]);
    }
    let kept = send("action=BAN&time=hours&hours=9000").await.text;
    expect(
        &kept,
        &["value=\"BAN\" required aria-keyshortcuts=\"5\" checked", "value=\"hours\" checked", "value=\"9000\""],
    );
    let sure = send("action=BAN&time=permanent").await;
    assert_eq!(sure.status, StatusCode::OK);
    expect(
        &sure.text,
        &[
            "<h1>Ban the account (For good)</h1>",
            "name=\"time\" value=\"permanent\"",
            "name=\"sure\" value=\"yes\"",
            "value=\"Mine\"",
        ],
    );
    let removal = client.post(&format!("/moderation/POST/{ID}/decide"), "action=REMOVE&reason=SPAM_COMMERCIAL").await;
    expect(&removal.text, &["No appeal brings it back."]);
    assert!(client.stub.calls(&call).is_empty(), "nothing was decided so far");

    for (form, actions, hours) in [
        ("action=BAN&time=permanent&sure=yes", json!([{ "action": "BAN" }]), Value::Null),
        ("action=BAN&time=hours&hours=24", json!([{ "action": "BAN", "hours": 24 }]), Value::Null),
        ("action=WARN", json!([{ "action": "WARN" }]), Value::Null),
    ] {
        assert_eq!(send(form).await.header("location"), "/moderation?done=decided", "{form}");
        let body = client.stub.calls(&call).pop().unwrap().body;
        assert_eq!((&body["actions"], &body["hours"], &body["internal_note"]), (&actions, &hours, &json!("Mine")));
    }
    client
        .post(&format!("/moderation/POST/{ID}/decide"), "action=HIDE&time=hours&hours=72&reason=SPAM_COMMERCIAL")
        .await;
    let hidden = client.stub.calls(&format!("POST /moderation/subjects/POST/{ID}/decisions")).pop().unwrap().body;
    assert_eq!((&hidden["actions"], &hidden["hours"]), (&json!([{ "action": "HIDE" }]), &json!(72)));
    assert_eq!(client.stub.undocumented(), Vec::<String>::new());
}

/// A decision has several actions where they go together, and all of them are kept, asked about and sent.
#[tokio::test]
async fn a_decision_has_several_actions() {
    let client = with_case().await;
    let (case, call) = (format!("/moderation/POST/{ID}"), format!("POST /moderation/subjects/POST/{ID}/decisions"));
    let send =
        async |form: &str| client.post(&format!("{case}/decide"), &format!("key=k&reason=SPAM_LINK&{form}")).await;
    let page = client.get(&case).await.text;
    expect(&page, &["<summary>And besides</summary>", "type=\"checkbox\" name=\"more\" value=\"WARN\""]);
    assert!(!page.contains("name=\"more\" value=\"DISMISS\""), "what stands alone is not offered besides: {page}");

    for (form, actions, hours) in [
        ("action=HIDE&more=WARN", json!([{ "action": "HIDE" }, { "action": "WARN" }]), Value::Null),
        ("action=HIDE&more=WARN&more=HIDE", json!([{ "action": "HIDE" }, { "action": "WARN" }]), Value::Null),
        ("action=LOCK&more=LIMIT&time=hours&hours=8", json!([{ "action": "LOCK" }, { "action": "LIMIT" }]), json!(8)),
        (
            "action=HIDE&more=MUTE&time=hours&hours=24",
            json!([{ "action": "HIDE" }, { "action": "MUTE", "hours": 24 }]),
            Value::Null,
        ),
        (
            "action=REMOVE&more=BAN&time=permanent&sure=yes",
            json!([{ "action": "REMOVE" }, { "action": "BAN" }]),
            Value::Null,
        ),
    ] {
        assert_eq!(send(form).await.header("location"), "/moderation?done=decided", "{form}");
        let body = client.stub.calls(&call).pop().unwrap().body;
        assert_eq!((&body["actions"], &body["hours"]), (&actions, &hours), "{form}");
    }
    let decided = client.stub.calls(&call).len();

    for (form, words) in [
        ("action=HIDE&more=REMOVE", "does not go together"),
        ("action=MUTE&more=BAN&time=hours&hours=24", "does not go together"),
        ("action=DISMISS&more=WARN", "does not go together"),
        ("action=HIDE&more=MUTE", "Say for how many hours."),
        ("action=REMOVE&more=LOCK&time=hours&hours=3", "What you have chosen has no duration."),
    ] {
        let refused = send(form).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{form}");
        expect(&refused.text, &[words, "<details class=\"fold\" open><summary>And besides"]);
    }
    let sure = send("action=REMOVE&more=WARN&more=BAN&time=permanent").await.text;
    expect(
        &sure,
        &[
            "<h1>Remove, Warn",
            "Ban the account (For good)</h1>",
            "name=\"more\" value=\"WARN\"",
            "name=\"more\" value=\"BAN\"",
            "No appeal brings it back.",
            "its owner cannot sign in",
        ],
    );
    assert_eq!(client.stub.calls(&call).len(), decided, "it is asked about first");
    assert_eq!(client.stub.undocumented(), Vec::<String>::new());
}

/// A case says what became of its reporters' reports so far; the page of a reporter has the last of them, mutes them and ends that.
#[tokio::test]
async fn reporters_have_a_record() {
    let client = with_case().await;
    let (record, page) = (format!("/moderation/reporters/{REPORTER}"), format!("/moderation/POST/{ID}"));
    let of = |mute: Value| {
        let report = subject()["reports"][0].clone();
        json!({ "id": REPORTER, "agreed": 3, "ignored": 2, "abusive": 17, "weight": 0.44, "mute": mute, "reports": [report] })
    };
    client.stub.answer(&format!("GET {record}"), 200, of(Value::Null));
    let counts = "3 agreed, 2 not followed, 17 a misuse of reporting";
    expect(&client.get(&page).await.text, &[&format!("href=\"{record}\""), counts]);
    let shown = client.get(&record).await.text;
    expect(
        &shown,
        &[counts, "Their next report weighs 0.4", "<bdi>Rita</bdi>", "Every day.", &format!("href=\"{page}\"")],
    );
    assert!(!shown.contains("Their reports weigh nothing"), "{shown}");
    let mute = json!({ "moderator": AUTHOR, "at": TIME, "until": "2026-12-20T12:00:00Z", "note": "A rival." });
    client.stub.answer(&format!("GET {record}"), 200, of(mute));
    expect(&client.get(&page).await.text, &["<strong>Their reports weigh nothing</strong>"]);
    expect(
        &client.get(&record).await.text,
        &["Their reports weigh nothing until 20 December 2026", "A rival.", "<bdi>Ada</bdi>"],
    );

    for (form, body, done) in [
        ("hours=720&note=A+rival.", json!({ "muted": true, "hours": 720, "note": "A rival." }), "reporter-muted"),
        ("hours=&note=", json!({ "muted": true, "hours": null, "note": null }), "reporter-muted"),
        ("muted=no", json!({ "muted": false }), "reporter-unmuted"),
    ] {
        let sent = client.post(&format!("{record}/mute"), form).await;
        assert_eq!(sent.header("location"), format!("{record}?done={done}"), "{form}");
        assert_eq!(client.stub.calls(&format!("PUT {record}/mute")).pop().unwrap().body, body);
    }
    let refused = client.post(&format!("{record}/mute"), "hours=long&note=Kept").await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    expect(&refused.text, &["Hours are a whole number", ">Kept</textarea>"]);
    client.stub.answer(&format!("GET {record}"), 503, json!({ "detail": "away" }));
    expect(&client.get(&page).await.text, &["Look again before you decide.", "<bdi>Rita</bdi>"]);
    assert_eq!(client.stub.undocumented(), Vec::<String>::new());
}

/// Administrators read the policies with their modes, and how often each rule has matched in force and on trial.
#[tokio::test]
async fn policies_are_listed_with_their_matches() {
    let client = Client::new().await;
    let rule = |name: &str| json!({ "name": name, "when": {}, "outcome": "HIDE", "reason": "SPAM_LINK" });
    let policy = json!({ "id": ID, "name": "Contests", "version": 4, "mode": "SHADOW", "rules": [rule("spam"), rule("rare")],
        "created_at": TIME, "updated_at": TIME });
    client.stub.answer("GET /moderation/policies", 200, json!([policy]));
    let hits = |mode: &str, hits: i64| json!({ "day": "2026-11-20", "rule": "spam", "mode": mode, "hits": hits });
    let path = format!("GET /moderation/policies/{ID}/hits");
    client.stub.answer(&path, 200, json!([hits("ENFORCE", 2), hits("SHADOW", 30), hits("SHADOW", 12)]));
    let page = client.get("/moderation/policies").await.text;
    expect(&page, &["<bdi>Contests</bdi>", "tried out, without effect", "version 4", "Leads to a blocked site"]);
    expect(&page, &["<bdi>spam</bdi></th><td>Hide</td>", "<td>2</td><td>42</td>", "<td>0</td><td>0</td>"]);
    assert_eq!(client.stub.calls(&path).pop().unwrap().query, "days=30");
    client.stub.answer(&path, 503, json!({ "detail": "away" }));
    expect(&client.get("/moderation/policies").await.text, &["<td>–</td><td>–</td>", "could not be read"]);
    client.stub.answer("GET /moderation/policies", 403, json!({ "detail": "Only administrators can do this" }));
    let refused = client.get("/moderation/policies").await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    expect(&refused.text, &["Only administrators can do this."]);
    let link = "href=\"/moderation/policies\"";
    for (role, is_shown) in [("MODERATOR", false), ("ADMIN", true)] {
        client.stub.answer(
            "GET /users/me",
            200,
            json!({ "id": ID, "first_name": "Ada", "date_joined": TIME, "role": role }),
        );
        assert_eq!(client.get("/moderation").await.text.contains(link), is_shown, "{role}");
    }
    assert_eq!(client.stub.undocumented(), Vec::<String>::new());
}

/// Many cases are asked about with their number, and each says then what became of it.
#[tokio::test]
async fn a_decision_about_many_says_what_became_of_each() {
    let client = Client::new().await;
    let queue = client.get("/moderation").await.text;
    expect(&queue, &["name=\"subjects\"", "form=\"bulk\""]);
    let form = format!("subjects=POST%2F{ID}&subjects=COMMENT%2F{ID}&action=HIDE&reason=SPAM_COMMERCIAL");
    let call = "POST /moderation/decisions/bulk";
    for (wrong, words) in [
        ("action=HIDE&reason=SPAM_COMMERCIAL".to_owned(), "Choose at least one case."),
        (form.replace("HIDE", "BAN"), "Choose what is done, and the reason."),
        (form.replace("SPAM_COMMERCIAL", ""), "Choose what is done, and the reason."),
    ] {
        let refused = client.post("/moderation/bulk", &wrong).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
        expect(&refused.text, &[words]);
    }
    assert!(client.post("/moderation/bulk", &format!("{form}&subjects=X%2F{ID}")).await.status.is_client_error());
    let asked = client.post("/moderation/bulk", &form).await;
    expect(
        &asked.text,
        &["<h1>Decide about 2 cases</h1>", &format!("value=\"COMMENT/{ID}\""), "name=\"sure\" value=\"yes\""],
    );
    assert!(client.stub.calls(call).is_empty(), "it was only asked");

    let result = |kind: &str, outcome: &str| json!({ "type": kind, "id": ID, "outcome": outcome, "decision": null });
    client.stub.answer(call, 200, json!([result("POST", "DECIDED"), result("COMMENT", "CLAIMED")]));
    let sure = format!("{form}&sure=yes&key=once&public_note=No+ads&abusive=yes");
    let done = client.post("/moderation/bulk", &sure).await.text;
    expect(
        &done,
        &["1 case was decided. 1 case was not.", "<span>Hide</span>", "<strong>A moderator is looking at it.</strong>"],
    );
    expect(&done, &[&format!("href=\"/moderation/COMMENT/{ID}\"")]);
    let sent = client.stub.calls(call).pop().unwrap();
    assert_eq!(sent.headers["idempotency-key"], "once");
    let sent = sent.body;
    assert_eq!(sent["subjects"], json!([{ "type": "POST", "id": ID }, { "type": "COMMENT", "id": ID }]));
    assert_eq!((&sent["actions"], &sent["only_open"]), (&json!([{ "action": "HIDE" }]), &json!(true)));
    assert_eq!((&sent["public_note"], &sent["abusive"]), (&json!("No ads"), &json!(true)));
    client.stub.answer(call, 200, json!([result("POST", "DECIDED"), result("COMMENT", "PENDING")]));
    let partly = client.post("/moderation/bulk", &sure).await.text;
    expect(
        &partly,
        &[
            "1 case was decided. 0 cases were not. 1 case was not reached in time.",
            "<strong>was not reached in time</strong>",
            "name=\"key\" value=\"once\"",
            "name=\"public_note\" value=\"No ads\"",
            "name=\"sure\" value=\"yes\"",
            "Decide about the rest",
        ],
    );
    assert!(!done.contains("Decide about the rest"), "there is no rest: {done}");
    client.stub.answer(call, 422, json!({ "detail": [{ "loc": ["body", "actions"], "msg": "too odd" }] }));
    let refused = client.post("/moderation/bulk", &format!("{form}&sure=yes&public_note=Kept")).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    expect(&refused.text, &["too odd", ">Kept</textarea>", "<h1>Decide about 2 cases</h1>"]);
    assert_eq!(client.stub.undocumented(), Vec::<String>::new());
}

/// A claim is made and given back, a case escalated and noted, a decision taken back, a restriction lifted; what is refused is said
/// on the case.
#[tokio::test]
async fn cases_are_claimed_given_back_escalated_and_reversed() {
    let client = with_case().await;
    let (page, subject) = (format!("/moderation/POST/{ID}"), format!("/moderation/subjects/POST/{ID}"));
    for (verb, form, call, body, done) in [
        ("claim", "", format!("POST {subject}/claim"), Value::Null, "claimed"),
        ("release", "", format!("DELETE {subject}/claim"), Value::Null, "released"),
        (
            "note",
            "key=a&note=Who+reads+Thai",
            format!("POST {subject}/notes"),
            json!({ "note": "Who reads Thai" }),
            "noted",
        ),
        ("escalate", "key=b&note=Hard", format!("POST {subject}/escalate"), json!({ "note": "Hard" }), "escalated"),
    ] {
        let answer = client.post(&format!("{page}/{verb}"), form).await;
        assert_eq!(answer.header("location"), format!("{page}?done={done}"), "{}", answer.text);
        assert_eq!(client.stub.calls(&call).pop().unwrap().body, body, "{call}");
    }
    let reversed = client.post(&format!("/moderation/decisions/{DECISION}/reverse"), "note=A+quotation").await;
    assert_eq!(reversed.header("location"), format!("/moderation/COMMENT/{ID}?done=reversed"), "as the API answers");
    let reverse = format!("POST /moderation/decisions/{DECISION}/reverse");
    assert_eq!(client.stub.calls(&reverse).pop().unwrap().body, json!({ "note": "A quotation" }));
    client.stub.answer(&reverse, 409, json!({ "detail": "The decision is no longer in force" }));
    let late = client.post(&format!("/moderation/decisions/{DECISION}/reverse"), "note=It+was+%3Ckind%3E").await;
    assert_eq!(late.status, StatusCode::CONFLICT);
    expect(
        &late.text,
        &["The decision is no longer in force.", "Please stay kind.", ">It was &#60;kind&#62;</textarea>"],
    );
    client.stub.answer(
        &format!("POST {subject}/claim"),
        409,
        json!({ "detail": "Another moderator has claimed this" }),
    );
    let taken = client.post(&format!("{page}/claim"), "").await;
    assert_eq!(taken.status, StatusCode::CONFLICT);
    expect(&taken.text, &["Another moderator has claimed this.", "A red leaf"]);
    assert_eq!(client.stub.undocumented(), Vec::<String>::new());
}

/// An account that the auth service alone restricts is freed there; where a decision has done it, that is taken back.
#[tokio::test]
async fn a_restriction_by_hand_is_lifted() {
    let client = with_case().await;
    let mut user = subject();
    (user["type"], user["state"]["decisions"]) = (json!("USER"), json!([]));
    client.stub.answer(&format!("GET /moderation/subjects/USER/{ID}"), 200, user.clone());
    let (page, lift) = (format!("/moderation/USER/{ID}"), format!("action=\"/moderation/USER/{ID}/lift\""));
    expect(&client.get(&page).await.text, &[&lift]);
    let lifted = client.post(&format!("{page}/lift"), "note=It+was+a+mistake").await;
    assert_eq!(lifted.header("location"), format!("{page}?done=lifted"));
    let sent = client.stub.calls(&format!("PUT /admin/users/{ID}/status")).pop().unwrap().body;
    assert_eq!(sent, json!({ "status": "ACTIVE", "reason": "It was a mistake" }));
    assert_eq!(client.post(&format!("/moderation/POST/{ID}/lift"), "note=x").await.status, StatusCode::NOT_FOUND);
    let refusal = json!({ "detail": "Only administrators can do this" });
    client.stub.answer(&format!("PUT /admin/users/{ID}/status"), 403, refusal);
    let refused = client.post(&format!("{page}/lift"), "note=Kept+words&form=lift").await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    expect(&refused.text, &["Only administrators can do this.", &lift]);
    assert_eq!(refused.text.matches(">Kept words</textarea>").count(), 1, "in its own form: {}", refused.text);
    user["state"]["decisions"] = json!([DECISION]);
    client.stub.answer(&format!("GET /moderation/subjects/USER/{ID}"), 200, user);
    let decided = client.get(&page).await.text;
    expect(&decided, &[&format!("action=\"/moderation/decisions/{DECISION}/reverse\"")]);
    assert!(!decided.contains(&lift), "{decided}");
    assert_eq!(client.stub.undocumented(), Vec::<String>::new());
}

/// An appeal is read with the decision that it is against, its notes, and the case; a moderator's own is for another.
#[tokio::test]
async fn an_appeal_is_decided_with_its_decision_in_sight() {
    let client = with_case().await;
    let appeal = json!([{ "id": ID, "decision_id": DECISION, "author": AUTHOR, "at": TIME, "text": "It was a quotation.", "status": "OPEN" }]);
    client.stub.answer("GET /moderation/appeals", 200, appeal);
    let list = client.get("/moderation/appeals").await.text;
    expect(
        &list,
        &[
            "It was a quotation.",
            "<bdi>Ada</bdi>",
            "Hide, Mute the account (for 24 hours)",
            &format!("href=\"/moderation/appeals/{ID}\""),
        ],
    );
    let path = format!("/moderation/appeals/{ID}");
    let page = client.get(&path).await.text;
    expect(
        &page,
        &[
            "It was a quotation.",
            "Please stay kind.",
            "The third time.",
            "<bdi>Rita</bdi>",
            "A red leaf",
            "<td>93</td>",
            "value=\"OVERTURNED\"",
        ],
    );
    client.stub.answer(
        &format!("POST {path}/resolve"),
        422,
        json!({ "detail": [{ "loc": ["body", "note"], "msg": "field required" }] }),
    );
    let refused = client.post(&path, "outcome=UPHELD&note=Kept").await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    expect(&refused.text, &[">Kept</textarea>"]);
    client.stub.answer(&format!("POST {path}/resolve"), 409, json!({ "detail": "The appeal was resolved before" }));
    let both = client.post(&path, "outcome=UPHELD&note=Kept").await;
    assert_eq!(both.status, StatusCode::CONFLICT);
    expect(&both.text, &[">Kept</textarea>"]);

    client.stub.answer(&format!("GET /moderation/decisions/{DECISION}"), 200, decided(Some(ID)));
    let own = client.get(&path).await.text;
    expect(&own, &["This is about a decision of yours"]);
    assert!(!own.contains("value=\"OVERTURNED\""), "{own}");
    client.stub.answer("GET /moderation/appeals", 200, json!([]));
    assert_eq!(client.get(&path).await.status, StatusCode::NOT_FOUND, "it was resolved meanwhile");
    assert_eq!(client.stub.undocumented(), Vec::<String>::new());
}

/// A statement of reasons says all that the law asks for, in the reader's language, with what became of the appeal.
#[tokio::test]
async fn a_statement_of_reasons_is_complete() {
    let client = Client::new().await;
    let statement = |appeal: Value| {
        json!({
            "decision_id": DECISION, "at": TIME, "subject_type": "POST", "subject_id": ID, "territorial_scope": "EVERYWHERE",
            "actions": [{ "action": "HIDE" }, { "action": "BAN", "hours": null }], "expires_at": "2026-12-20T12:00:00Z",
            "facts": "No advertisements.", "reason": "SPAM_COMMERCIAL", "family": "SPAM", "ground": "x", "redress": "x",
            "policy": { "id": ID, "version": 4, "rule": "links" }, "strikes": 3, "automated_detection": true,
            "automated_decision": false, "source": "NOTICE", "appeal_until": "2099-05-22T12:00:00Z", "appeal": appeal,
        })
    };
    client.stub.answer("GET /me/moderation/decisions", 200, json!([statement(Value::Null)]));
    client.stub.answer("GET /me/appeals", 200, json!([]));
    let open = client.get("/decisions").await.text;
    expect(
        &open,
        &[
            "Hide, Ban the account (For good)",
            &format!("href=\"/posts/{ID}\""),
            "the content until 20 December 2026, 12:00 UTC",
            "<dd>everywhere</dd>",
            "<dd>Spam</dd>",
            "rule links, version 4",
            "add up to 3 or more",
            "<dd>by a machine</dd>",
            "<dd>decided by a moderator</dd>",
            "<dd>on a report</dd>",
            "No advertisements.",
            "You can appeal here, once, until 22 May 2099, 12:00 UTC.",
            "or to a court",
        ],
    );
    client.stub.answer(
        &format!("POST /me/moderation/decisions/{DECISION}/appeal"),
        409,
        json!({ "detail": "The time to appeal is over" }),
    );
    let refused = client.post(&format!("/decisions/{DECISION}/appeal"), "text=It+was+a+joke").await;
    assert_eq!(refused.status, StatusCode::CONFLICT);
    expect(
        &refused.text,
        &["The time to appeal is over.", ">It was a joke</textarea>", "<details class=\"fold\" open>"],
    );

    client.stub.answer("GET /me/moderation/decisions", 200, json!([statement(json!("OVERTURNED"))]));
    let appeal = json!([{ "id": ID, "decision_id": DECISION, "at": TIME, "text": "It was a joke.", "status": "OVERTURNED",
        "note": "So it was. We are sorry.", "resolved_at": TIME }]);
    client.stub.answer("GET /me/appeals", 200, appeal);
    let resolved = client.get("/decisions").await.text;
    expect(&resolved, &["the decision was taken back", "It was a joke.", "So it was. We are sorry."]);
    assert!(!resolved.contains("/appeal\""), "once");
    client.stub.answer("GET /moderation/appeals/by-token", 200, statement(Value::Null));
    let mailed = client.ask(axum::http::Method::GET, "/appeal?token=t", &[("cookie", "language=de")], "").await.text;
    expect(
        &mailed,
        &[
            "Begründung",
            "Konto sperren (Für immer)",
            "Regel links, Version 4",
            "an ein Gericht",
            "name=\"token\" value=\"t\"",
        ],
    );
    assert_eq!(client.stub.undocumented(), Vec::<String>::new());
}

/// A decision of a machine says what was measured and by which model, in the statement of reasons and to moderators.
#[tokio::test]
async fn what_a_machine_has_decided_by_is_said() {
    let client = with_case().await;
    let comparisons = json!([
        { "signal": "toxic", "value": 0.9312, "at_least": 0.9, "at_most": null },
        { "signal": "account_age_hours", "value": 3.0, "at_least": null, "at_most": 24.0 },
    ]);
    let means = json!({ "content_hash": "0a", "model_version": "text-0123", "scores": {}, "comparisons": comparisons });
    let statement = json!({
        "decision_id": DECISION, "at": TIME, "subject_type": "POST", "subject_id": ID, "territorial_scope": "EVERYWHERE",
        "actions": [{ "action": "HIDE" }], "facts": "It insults.", "source": "OWN_INITIATIVE", "reason": "HARASSMENT_INSULT",
        "family": "HARASSMENT", "ground": "x", "redress": "x", "automated_detection": true, "automated_decision": true,
        "automated_means": means, "appeal_until": "2099-05-22T12:00:00Z",
    });
    client.stub.answer("GET /me/moderation/decisions", 200, json!([statement]));
    let said = client.get("/decisions").await.text;
    expect(
        &said,
        &[
            "<h3>The facts</h3><blockquote dir=\"auto\">It insults.</blockquote>",
            "<dd>decided by a machine</dd>",
            "<dd>on the platform’s own initiative</dd>",
            "<dd><bdi>text-0123</bdi></dd>",
            "<bdi>Toxic 0.931 (0.9 or more)</bdi>, <bdi>Account age hours 3 (24 or less)</bdi>",
        ],
    );
    let mut decision = decided(None);
    decision["automated_means"] = means;
    client.stub.answer(&format!("GET /moderation/decisions/{DECISION}"), 200, decision);
    let shown = client.get(&format!("/moderation/decisions/{DECISION}")).await.text;
    expect(&shown, &["<dd><bdi>text-0123</bdi></dd>", "Toxic 0.931 (0.9 or more)"]);
    assert_eq!(client.stub.undocumented(), Vec::<String>::new());
}

/// An appeal is claimed, alone or as the next one, and given back; who has it is said, and what is refused is said on its page.
#[tokio::test]
async fn appeals_are_claimed_and_given_back() {
    let client = with_case().await;
    let appeal = |by: Value| {
        json!({ "id": ID, "decision_id": DECISION, "author": AUTHOR, "at": TIME, "text": "No.", "status": "OPEN",
            "claimed_by": by, "claimed_until": TIME })
    };
    let (page, claim) = (format!("/moderation/appeals/{ID}"), format!("/moderation/appeals/{ID}/claim"));
    for (by, expected, other) in [
        (Value::Null, format!("action=\"{page}/claim\""), "/release\""),
        (json!(ID), format!("action=\"{page}/release\""), "/claim\""),
        (
            json!(REPORTER),
            "A moderator is looking at it. <bdi>Rita</bdi> until 20 November 2026".to_owned(),
            "/claim\"",
        ),
    ] {
        client.stub.answer("GET /moderation/appeals", 200, json!([appeal(by)]));
        let shown = client.get(&page).await.text;
        expect(&shown, &[&expected, "value=\"OVERTURNED\""]);
        assert!(!shown.contains(other), "{other} is in {shown}");
    }
    expect(&client.get("/moderation/appeals").await.text, &["<strong>A moderator is looking at it.</strong>"]);
    client.get("/moderation/appeals?claimed_by_me=true").await;
    let asked = client.stub.calls("GET /moderation/appeals").pop().unwrap().query;
    assert_eq!(asked, "limit=20&claimed_by_me=true");
    for (verb, method, done) in [("claim", "POST", "claimed"), ("release", "DELETE", "released")] {
        let answer = client.post(&format!("{page}/{verb}"), "").await;
        assert_eq!(answer.header("location"), format!("{page}?done={done}"), "{}", answer.text);
        assert_eq!(client.stub.calls(&format!("{method} {claim}")).len(), 1);
    }
    let refusal = json!({ "detail": "Another moderator has claimed this" });
    client.stub.answer(&format!("POST {claim}"), 409, refusal);
    let taken = client.post(&format!("{page}/claim"), "").await;
    assert_eq!(taken.status, StatusCode::CONFLICT);
    expect(&taken.text, &["Another moderator has claimed this.", "A red leaf"]);
    client.stub.answer("POST /moderation/appeals/claim", 200, json!([appeal(json!(ID))]));
    assert_eq!(client.post("/moderation/appeals/next", "").await.header("location"), page);
    assert_eq!(client.stub.calls("POST /moderation/appeals/claim").pop().unwrap().body, json!({ "limit": 1 }));
    client.stub.answer("POST /moderation/appeals/claim", 200, json!([]));
    let none = client.post("/moderation/appeals/next", "").await;
    assert_eq!(none.header("location"), "/moderation/appeals?done=none-free");
    assert_eq!(client.stub.undocumented(), Vec::<String>::new());
}

/// Scheduled decisions are listed, and shown on their case; who has scheduled one, or administers, cancels it while it waits.
#[tokio::test]
async fn scheduled_decisions_are_shown_and_cancelled() {
    let client = with_case().await;
    let scheduled = |moderator: &str, status: &str| {
        json!({ "id": DECISION, "subject_type": "POST", "subject_id": ID, "author": AUTHOR, "moderator": moderator,
            "created_at": TIME, "due_at": "2026-11-21T12:00:00Z", "actions": [{ "action": "LOCK" }], "reason": "HARASSMENT_BRIGADING",
            "internal_note": "The count begins then.", "abusive": false, "status": status })
    };
    let cancel = format!("action=\"/moderation/scheduled/{DECISION}/cancel\"");
    let list = "GET /moderation/scheduled-decisions";
    let me = |role: &str| json!({ "id": ID, "date_joined": TIME, "role": role });
    for (moderator, status, role, can_cancel) in [
        (ID, "WAITING", "MODERATOR", true),
        (REPORTER, "WAITING", "MODERATOR", false),
        (REPORTER, "WAITING", "ADMIN", true),
        (ID, "CANCELLED", "MODERATOR", false),
    ] {
        client.stub.answer("GET /users/me", 200, me(role));
        client.stub.answer(list, 200, json!([scheduled(moderator, status)]));
        let page = client.get("/moderation/scheduled").await.text;
        expect(&page, &["Calls for harassment", "21 November 2026, 12:00 UTC", "The count begins then."]);
        assert_eq!(page.contains(&cancel), can_cancel, "{moderator} {status} {role}");
    }
    client.stub.answer(list, 200, json!([scheduled(REPORTER, "GONE")]));
    let german = [("cookie", "web_access=good; language=de")];
    let gone = client.ask(axum::http::Method::GET, "/moderation/scheduled", &german, "").await.text;
    expect(&gone, &["Geplante Entscheidungen", "ihr Gegenstand war schon gelöscht", "<bdi>Rita</bdi>"]);

    let mut case = subject();
    case["scheduled"] = json!([scheduled(ID, "WAITING")]);
    client.stub.answer(&format!("GET /moderation/subjects/POST/{ID}"), 200, case);
    expect(&client.get(&format!("/moderation/POST/{ID}")).await.text, &[&cancel, "The count begins then."]);
    let path = format!("/moderation/scheduled/{DECISION}/cancel");
    assert_eq!(client.post(&path, "").await.header("location"), "/moderation/scheduled?done=cancelled");
    let call = format!("DELETE /moderation/scheduled-decisions/{DECISION}");
    assert_eq!(client.stub.calls(&call).len(), 1);
    client.stub.answer(&call, 409, json!({ "detail": "It waits no more" }));
    let late = client.post(&path, "").await;
    assert_eq!(late.status, StatusCode::CONFLICT);
    expect(&late.text, &["it was made or cancelled meanwhile", "its subject was deleted before"]);
    assert_eq!(client.stub.undocumented(), Vec::<String>::new());
}

/// What became of a scheduled decision is said: for how long it is, how often it could not be made, and which right its moderator has lost.
#[tokio::test]
async fn a_scheduled_decision_says_why_it_was_not_made() {
    let client = with_case().await;
    let scheduled = |more: Value| {
        let mut scheduled = json!({ "id": DECISION, "subject_type": "POST", "subject_id": ID, "author": AUTHOR,
            "moderator": REPORTER, "created_at": TIME, "due_at": TIME, "actions": [{ "action": "HIDE" }], "reason": "SPAM_LINK",
            "abusive": false, "status": "CANCELLED", "attempts": 0 });
        scheduled.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!([scheduled])
    };
    let list = "GET /moderation/scheduled-decisions";
    for (right, english, german) in [
        ("LEFT", "was cancelled: who had scheduled it has left the platform", "ist nicht mehr auf der Plattform"),
        ("NO_MODERATOR", "is no moderator any more, or is muted or banned", "moderiert nicht mehr"),
        ("OUT_OF_SCOPE", "it is not in the queue of who had scheduled it", "gehört nicht mehr zur Warteschlange"),
        ("LOST_A_BET", "was cancelled: Lost a bet", "wurde abgesagt: Lost a bet"),
    ] {
        client.stub.answer(list, 200, scheduled(json!({ "cancelled_because": right })));
        expect(&client.get("/moderation/scheduled").await.text, &[english]);
        let headers = [("cookie", "web_access=good; language=de")];
        expect(&client.ask(axum::http::Method::GET, "/moderation/scheduled", &headers, "").await.text, &[german]);
    }
    for (attempts, words) in [(1, "it was tried once."), (3, "it was tried 3 times.")] {
        let waiting = json!({ "status": "WAITING", "attempts": attempts, "hours": 12 });
        client.stub.answer(list, 200, scheduled(waiting));
        expect(&client.get("/moderation/scheduled").await.text, &[words, "</strong> (for 12 hours)"]);
    }
    client.stub.answer(list, 200, scheduled(json!({ "status": "WAITING" })));
    let fresh = client.get("/moderation/scheduled").await.text;
    assert!(!fresh.contains("could not be made"), "{fresh}");
}

/// A decision is made at once, in some hours or at a time, which the page of its case asks for without a script. What is for good is asked
/// about with its time, and what is refused comes back.
#[tokio::test]
async fn a_decision_is_scheduled_on_its_case() {
    let client = with_case().await;
    let (case, path) = (format!("/moderation/POST/{ID}"), format!("/moderation/POST/{ID}/decide"));
    let [now, later] =
        ["decisions", "scheduled-decisions"].map(|route| format!("POST /moderation/subjects/POST/{ID}/{route}"));
    let decide = async |form: &str| client.post(&path, &format!("key=k&reason=SPAM_LINK&{form}")).await;
    expect(
        &client.get(&case).await.text,
        &["<summary>Decide later</summary>", "<label for=\"in_hours\">", "name=\"at\" type=\"datetime-local\""],
    );

    for (form, hours, at) in [
        ("action=LOCK&time=hours&hours=12&in_hours=8&at=", json!(8), Value::Null),
        ("action=LOCK&time=hours&hours=12&in_hours=&at=2026-12-24T18%3A00", Value::Null, json!("2026-12-24T18:00:00Z")),
    ] {
        let sent = decide(form).await;
        assert_eq!(sent.header("location"), format!("{case}?done=decision-scheduled"), "{form}");
        let call = client.stub.calls(&later).pop().unwrap();
        assert_eq!(
            (&call.body["in_hours"], &call.body["at"], &call.body["hours"]),
            (&hours, &at, &json!(12)),
            "{form}"
        );
        assert_eq!(call.body["actions"], json!([{ "action": "LOCK" }]));
        assert_eq!(call.headers["idempotency-key"], "k", "a double click schedules one");
    }
    expect(&client.get(&format!("{case}?done=decision-scheduled")).await.text, &["The decision is scheduled."]);
    assert!(client.stub.calls(&now).is_empty(), "nothing is decided at once");

    let sure = decide("action=REMOVE&in_hours=8").await.text;
    expect(&sure, &["<bdi>in 8 hours</bdi>", "name=\"in_hours\" value=\"8\"", "No appeal brings it back."]);
    assert_eq!(client.stub.calls(&later).len(), 2, "it is asked about first");
    expect(&decide("action=REMOVE&at=2026-12-24T18%3A00").await.text, &["<bdi>2026-12-24 18:00 UTC</bdi>"]);

    for (form, words) in [
        ("action=HIDE&in_hours=0", "Hours are a whole number"),
        ("action=HIDE&in_hours=8785", "Hours are a whole number"),
        ("action=HIDE&in_hours=8&at=2026-12-24T18%3A00", "Say either in how many hours"),
    ] {
        let refused = decide(form).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{form}");
        expect(&refused.text, &[words, "<details class=\"fold\" open><summary>Decide later"]);
    }
    let past = json!([{ "loc": ["body", "at"], "msg": "a time from now on is expected, at most 8784 hours ahead",
        "type": "value_error.datetime.not_in_range" }]);
    client.stub.answer(&later, 422, json!({ "detail": past }));
    let refused = decide("action=HIDE&at=2020-01-01T00%3A00").await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    expect(
        &refused.text,
        &[
            "id=\"at-error\">The time must be in the future",
            "aria-describedby=\"due-hint at-error\" value=\"2020-01-01T00:00\"",
        ],
    );
    assert_eq!(client.stub.undocumented(), Vec::<String>::new());
}

/// A queue is asked for by kind, family and origin, and the next case is taken from what is shown; each case says who has it.
#[tokio::test]
async fn a_queue_is_filtered() {
    let client = Client::new().await;
    let item = |claimed: Value| {
        json!({ "type": "POST", "id": ID, "author": AUTHOR, "visibility": "HELD", "review": "OPEN", "severity": 0.5, "reports": 2,
            "report_weight": 2.24, "reasons": ["SPAM_LINK"], "flagged_by": ["MACHINE", "PEOPLE"], "reach": 12, "opened_at": TIME,
            "excerpt": "Buy!", "claimed_by": claimed, "claimed_until": TIME })
    };
    client.stub.answer("GET /moderation/queue", 200, json!([item(json!(ID))]));
    client.stub.answer("POST /users/lookup", 200, json!([person(AUTHOR, "Ada")]));
    let page = client.get("/moderation?type=POST&family=SPAM&flagged_by=&escalated=false").await.text;
    expect(
        &page,
        &[
            "<bdi>Ada</bdi>",
            "(weight 2.2)",
            "reach 12",
            "a machine",
            "people",
            "You are looking at it.",
            "Leads to a blocked site",
        ],
    );
    expect(&page, &["<option value=\"SPAM\" selected>", "name=\"family\" value=\"SPAM\""]);
    let asked = client.stub.calls("GET /moderation/queue").pop().unwrap().query;
    assert_eq!(asked, "limit=20&type=POST&family=SPAM&escalated=false");
    client.get("/moderation?claimed_by_me=true").await;
    assert!(client.stub.calls("GET /moderation/queue").pop().unwrap().query.contains("claimed_by_me=true"));
    client.stub.answer("POST /moderation/queue/claim", 200, json!([item(Value::Null)]));
    let taken = client.post("/moderation/next", "type=POST&family=SPAM&escalated=false").await;
    assert_eq!(taken.header("location"), format!("/moderation/POST/{ID}"));
    let sent = client.stub.calls("POST /moderation/queue/claim").pop().unwrap().body;
    assert_eq!(sent, json!({ "limit": 1, "type": "POST", "family": "SPAM", "escalated": false }));
    client.stub.answer("POST /moderation/queue/claim", 200, json!([]));
    assert_eq!(client.post("/moderation/next", "").await.header("location"), "/moderation?done=none-free");
    assert_eq!(client.stub.undocumented(), Vec::<String>::new());
}

/// Each key has one element; what the keys do can be reached without them, and they can be switched off.
#[tokio::test]
async fn each_key_has_one_element() {
    let client = with_case().await;
    let appeal =
        json!([{ "id": ID, "decision_id": DECISION, "author": AUTHOR, "at": TIME, "text": "No.", "status": "OPEN" }]);
    client.stub.answer("GET /moderation/appeals", 200, appeal);
    for (page, wanted) in [
        ("/moderation".to_owned(), 1),
        (format!("/moderation/POST/{ID}"), 10),
        (format!("/moderation/appeals/{ID}"), 2),
    ] {
        let text = client.get(&page).await.text;
        let (elements, _) = markup::parse(&text);
        let keys: Vec<_> = elements.iter().filter_map(|element| element.get("aria-keyshortcuts")).collect();
        let different: std::collections::BTreeSet<_> = keys.iter().collect();
        assert!(keys.len() >= wanted && keys.len() == different.len(), "{page}: {keys:?}");
        let reached = |name: &str| ["a", "button", "input", "textarea"].contains(&name);
        assert!(
            elements
                .iter()
                .filter(|element| element.get("aria-keyshortcuts").is_some())
                .all(|element| reached(&element.name))
        );
        expect(&text, &["id=\"keys-on\"", "/keys.js\" defer"]);
    }
}
