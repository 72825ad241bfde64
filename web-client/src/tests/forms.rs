//! Forms: each is refused unless a page of this origin sends it, calls what it says, and loses nothing when it is refused.
use std::collections::BTreeSet;

use axum::http::{Method, StatusCode};
use serde_json::json;

use super::Client;
use super::markup::parse;
use super::stub::ID;

/// Every form that changes something, found on the pages themselves: none can be sent from elsewhere.
#[tokio::test]
async fn no_form_can_be_sent_from_elsewhere() {
    let client = Client::new().await;
    let pages = [
        "/",
        "/explore",
        "/bookmarks",
        "/tags/a",
        "/compose",
        "/connect",
        "/recommended",
        "/notifications",
        "/settings",
        "/settings/password",
        "/settings/sessions",
        "/settings/accounts",
        "/settings/people",
        "/settings/notifications",
        "/settings/data",
        "/decisions",
        "/moderation",
        "/moderation/appeals",
        "/moderation/domains",
        "/moderation/policies/new",
        "/signin",
        "/signup",
        "/forgot-password",
        "/reset-password",
        "/undo-change?token=a",
        "/appeal?token=a",
        "/activate",
    ]
    .map(str::to_owned);
    let more = [
        "/posts/{}",
        "/posts/{}/edit",
        "/posts/{}/nft",
        "/posts/{}/delete",
        "/comments/{}",
        "/comments/{}/nft",
        "/moderation/policies/{}",
        "/users/{}",
        "/moderation/POST/{}",
        "/moderation/USER/{}",
        "/moderation/appeals",
        "/moderation/appeals/{}",
        "/moderation/scheduled",
        "/moderation/reporters/{}",
        "/moderation/decisions/{}",
        "/report?type=POST&id={}",
    ]
    .map(|page| page.replace("{}", ID));
    let mut actions = BTreeSet::new();
    for page in pages.iter().chain(&more) {
        let (elements, _) = parse(&client.get(page).await.text);
        let forms = elements.iter().filter(|element| element.name == "form" && element.get("method") == Some("post"));
        actions.extend(forms.filter_map(|form| form.get("action")).map(str::to_owned));
    }
    assert!(actions.len() > 25, "{actions:?}");
    let before = client.stub.calls("POST /auth/signout").len();
    for action in &actions {
        for proof in [
            &[][..],
            &[("sec-fetch-site", "cross-site"), ("origin", "https://social.example")],
            &[("sec-fetch-site", "same-site")],
            &[("origin", "https://evil.example")],
            &[("origin", "null")],
            &[("origin", "https://sub.social.example")],
        ] {
            let headers: Vec<_> = [("cookie", "web_access=good")].into_iter().chain(proof.iter().copied()).collect();
            let answer = client.ask(Method::POST, action, &headers, "").await;
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{action} {proof:?}");
        }
    }
    assert_eq!(client.stub.calls("POST /auth/signout").len(), before, "nothing was called");
    let old = [("cookie", "web_access=good"), ("origin", "https://social.example")];
    assert_eq!(client.ask(Method::POST, "/signout", &old, "").await.status, StatusCode::SEE_OTHER, "an older browser");
}

/// A post is written with its pictures and their descriptions; refused, it comes back with all that was written.
#[tokio::test]
async fn a_post_is_written_and_nothing_of_it_is_lost() {
    let client = Client::new().await;
    let part =
        |name: &str, value: &str| format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
    let file = |content: &str| {
        format!("--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"x.png\"\r\n\r\n{content}\r\n")
    };
    let body = [
        part("title", "A <title>"),
        part("content", "line one\r\nline two"),
        part("types", "BOOKS"),
        part("types", "NEWS"),
        part("key", "k-1"),
        file(""),
        part("alt", ""),
        file("bytes"),
        part("alt", "a leaf"),
        part("comments", "CONNECTIONS"),
        part("status", "POSTED"),
        "--b--\r\n".to_owned(),
    ]
    .concat();
    let headers = [
        ("cookie", "web_access=good"),
        ("sec-fetch-site", "same-origin"),
        ("content-type", "multipart/form-data; boundary=b"),
    ];
    let answer = client.ask(Method::POST, "/compose", &headers, &body).await;
    let to = format!("/posts/{ID}?done=posted");
    assert_eq!((answer.status, answer.header("location")), (StatusCode::SEE_OTHER, to.as_str()), "{}", answer.text);
    let call = client.stub.calls("POST /posts").pop().unwrap();
    let sent = json!({
        "title": "A <title>", "content": "line one\nline two", "types": ["BOOKS", "NEWS"], "status": "POSTED",
        "media": [ID], "comments": "CONNECTIONS",
    });
    assert_eq!((call.body, &call.headers["idempotency-key"]), (sent, &"k-1".parse().unwrap()));
    assert_eq!(client.stub.calls("POST /media").len(), 1, "a field without a file is none");

    client.stub.answer("POST /posts", 422, json!({ "detail": [{ "loc": ["body", "content"], "msg": "too odd" }] }));
    client.stub.answer("GET /posts/category-choices", 200, json!(["BOOKS", "SPORTS"]));
    let refused = client.ask(Method::POST, "/compose", &headers, &body).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    for kept in [
        "content: too odd",
        "value=\"A &#60;title&#62;\"",
        ">line one\nline two</textarea>",
        "value=\"BOOKS\" checked",
        &format!("name=\"media\" value=\"{ID}\" checked"),
        "value=\"CONNECTIONS\" selected",
    ] {
        assert!(refused.text.contains(kept), "{kept} is not in {}", refused.text);
    }
}

/// A draft is scheduled in UTC, and an empty field takes its time back; what is published at once has no time.
#[tokio::test]
async fn a_draft_is_scheduled() {
    let client = Client::new().await;
    let send = async |status: &str, time: &str| {
        let part = |name: &str, value: &str| {
            format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
        };
        let body = part("content", "Later") + &part("status", status) + &part("publish_at", time) + "--b--\r\n";
        let headers = [
            ("cookie", "web_access=good"),
            ("sec-fetch-site", "same-origin"),
            ("content-type", "multipart/form-data; boundary=b"),
        ];
        let answer = client.ask(Method::POST, "/compose", &headers, &body).await;
        let sent = client.stub.calls("POST /posts").pop().unwrap().body;
        (answer.header("location").rsplit('=').next().unwrap_or_default().to_owned(), sent)
    };
    let (_, scheduled) = send("DRAFT", "2026-12-24T18:00").await;
    assert_eq!(scheduled["publish_at"], json!("2026-12-24T18:00:00Z"));
    let written = json!({ "id": ID, "publish_at": "2026-12-24T18:00:00Z" });
    client.stub.answer("POST /posts", 201, written);
    assert_eq!(send("DRAFT", "2026-12-24T18:00").await.0, "scheduled");
    client.stub.answer("POST /posts", 201, json!({ "id": ID, "publish_at": null }));
    let (done, draft) = send("DRAFT", "").await;
    assert_eq!((done.as_str(), &draft["publish_at"]), ("saved", &json!(null)));
    assert!(draft.as_object().unwrap().contains_key("publish_at"), "null takes the time back");
    let (done, posted) = send("POSTED", "2026-12-24T18:00").await;
    assert_eq!((done.as_str(), posted.as_object().unwrap().contains_key("publish_at")), ("posted", false));
    assert_eq!(client.stub.undocumented(), Vec::<String>::new());
}

/// A comment is written under a key, a reply under its parent; refused, it stands in its field again.
#[tokio::test]
async fn comments_and_replies_are_written() {
    let client = Client::new().await;
    let path = format!("/posts/{ID}/comments");
    let answer = client.post(&path, "content=Well+said&key=k").await;
    assert_eq!(answer.header("location"), format!("/posts/{ID}#c-{ID}"));
    let reply = client.post(&path, &format!("content=And+so&reply_to={ID}")).await;
    assert_eq!(reply.header("location"), format!("/comments/{ID}#c-{ID}"));
    let calls = client.stub.calls(&format!("POST /{ID}/comments"));
    assert_eq!(calls[0].body, json!({ "content": "Well said" }));
    assert_eq!(calls[1].body, json!({ "content": "And so", "reply_to": ID }));
    client.stub.answer(&format!("POST /{ID}/comments"), 403, json!({ "detail": "Only connections can comment" }));
    let refused = client.post(&path, "content=Kept+%3Cb%3E").await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert!(
        refused.text.contains("Only connections can comment") && refused.text.contains("Kept &#60;b&#62;</textarea>")
    );
}

/// A reaction is set, changed and taken back by one call each, as a page and as a part of one.
#[tokio::test]
async fn a_reaction_is_set_changed_and_taken_back() {
    let client = Client::new().await;
    let (path, mine) = (format!("/posts/{ID}/react"), format!("/{ID}/post-reactions/mine"));
    let first = client.post(&path, "type=LOVE&next=%2Fexplore").await;
    assert_eq!((first.status, first.header("location")), (StatusCode::SEE_OTHER, "/explore"));
    client.post(&path, "type=SAD").await;
    let sent: Vec<_> = client.stub.calls(&format!("PUT {mine}")).into_iter().map(|call| call.body).collect();
    assert_eq!(sent, [json!({ "type": "LOVE" }), json!({ "type": "SAD" })]);
    let counted = json!({ "post_id": ID, "total": 3, "types": [], "mine": "SAD", "people": [] });
    let summary = format!("GET /{ID}/post-reactions/summary");
    client.stub.answer(&summary, 200, counted);
    let headers = [("cookie", "web_access=good"), ("sec-fetch-site", "same-origin"), ("hx-request", "true")];
    let part = client.ask(Method::POST, &path, &headers, "type=SAD").await;
    assert!(part.text.starts_with("<div class=\"actions\"") && part.text.contains("3 reactions"), "{}", part.text);
    assert_eq!(part.text.matches("name=\"take_back\"").count(), 1, "the reaction that is set takes itself back");
    assert_eq!(part.text.matches("name=\"type\"").count(), 5, "the others change it: {}", part.text);
    client.stub.forget();
    client.post(&path, "take_back=yes").await;
    assert_eq!(client.stub.calls(&format!("DELETE {mine}")).len(), 1);
    assert_eq!(client.stub.calls(&summary).len() + client.stub.calls(&format!("GET /{ID}/post-reactions")).len(), 0);
    assert_eq!(client.post(&path, "type=NONE").await.status, StatusCode::BAD_REQUEST);
    assert_eq!(client.stub.undocumented(), Vec::<String>::new());
}

/// What one does about a person calls what it says, and leads back.
#[tokio::test]
async fn people_are_connected_blocked_and_muted() {
    let client = Client::new().await;
    for (verb, call) in [
        ("connect", format!("POST /users/{ID}/connect")),
        ("disconnect", format!("DELETE /users/{ID}/disconnect")),
        ("block", format!("POST /users/{ID}/block")),
        ("unblock", format!("DELETE /users/{ID}/block")),
        ("mute", format!("POST /me/mutes/{ID}")),
        ("unmute", format!("DELETE /me/mutes/{ID}")),
    ] {
        let answer = client.post(&format!("/users/{ID}/{verb}"), "next=%2Fconnect").await;
        assert_eq!((answer.status, answer.header("location")), (StatusCode::SEE_OTHER, "/connect"), "{verb}");
        assert_eq!(client.stub.calls(&call).len(), 1, "{call}");
    }
    assert_eq!(client.post(&format!("/users/{ID}/promote"), "").await.status, StatusCode::NOT_FOUND);
}

/// Settings, reports, appeals and decisions send what their documents know.
#[tokio::test]
async fn the_other_forms_send_what_the_documents_know() {
    let client = Client::new().await;
    let decide = format!("/moderation/POST/{ID}/decide");
    let forms = [
        ("/settings", "username=ada&bio=&interests=BOOKS&show_age=yes"),
        ("/settings/password", "current=a&new=b"),
        (
            "/settings/notifications",
            "kinds=USER_MENTIONED&in_app=USER_MENTIONED&mail-USER_MENTIONED=DIGEST&time_zone=UTC&digest_hour=7",
        ),
        ("/report", &format!("type=POST&id={ID}&reason=SPAM_COMMERCIAL&text=")),
        (&format!("/decisions/{ID}/appeal"), "text=No"),
        (&decide, "action=MUTE&time=hours&hours=24&reason=HARASSMENT_INSULT&public_note=Please"),
        (&format!("/moderation/appeals/{ID}"), "outcome=UPHELD&note=It+stays"),
        ("/moderation/next", ""),
        ("/notifications/read", "up_to=2026-11-20T12:00:00Z"),
        (&format!("/posts/{ID}/bookmark"), "next=%2F"),
        (&format!("/posts/{ID}/unbookmark"), "next=%2Fbookmarks"),
        ("/signup", "email=a%40b.example&password=a+long+walk&interests=BOOKS"),
        ("/activate", "token=t"),
        ("/reset-password", "token=t&password=p"),
        ("/forgot-password", "email=a%40b.example"),
        ("/undo-change", "token=t"),
        ("/appeal", "token=t&text=It+was+not+me"),
    ];
    for (path, form) in forms {
        let status = client.post(path, form).await.status;
        assert!(status == StatusCode::SEE_OTHER || status == StatusCode::OK, "{path}: {status}");
    }
    assert_eq!(client.stub.undocumented(), Vec::<String>::new());
    let profile = client.stub.calls("PATCH /users/me").pop().unwrap().body;
    assert_eq!(
        (&profile["username"], &profile["bio"], &profile["show_age"]),
        (&json!("ada"), &json!(null), &json!(true))
    );
    let path = format!("POST /moderation/subjects/POST/{ID}/decisions");
    let decision = client.stub.calls(&path).pop().unwrap().body;
    assert_eq!(decision["actions"], json!([{ "action": "MUTE", "hours": 24 }]));
    let kinds = client.stub.calls("PATCH /me/notification-preferences").pop().unwrap().body;
    assert_eq!(kinds["types"], json!({ "USER_MENTIONED": { "in_app": true, "mail": "DIGEST" } }));
}

/// All are marked as read up to the last change that the page showed, and up to a time where the API counts no changes.
#[tokio::test]
async fn all_are_read_up_to_what_the_page_showed() {
    let client = Client::new().await;
    let noted = |change: serde_json::Value, second: u8| {
        json!({ "id": ID, "type": "USER_MENTIONED", "text": "Ada mentioned you", "viewed_at": null, "change": change,
            "updated_at": format!("2026-11-20T12:00:0{second}Z") })
    };
    for (items, shown, sent) in [
        (json!([noted(json!(41), 5), noted(json!(43), 2)]), "43", json!({ "up_to_change": 43 })),
        (
            json!([noted(json!(null), 5), noted(json!(null), 2)]),
            "2026-11-20T12:00:05.000000Z",
            json!({ "up_to": "2026-11-20T12:00:05.000000Z" }),
        ),
    ] {
        client.stub.answer("GET /me/notifications", 200, items);
        let page = client.get("/notifications").await.text;
        assert!(page.contains(&format!("name=\"up_to\" value=\"{shown}\"")), "{shown} is not in {page}");
        client.post("/notifications/read", &format!("up_to={shown}")).await;
        assert_eq!(client.stub.calls("POST /me/notifications/view").pop().unwrap().body, sent);
    }
    assert_eq!(client.stub.undocumented(), Vec::<String>::new());
}

/// A form that is too long, or is none, is refused with a page.
#[tokio::test]
async fn what_is_no_form_is_refused() {
    let client = Client::new().await;
    let long = format!("content={}", "a".repeat(200 << 10));
    assert_eq!(client.post(&format!("/posts/{ID}/comments"), &long).await.status, StatusCode::PAYLOAD_TOO_LARGE);
    let headers = [("cookie", "web_access=good"), ("sec-fetch-site", "same-origin"), ("content-type", "text/plain")];
    let plain = client.ask(Method::POST, "/signin", &headers, "email=a").await;
    assert_eq!(plain.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    assert!(plain.text.contains("<h1>"), "it is a page: {}", plain.text);
    let none = client.post("/compose", "content=a").await;
    assert!(none.status.is_client_error() && none.text.contains("<h1>"), "{}", none.status);
}

/// The choice of language and colours is kept in cookies, and nothing else is.
#[tokio::test]
async fn choices_are_kept() {
    let client = Client::new().await;
    let answer = client.post("/choices", "language=de&theme=dark&next=%2Fexplore").await;
    assert_eq!(answer.header("location"), "/explore");
    let kept = [
        "language=de; Path=/; Max-Age=31536000; HttpOnly; SameSite=Lax",
        "theme=dark; Path=/; Max-Age=31536000; HttpOnly; SameSite=Lax",
    ];
    assert_eq!(answer.cookies(), kept);
    assert_eq!(client.post("/choices", "language=%3Cb%3E&theme=x").await.cookies(), Vec::<&str>::new());
    let page = client.ask(Method::GET, "/signin", &[("cookie", "language=de; theme=dark")], "").await.text;
    assert!(page.contains("<html lang=\"de\" dir=\"ltr\" data-theme=\"dark\">") && page.contains("Anmelden"), "{page}");
}
