//! Decisions, through their routes and their events.
use serde_json::{Value, json};
use sqlx::AssertSqlSafe;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use uuid::Uuid;

use super::events::{COMMENT_DELETE_REQUESTED, MODERATION_NOTICE, POST_DELETE_REQUESTED};
use super::{NewDecision, signals};
use crate::SERVICE;
use crate::core::testing::{Platform, Reply, new_user};
use crate::ledger::events::{CONTENT_LABELLED, MODERATION_DECIDED, USER_STATUS_CHANGED};
use crate::subjects::actions::Action;
use crate::subjects::changes::{Actor, Ended};
use crate::subjects::reasons::Reason;
use crate::subjects::state::Subject;
use crate::subjects::{SubjectKey, SubjectType};

pub async fn start(database: PgConnectOptions) -> Platform {
    Platform::start(&SERVICE, database, &[]).await
}

/// The token and the id of a new moderator.
pub fn new_moderator() -> (String, Uuid) {
    let (_, id) = new_user();
    (format!("{id}:ACTIVE:MODERATOR"), id)
}

/// A post or comment that the service knows.
pub async fn new_content(platform: &Platform, r#type: SubjectType, author: Uuid) -> SubjectKey {
    let id = Uuid::now_v7();
    let raw = json!({ "id": id, "created_by": author, "content": "Hello" });
    let insert = format!(
        "insert into content (id, version, type, author, text, raw, created_at)
        values ('{id}', now(), '{}', '{author}', 'Hello', '{raw}', now())",
        r#type.word()
    );
    sqlx::Executor::execute(&platform.app.db, AssertSqlSafe(insert)).await.unwrap();
    SubjectKey { r#type, id }
}

/// Waits until a statement waits for a lock of another transaction.
pub async fn until_one_waits(platform: &Platform) {
    let waiting = "select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
    for _ in 0..10_000 {
        if !sqlx::Executor::fetch_all(&platform.app.db, waiting).await.unwrap().is_empty() {
            return;
        }
    }
    panic!("no statement waits for a lock");
}

/// Lets a moderator decide.
pub async fn decide(platform: &Platform, moderator: &str, key: SubjectKey, decision: Value) -> Reply {
    let path = format!("/moderation/subjects/{}/{}/decisions", key.r#type.word(), key.id);
    platform.call("POST", &path, Some(moderator), Some(decision)).await
}

/// Lets a moderator decide, and returns the id of the decision.
pub async fn decided(platform: &Platform, moderator: &str, key: SubjectKey, actions: Value, reason: &str) -> Uuid {
    let reply = decide(platform, moderator, key, json!({ "actions": actions, "reason": reason })).await;
    assert_eq!(reply.status, 201, "{reply:?}");
    serde_json::from_value(reply.body["id"].clone()).unwrap()
}

/// Lets a machine decide.
pub async fn decided_by_machine(platform: &Platform, key: SubjectKey, author: Uuid, action: Action) -> Uuid {
    let decision = NewDecision {
        key,
        author,
        actor: Actor::Machine,
        actions: vec![action],
        reason: Reason::HateSlur,
        policy: None,
        analysis: Some(Uuid::now_v7()),
        means: None,
        internal_note: None,
        public_note: None,
        hours: None,
        strikes: None,
        abusive: false,
        seen: None,
    };
    let mut tx = platform.app.db.begin().await.unwrap();
    let decision = signals::decide(&mut tx, decision).await.unwrap();
    platform.app.commit(tx).await.unwrap();
    decision.id
}

/// The state of a subject.
pub async fn subject(platform: &Platform, key: SubjectKey) -> Subject {
    Subject::find(&platform.app.db, key).await.unwrap().unwrap()
}

/// The visibility of a subject, as its word.
pub async fn visibility(platform: &Platform, key: SubjectKey) -> Value {
    json!(subject(platform, key).await.visibility)
}

/// The standing of a user, as its word.
pub async fn standing(platform: &Platform, user: Uuid) -> Value {
    json!(Subject::find(&platform.app.db, SubjectKey::user(user)).await.unwrap().map(|user| user.standing))
}

/// Some fields of an object.
pub fn fields(value: &Value, names: &[&str]) -> Value {
    names.iter().map(|name| ((*name).to_owned(), value[*name].clone())).collect::<serde_json::Map<_, _>>().into()
}

#[sqlx::test(migrations = false)]
async fn a_moderator_hides_a_post_and_its_author_reads_why(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let ((anna, her), (moderator, their)) = (new_user(), new_moderator());
    let post = new_content(&platform, SubjectType::Post, her).await;
    let body = json!({
        "actions": [{ "action": "HIDE" }, { "action": "LABEL", "label": "bullying" }, { "action": "MUTE", "hours": 24 }],
        "reason": "HARASSMENT_BULLYING", "public_note": "Please argue without insults.", "internal_note": "Third time.",
    });
    let reply = decide(&platform, &moderator, post, body.clone()).await;
    assert_eq!(reply.status, 201, "{reply:?}");
    let shown = fields(&reply.body, &["subject_type", "subject_id", "author", "moderator", "actions", "internal_note"]);
    assert_eq!(
        shown,
        json!({ "subject_type": "POST", "subject_id": post.id, "author": her, "moderator": their,
            "actions": body["actions"], "internal_note": "Third time." })
    );

    let events = platform.published(MODERATION_DECIDED).await;
    let names = ["subject_type", "visibility", "previous_visibility", "labels", "version", "cause"];
    let events: Vec<Value> = events.iter().map(|event| fields(event, &names)).collect();
    let of_post = json!({ "subject_type": "POST", "visibility": "HIDDEN", "previous_visibility": "VISIBLE",
        "labels": ["bullying"], "version": 1, "cause": "DECIDED" });
    let of_account = json!({ "subject_type": "USER", "visibility": "VISIBLE", "previous_visibility": "VISIBLE",
        "labels": [], "version": 1, "cause": "DECIDED" });
    assert_eq!(events, [of_post, of_account]);
    let status = &platform.published(USER_STATUS_CHANGED).await[0];
    let names = ["user_id", "version", "status", "reason", "decision_id", "until"];
    let expected = json!({ "user_id": her, "version": 1, "status": "MUTED", "reason": "HARASSMENT_BULLYING",
        "decision_id": reply.body["id"], "until": reply.body["standing_until"] });
    assert_eq!(fields(status, &names), expected);
    assert_eq!(platform.published(CONTENT_LABELLED).await[0]["labels"], json!(["bullying"]));
    let request = &platform.published(POST_DELETE_REQUESTED).await[0];
    let names = ["created_by", "type", "content_id", "status", "reason", "decision_version"];
    let expected = json!({ "created_by": null, "type": "POST", "content_id": post.id, "status": "DELETE_REQUESTED",
        "reason": "OFFENSIVE_CONTENT", "decision_version": 1 });
    assert_eq!(fields(request, &names), expected);
    assert_eq!(request["raw_content"]["content"], "Hello");

    let notices = platform.published(MODERATION_NOTICE).await;
    assert_eq!(notices[0]["kind"], "STATEMENT");
    assert_eq!(notices[0]["title"], "Your post was hidden");
    assert_eq!(notices[0]["user_id"], json!(her));
    let text = notices[0]["text"].as_str().unwrap();
    for part in
        ["it bullies somebody (HARASSMENT_BULLYING)", "A moderator has decided", "without insults", "appeal until"]
    {
        assert!(text.contains(part), "{text}");
    }
    let statements = platform.call("GET", "/me/moderation/decisions", Some(&anna), None).await;
    let statement = &statements.body[1];
    let names = ["decision_id", "territorial_scope", "facts", "reason", "family", "automated_decision", "appeal"];
    let expected = json!({ "decision_id": reply.body["id"], "territorial_scope": "EVERYWHERE",
        "facts": "Please argue without insults.", "reason": "HARASSMENT_BULLYING", "family": "HARASSMENT",
        "automated_decision": false, "appeal": null });
    assert_eq!(fields(statement, &names), expected);
    assert_eq!(statement["text"], notices[0]["text"]);

    // Who has decided is in nothing that users or other services read.
    let cases = platform.call("GET", "/me/moderations", Some(&anna), None).await;
    assert_eq!(cases.body[0]["content_id"], json!(post.id));
    let mut read = vec![statements.body.to_string(), cases.body.to_string()];
    for stream in SERVICE.publishes {
        read.extend(platform.published(stream).await.iter().map(Value::to_string));
    }
    assert_eq!(read.iter().filter(|text| text.contains(&their.to_string())).count(), 0, "{read:?}");
    assert_eq!(read.iter().filter(|text| text.contains("Third time")).count(), 0, "{read:?}");

    let other = platform.call("GET", "/me/moderation/decisions", Some(&new_user().0), None).await;
    assert_eq!(other.body, json!([]));
    let path = format!("/moderation/decisions/{}", reply.body["id"].as_str().unwrap());
    assert_eq!(platform.call("GET", &path, Some(&moderator), None).await.body, reply.body);
    assert_eq!(platform.call("GET", &path, Some(&anna), None).await.status, 403);
}

#[sqlx::test(migrations = false)]
async fn what_a_decision_cannot_be_is_refused(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let ((_, her), (moderator, their)) = (new_user(), new_moderator());
    let post = new_content(&platform, SubjectType::Post, her).await;
    let wrong = [
        (json!({ "actions": [], "reason": "HATE_SLUR" }), json!(["body", "actions"])),
        (json!({ "actions": [{ "action": "BURN" }], "reason": "HATE_SLUR" }), json!(["body", "actions", 0])),
        (
            json!({ "actions": [{ "action": "HIDE" }, { "action": "LIMIT" }], "reason": "HATE_SLUR" }),
            json!(["body", "actions"]),
        ),
        (
            json!({ "actions": [{ "action": "RESTORE" }, { "action": "WARN" }], "reason": "HATE_SLUR" }),
            json!(["body", "actions"]),
        ),
        (
            json!({ "actions": [{ "action": "MUTE", "hours": 1 }, { "action": "BAN" }], "reason": "HATE_SLUR" }),
            json!(["body", "actions"]),
        ),
        (
            json!({ "actions": [{ "action": "MUTE", "hours": 0 }], "reason": "HATE_SLUR" }),
            json!(["body", "actions", 0]),
        ),
        (
            json!({ "actions": [{ "action": "REQUIRE_APPROVAL" }], "reason": "SPAM_LINK" }),
            json!(["body", "actions", 0]),
        ),
        (
            json!({ "actions": [{ "action": "REQUIRE_APPROVAL", "hours": 9_000 }], "reason": "SPAM_LINK" }),
            json!(["body", "actions", 0]),
        ),
        (
            json!({ "actions": [{ "action": "LABEL", "label": "Two words" }], "reason": "HATE_SLUR" }),
            json!(["body", "actions", 0]),
        ),
        (json!({ "actions": [{ "action": "HIDE" }] }), json!(["body", "reason"])),
        (json!({ "actions": [{ "action": "HIDE" }], "reason": "BAD_TASTE" }), json!(["body", "reason"])),
        (json!({ "actions": [{ "action": "HIDE" }], "reason": "HATE_SLUR", "hours": 0 }), json!(["body", "hours"])),
        (json!({ "actions": [{ "action": "HIDE" }], "reason": "HATE_SLUR", "policy": 1 }), json!(["body", "policy"])),
    ];
    for (body, place) in wrong {
        let reply = decide(&platform, &moderator, post, body.clone()).await;
        assert_eq!((reply.status.as_u16(), &reply.body["detail"][0]["loc"]), (422, &place), "{body}: {reply:?}");
    }
    let hide = json!({ "actions": [{ "action": "HIDE" }], "reason": "HATE_SLUR" });
    assert_eq!(
        decide(&platform, &moderator, SubjectKey::user(her), hide.clone()).await.status,
        422,
        "a user is no content"
    );
    let comment = new_content(&platform, SubjectType::Comment, her).await;
    let picture = new_content(&platform, SubjectType::Media, her).await;
    for (key, action) in [
        (comment, json!({ "action": "LOCK" })),
        (SubjectKey::user(her), json!({ "action": "LOCK" })),
        (comment, json!({ "action": "LIMIT" })),
        (picture, json!({ "action": "LIMIT" })),
        (picture, json!({ "action": "LABEL", "label": "graphic" })),
    ] {
        let body = json!({ "actions": [action], "reason": "OTHER_RULES" });
        assert_eq!(decide(&platform, &moderator, key, body).await.status, 422, "{key:?}: {action} has no effect");
    }
    let approval = json!({ "actions": [{ "action": "HIDE" }], "reason": "OTHER_APPROVAL" });
    let refused = decide(&platform, &moderator, post, approval).await;
    assert_eq!((refused.status.as_u16(), &refused.body["detail"][0]["loc"]), (422, &json!(["body", "reason"])));
    let unknown = SubjectKey { r#type: SubjectType::Post, id: Uuid::now_v7() };
    assert_eq!(decide(&platform, &moderator, unknown, hide.clone()).await.status, 404);
    let own = new_content(&platform, SubjectType::Comment, their).await;
    assert_eq!(decide(&platform, &moderator, own, hide.clone()).await.status, 403);
    assert_eq!(
        decide(
            &platform,
            &moderator,
            SubjectKey::user(their),
            json!({ "actions": [{ "action": "WARN" }], "reason": "HATE_SLUR" })
        )
        .await
        .status,
        403
    );
    assert_eq!(decide(&platform, &new_user().0, post, hide.clone()).await.status, 403);
    let path = format!("/moderation/subjects/planet/{}/decisions", post.id);
    let reply = platform.call("POST", &path, Some(&moderator), Some(hide)).await;
    assert_eq!((reply.status.as_u16(), &reply.body["detail"][0]["loc"]), (422, &json!(["path", "type"])));
    assert_eq!(Subject::find(&platform.app.db, post).await.unwrap(), None, "nothing has happened");
}

/// A lock is stated to the author and published to the other services, and ends as everything that a decision does.
#[sqlx::test(migrations = false)]
async fn a_moderator_locks_a_thread_for_a_time(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let ((_, her), (moderator, _)) = (new_user(), new_moderator());
    let post = new_content(&platform, SubjectType::Post, her).await;
    let lock = json!({ "actions": [{ "action": "LOCK" }], "reason": "HARASSMENT_INSULT", "hours": 24 });
    let reply = decide(&platform, &moderator, post, lock).await;
    assert_eq!(reply.status, 201, "{reply:?}");
    assert!(subject(&platform, post).await.locked);
    let path = format!("/moderation/subjects/POST/{}", post.id);
    assert_eq!(platform.call("GET", &path, Some(&moderator), None).await.body["state"]["locked"], true);
    let [notice] = &platform.published(MODERATION_NOTICE).await[..] else { panic!("one notice") };
    let title = notice["title"].as_str().unwrap();
    assert!(title.starts_with("Nobody can comment on your post any more until "), "{title}");

    let reverse = format!("/moderation/decisions/{}/reverse", reply.body["id"].as_str().unwrap());
    let note = json!({ "note": "They have calmed down." });
    assert_eq!(platform.call("POST", &reverse, Some(&moderator), Some(note)).await.status, 200);
    let decided = platform.published(MODERATION_DECIDED).await;
    let seen: Vec<_> = decided.iter().map(|event| (&event["visibility"], &event["locked"])).collect();
    assert_eq!(seen, [(&json!("VISIBLE"), &json!(true)), (&json!("VISIBLE"), &json!(false))]);
    assert_eq!(platform.published(POST_DELETE_REQUESTED).await, Vec::<Value>::new(), "nothing is hidden");
}

/// Approvals are asked for here alone: the account's own service learns of what restricts it, while both are in force and after.
#[sqlx::test(migrations = false)]
async fn approvals_restrict_no_account(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let ((_, her), (moderator, _)) = (new_user(), new_moderator());
    let approve = json!([{ "action": "REQUIRE_APPROVAL", "hours": 72 }]);
    let approving = decided(&platform, &moderator, SubjectKey::user(her), approve, "SPAM_LINK").await;
    assert_eq!(standing(&platform, her).await, "APPROVAL_REQUIRED");
    assert_eq!(platform.published(USER_STATUS_CHANGED).await, Vec::<Value>::new());
    let [notice] = &platform.published(MODERATION_NOTICE).await[..] else { panic!("one notice") };
    let title = notice["title"].as_str().unwrap();
    assert!(title.starts_with("What you publish is looked at before others see it until "), "{title}");

    let mute = json!([{ "action": "MUTE", "hours": 24 }]);
    let muting = decided(&platform, &moderator, SubjectKey::user(her), mute, "SPAM_LINK").await;
    assert_eq!(standing(&platform, her).await, "MUTED");
    for (decision, left) in [(muting, "APPROVAL_REQUIRED"), (approving, "ACTIVE")] {
        let reverse = format!("/moderation/decisions/{decision}/reverse");
        let note = json!({ "note": "A mistake." });
        assert_eq!(platform.call("POST", &reverse, Some(&moderator), Some(note)).await.status, 200);
        assert_eq!(standing(&platform, her).await, left);
    }
    let changed = platform.published(USER_STATUS_CHANGED).await;
    let shown: Vec<Value> = changed.iter().map(|event| fields(event, &["status", "decision_id", "version"])).collect();
    let muted = json!({ "status": "MUTED", "decision_id": muting, "version": 2 });
    assert_eq!(shown, [muted, json!({ "status": "ACTIVE", "decision_id": null, "version": 3 })]);
}

/// Only a person deletes for good.
#[sqlx::test(migrations = false)]
async fn a_machine_hides_at_most(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let (_, her) = new_user();
    let post = new_content(&platform, SubjectType::Post, her).await;
    for action in
        [Action::Remove, Action::Warn, Action::Mute { hours: 1 }, Action::Ban { hours: None }, Action::Restore]
    {
        let decision = NewDecision {
            key: post,
            author: her,
            actor: Actor::Machine,
            actions: vec![action],
            reason: Reason::SpamLink,
            policy: None,
            analysis: None,
            means: None,
            internal_note: None,
            public_note: None,
            hours: None,
            strikes: None,
            abusive: false,
            seen: None,
        };
        let mut tx = platform.app.db.begin().await.unwrap();
        assert!(signals::decide(&mut tx, decision).await.is_err());
        tx.rollback().await.unwrap();
    }
    decided_by_machine(&platform, post, her, Action::Hide).await;
    assert_eq!(visibility(&platform, post).await, "HIDDEN");
    assert_eq!(platform.published(MODERATION_DECIDED).await[0]["decision"]["automated"], true);
}

#[sqlx::test(migrations = false)]
async fn what_a_machine_holds_is_over_when_a_moderator_has_looked(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let ((_, her), (moderator, _)) = (new_user(), new_moderator());
    let (good, bad) = (
        new_content(&platform, SubjectType::Comment, her).await,
        new_content(&platform, SubjectType::Comment, her).await,
    );
    let mut holds = Vec::new();
    for comment in [good, bad] {
        holds.push(decided_by_machine(&platform, comment, her, Action::Hold).await);
        let held = subject(&platform, comment).await;
        assert_eq!((json!(held.visibility), json!(held.review)), (json!("HELD"), json!("OPEN")));
    }
    assert_eq!(platform.published(COMMENT_DELETE_REQUESTED).await.len(), 2);
    decided(&platform, &moderator, good, json!([{ "action": "ALLOW" }]), "OTHER_RULES").await;
    let hidden = decided(&platform, &moderator, bad, json!([{ "action": "HIDE" }]), "HATE_SLUR").await;
    assert_eq!(
        (visibility(&platform, good).await, visibility(&platform, bad).await),
        (json!("VISIBLE"), json!("HIDDEN"))
    );
    assert_eq!(json!(subject(&platform, good).await.review), "CLOSED");
    let mut ends = Vec::new();
    for hold in &holds {
        let path = format!("/moderation/decisions/{hold}");
        ends.push(platform.call("GET", &path, Some(&moderator), None).await.body["ended_by"].clone());
    }
    assert_eq!(ends, [json!("REVERSED"), json!("SUPERSEDED")], "the machine was wrong, and right");
    let notices = platform.published(MODERATION_NOTICE).await;
    let restored: Vec<_> = notices.iter().filter(|notice| notice["kind"] == "RESTORED").collect();
    assert_eq!(restored.len(), 1, "{notices:?}");
    assert_eq!(restored[0]["subject_id"], json!(good.id), "who was held back learns that it is over");
    assert_eq!(platform.published(COMMENT_DELETE_REQUESTED).await.len(), 2, "it was hidden already");
    let path = format!("/moderation/decisions/{hidden}/reverse");
    let reply = platform.call("POST", &path, Some(&moderator), Some(json!({ "note": "A quotation." }))).await;
    assert_eq!((reply.status.as_u16(), &reply.body["ended_by"]), (200, &json!("REVERSED")), "{reply:?}");
    assert_eq!(visibility(&platform, bad).await, "VISIBLE", "the hold does not come back");
    let reply = platform.call("POST", &path, Some(&moderator), Some(json!({ "note": "Again." }))).await;
    assert_eq!(reply.status, 409);
}

#[sqlx::test(migrations = false)]
async fn strikes_climb_the_ladder_and_come_down_again(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let ((_, her), (moderator, _)) = (new_user(), new_moderator());
    let strikes = async || {
        let path = format!("/moderation/users/{her}/strikes");
        platform.call("GET", &path, Some(&moderator), None).await.body
    };
    let mut made = Vec::new();
    // Weights 1, 2, 4 and 2: a warning at 1, a mute at 3, a longer one at 5 (7 reaches it), a ban at 8.
    for (reason, sum, status) in [
        ("HARASSMENT_INSULT", 1, json!("ACTIVE")),
        ("HATE_SLUR", 3, json!("MUTED")),
        ("VIOLENCE_THREAT", 7, json!("MUTED")),
        ("HARASSMENT_BULLYING", 9, json!("BANNED")),
    ] {
        let post = new_content(&platform, SubjectType::Post, her).await;
        made.push((post, decided(&platform, &moderator, post, json!([{ "action": "HIDE" }]), reason).await));
        assert_eq!((&strikes().await["sum"], standing(&platform, her).await), (&json!(sum), status), "{reason}");
    }
    let notices = platform.published(MODERATION_NOTICE).await;
    let kinds: Vec<_> = notices.iter().map(|notice| notice["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds.iter().filter(|kind| **kind == "WARNING").count(), 1, "{kinds:?}");
    // Two decisions about one post are one strike.
    decided(&platform, &moderator, made[0].0, json!([{ "action": "REMOVE" }]), "HARASSMENT_INSULT").await;
    assert_eq!(strikes().await["sum"], 9);
    let path = format!("/moderation/subjects/POST/{}", made[0].0.id);
    let author = platform.call("GET", &path, Some(&moderator), None).await.body["author"].clone();
    assert_eq!((&author["strikes"], &author["strike_weight"]), (&json!(4), &json!(9)), "the case says so, too");

    let end = async |decision: Uuid| {
        let path = format!("/moderation/decisions/{decision}/reverse");
        let reply = platform.call("POST", &path, Some(&moderator), Some(json!({ "note": "Wrong." }))).await;
        assert_eq!(reply.status, 200, "{reply:?}");
    };
    // Without the threat the sum is 5: the ban goes, and both mutes stay.
    end(made[2].1).await;
    assert_eq!((&strikes().await["sum"], standing(&platform, her).await), (&json!(5), json!("MUTED")));
    assert_eq!(subject(&platform, SubjectKey::user(her)).await.active.len(), 2);
    end(made[1].1).await;
    assert_eq!((&strikes().await["sum"], standing(&platform, her).await), (&json!(3), json!("MUTED")));
    assert_eq!(subject(&platform, SubjectKey::user(her)).await.active.len(), 1, "the mute of 3 strikes");
    end(made[3].1).await;
    assert_eq!((&strikes().await["sum"], standing(&platform, her).await), (&json!(1), json!("ACTIVE")));
    let listed = strikes().await;
    let revoked = listed["strikes"].as_array().unwrap().iter().filter(|strike| !strike["revoked_at"].is_null());
    assert_eq!(revoked.count(), 3);
    let statuses: Vec<Value> =
        platform.published(USER_STATUS_CHANGED).await.iter().map(|event| event["status"].clone()).collect();
    assert_eq!(statuses.last(), Some(&json!("ACTIVE")), "{statuses:?}");
}

/// That strikes grow old is no mistake of what they have led to.
#[sqlx::test(migrations = false)]
async fn a_ban_that_was_right_outlives_its_strikes(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let ((_, her), (moderator, _)) = (new_user(), new_moderator());
    let mut made = Vec::new();
    for reason in ["VIOLENCE_THREAT", "HARASSMENT_INSULT", "VIOLENCE_THREAT", "VIOLENCE_THREAT"] {
        let post = new_content(&platform, SubjectType::Post, her).await;
        made.push(decided(&platform, &moderator, post, json!([{ "action": "HIDE" }]), reason).await);
    }
    assert_eq!(standing(&platform, her).await, "BANNED");
    // All was 90 days ago, and the first strike another 100 days before, so that it counts no longer.
    for statement in [
        "update strike set at = at - interval '90 days', expires_at = expires_at - interval '90 days'".to_owned(),
        format!(
            "update strike set at = at - interval '100 days', expires_at = expires_at - interval '100 days'
            where decision = '{}'",
            made[0]
        ),
        "update decision set at = at - interval '90 days' where strikes is not null".to_owned(),
    ] {
        sqlx::Executor::execute(&platform.app.db, AssertSqlSafe(statement)).await.unwrap();
    }
    let path = format!("/moderation/users/{her}/strikes");
    assert_eq!(platform.call("GET", &path, Some(&moderator), None).await.body["sum"], 9);
    let reverse = async |decision: Uuid| {
        let path = format!("/moderation/decisions/{decision}/reverse");
        let reply = platform.call("POST", &path, Some(&moderator), Some(json!({ "note": "Wrong." }))).await;
        assert_eq!(reply.status, 200, "{reply:?}");
    };
    reverse(made[1]).await;
    assert_eq!(standing(&platform, her).await, "BANNED", "the three threats had led to it");
    reverse(made[2]).await;
    let left = subject(&platform, SubjectKey::user(her)).await;
    assert!(left.active.iter().all(|held| held.ruling.standing_until.is_some()), "two had not: {left:?}");
}

#[sqlx::test(migrations = false)]
async fn a_restore_ends_all_that_is_in_force(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let ((_, her), (moderator, _)) = (new_user(), new_moderator());
    let post = new_content(&platform, SubjectType::Post, her).await;
    decided_by_machine(&platform, post, her, Action::Hide).await;
    decided(
        &platform,
        &moderator,
        post,
        json!([{ "action": "LIMIT" }, { "action": "LABEL", "label": "spam" }]),
        "SPAM_LINK",
    )
    .await;
    decided(&platform, &moderator, post, json!([{ "action": "HIDE" }, { "action": "BAN" }]), "HATE_RACISM").await;
    assert_eq!((visibility(&platform, post).await, standing(&platform, her).await), (json!("HIDDEN"), json!("BANNED")));
    // The account alone: the post remains hidden.
    let account = SubjectKey::user(her);
    decided(&platform, &moderator, account, json!([{ "action": "RESTORE" }]), "OTHER_RULES").await;
    assert_eq!((visibility(&platform, post).await, standing(&platform, her).await), (json!("HIDDEN"), json!("ACTIVE")));
    decided(&platform, &moderator, post, json!([{ "action": "RESTORE" }]), "OTHER_RULES").await;
    let restored = subject(&platform, post).await;
    assert_eq!((json!(restored.visibility), restored.labels, restored.active), (json!("VISIBLE"), vec![], vec![]));
    let event = platform.published(MODERATION_DECIDED).await.pop().unwrap();
    let names = ["visibility", "previous_visibility", "labels", "cause", "decision"];
    let expected = json!({ "visibility": "VISIBLE", "previous_visibility": "HIDDEN", "labels": [], "cause": "RESTORED",
        "decision": null });
    assert_eq!(fields(&event, &names), expected);
    let path = format!("/moderation/users/{her}/strikes");
    assert_eq!(platform.call("GET", &path, Some(&moderator), None).await.body["sum"], 0);
}

/// Two replicas, or a moderator and the timer, may end the same decision at the same time.
#[sqlx::test(migrations = false)]
async fn a_decision_ends_once(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let (_, her) = new_user();
    let post = new_content(&platform, SubjectType::Post, her).await;
    let decision = decided_by_machine(&platform, post, her, Action::Hide).await;
    let end = async || {
        let mut tx = platform.app.db.begin().await.unwrap();
        let ended = signals::end(&mut tx, decision, Ended::Reversed, Actor::Operator(None)).await.unwrap();
        platform.app.commit(tx).await.unwrap();
        ended.is_some()
    };
    let (first, second) = tokio::join!(end(), end());
    assert_eq!(usize::from(first) + usize::from(second), 1);
    assert_eq!(subject(&platform, post).await.version, 2);
    let mut tx = platform.app.db.begin().await.unwrap();
    assert!(signals::end(&mut tx, Uuid::now_v7(), Ended::Reversed, Actor::Timer).await.unwrap().is_none());
}

/// A decision that names a policy names one that there is, in a version and with a rule that it has had.
#[sqlx::test(migrations = false)]
async fn a_decision_refers_to_a_rule_that_there_is(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let ((_, her), (moderator, _)) = (new_user(), new_moderator());
    let post = new_content(&platform, SubjectType::Post, her).await;
    let policy = |id: Value, version: i32, rule: &str| json!({ "id": id, "version": version, "rule": rule });
    let default = json!("019aa0c6-0000-7000-8000-000000000001");
    let body = |policy: &Value| json!({ "actions": [{ "action": "LIMIT" }], "reason": "SPAM_LINK", "policy": policy });
    for (policy, detail) in [
        (policy(json!(Uuid::now_v7()), 1, "spam"), "No such policy"),
        (policy(default.clone(), 99, "spam"), "The policy has no such version"),
        (policy(default.clone(), 1, "telepathy"), "The version of the policy has no such rule"),
    ] {
        let refused = decide(&platform, &moderator, post, body(&policy)).await;
        assert_eq!((refused.status.as_u16(), &refused.body["detail"]), (404, &json!(detail)), "{policy}");
        let mut bulk = body(&policy);
        bulk["subjects"] = json!([{ "type": "POST", "id": post.id }]);
        let refused = platform.call("POST", "/moderation/decisions/bulk", Some(&moderator), Some(bulk)).await;
        assert_eq!((refused.status.as_u16(), &refused.body["detail"]), (404, &json!(detail)), "{policy}");
    }
    assert_eq!(Subject::find(&platform.app.db, post).await.unwrap(), None, "nothing has happened");
    // Of a version of before as well: a decision may be about what was written then.
    for version in [1, 2] {
        let policy = policy(default.clone(), version, "spam");
        let reply = decide(&platform, &moderator, post, body(&policy)).await;
        assert_eq!((reply.status.as_u16(), &reply.body["policy"]), (201, &policy), "{reply:?}");
    }
}

/// By the histogram a ladder is tuned: how many users have which sum, and how many have reached each rung.
#[sqlx::test(migrations = false)]
async fn strikes_are_counted_by_their_sums(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let (moderator, _) = new_moderator();
    let histogram = async || {
        let reply = platform.call("GET", "/moderation/strikes/histogram", Some(&moderator), None).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        reply.body
    };
    assert_eq!((&histogram().await["users"], &histogram().await["sums"]), (&json!(0), &json!([])));
    // Weights 1, 1 and 4 about two posts: a sum of 1, 1 and 5.
    for reasons in [&["HARASSMENT_INSULT"][..], &["SPAM_LINK"][..], &["HARASSMENT_INSULT", "VIOLENCE_THREAT"][..]] {
        let (_, author) = new_user();
        for reason in reasons {
            let post = new_content(&platform, SubjectType::Post, author).await;
            decided(&platform, &moderator, post, json!([{ "action": "HIDE" }]), reason).await;
        }
    }
    let counted = histogram().await;
    assert_eq!(
        (&counted["users"], &counted["sums"]),
        (&json!(3), &json!([{ "sum": 1, "users": 2 }, { "sum": 5, "users": 1 }]))
    );
    let rungs = counted["rungs"].as_array().unwrap().iter();
    let rungs: Vec<_> = rungs.map(|rung| (rung["from"].as_i64().unwrap(), rung["users"].as_i64().unwrap())).collect();
    assert_eq!(rungs, [(1, 3), (3, 1), (5, 1), (8, 0), (12, 0)]);
    assert_eq!(counted["rungs"][1]["action"], json!({ "action": "MUTE", "hours": 24 }));
    assert_eq!(platform.call("GET", "/moderation/strikes/histogram", Some(&new_user().0), None).await.status, 403);
    // What grows old counts no longer.
    sqlx::Executor::execute(&platform.app.db, "update strike set expires_at = now()").await.unwrap();
    assert_eq!(histogram().await["users"], 0);
}
