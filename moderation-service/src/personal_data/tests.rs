//! The export and the erasure of a user's data.
use serde_json::{Value, json};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use uuid::Uuid;

use super::{PERSONAL_DATA, USER_ERASED};
use crate::SERVICE;
use crate::core::testing::{Platform, new_user};
use crate::decisions::events::COMMENT_DELETE_REQUESTED;
use crate::decisions::events::MODERATION_NOTICE;
use crate::decisions::tests::{decide, new_content, new_moderator, subject};
use crate::moderations::events::COMMENT_CREATED;
use crate::reports::tests::close_reports;
use crate::subjects::SubjectType;

#[sqlx::test(migrations = false)]
async fn a_deleted_users_data_is_exported_before_and_gone_after(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = Platform::start(&SERVICE, database, &["--moderation-model", "off"]).await;
    let ((_, her), (bert, him)) = (new_user(), new_user());
    for (author, words) in [(her, "Annasword: kill yourself"), (him, "Bertsword: kill yourself")] {
        let at = "2026-11-20T12:00:00+00:00";
        let comment = json!({ "id": Uuid::now_v7(), "created_at": at, "created_by": author, "updated_at": at,
            "updated_by": null, "post_id": Uuid::now_v7(), "content": words });
        platform.consume(COMMENT_CREATED, &comment).await;
    }
    platform.published(COMMENT_DELETE_REQUESTED).await;
    let places = [
        "moderation.content",
        "moderation.moderation",
        "moderation.outbox",
        "moderation_post_comment_delete_requested",
    ];
    assert_eq!(platform.finds("Annasword").await, places);
    let held = platform.personal_data_of(her, "moderations").await;
    assert_eq!((held.len(), &held[0]["raw_content"]["content"]), (1, &json!("Annasword: kill yourself")));

    platform.consume("user_deleted", &json!({ "id": her, "deleted_at": "2026-11-20T12:00:00+00:00" })).await;
    platform.erase(her).await;
    assert_eq!(platform.finds("Annasword").await, [""; 0]);
    assert_eq!(platform.finds("Bertsword").await, places);
    assert_eq!(platform.published(USER_ERASED).await, [json!({ "user_id": her })]);
    let cases = platform.call("GET", "/me/moderations", Some(&bert), None).await;
    assert_eq!(cases.body.as_array().unwrap().len(), 1);
}

#[sqlx::test(migrations = false)]
async fn decisions_appeals_and_strikes_are_exported_and_the_ledger_loses_words(
    _: PgPoolOptions,
    database: PgConnectOptions,
) {
    let platform = Platform::start(&SERVICE, database, &["--moderation-model", "off"]).await;
    let ((anna, her), (bert, him), (moderator, their)) = (new_user(), new_user(), new_moderator());
    let (hers, his) =
        (new_content(&platform, SubjectType::Post, her).await, new_content(&platform, SubjectType::Post, him).await);
    for (post, author, word) in [(hers, &anna, "Annasword"), (his, &bert, "Bertsword")] {
        let body = json!({ "actions": [{ "action": "HIDE" }], "reason": "HATE_SLUR", "internal_note": "Moderatorsword",
            "public_note": format!("{word} is a slur.") });
        let made = decide(&platform, &moderator, post, body).await;
        let path = format!("/me/moderation/decisions/{}/appeal", made.body["id"].as_str().unwrap());
        let appeal = json!({ "text": format!("{word} is a quotation.") });
        assert_eq!(platform.call("POST", &path, Some(author), Some(appeal)).await.status, 201);
    }
    platform.published(MODERATION_NOTICE).await;
    let places =
        ["moderation.appeal", "moderation.decision", "moderation.ledger", "moderation.outbox", "moderation_notice"];
    assert_eq!(platform.finds("Annasword").await, places);
    // The warning of the ladder is a decision as well.
    let decisions = platform.personal_data_of(her, "decisions").await;
    assert_eq!((decisions.len(), &decisions[1]["public_note"]), (2, &json!("Annasword is a slur.")));
    let appeals = platform.personal_data_of(her, "appeals").await;
    assert_eq!((appeals.len(), &appeals[0]["text"]), (1, &json!("Annasword is a quotation.")));
    let strikes = platform.personal_data_of(her, "strikes").await;
    assert_eq!((strikes.len(), &strikes[0]["weight"]), (1, &json!(2)));
    let exported = json!([decisions, appeals, strikes]).to_string();
    assert!(!exported.contains(&their.to_string()) && !exported.contains("Moderatorsword"), "{exported}");

    platform.erase(her).await;
    assert_eq!(platform.finds("Annasword").await, [""; 0]);
    assert_eq!(platform.finds("Bertsword").await, places);
    for kind in ["decisions", "appeals", "strikes"] {
        assert_eq!(platform.personal_data_of(her, kind).await, [json!(null); 0], "{kind}");
    }
    let verified = platform.call("GET", "/moderation/log/verify", Some(&moderator), None).await;
    assert_eq!(verified.body["valid"], true, "the chain holds without the words: {verified:?}");

    // A moderator who leaves takes the notes for other moderators along, and leaves what was stated to authors.
    assert_eq!(platform.finds("Moderatorsword").await, ["moderation.decision", "moderation.ledger"]);
    let before = subject(&platform, his).await;
    platform.erase(their).await;
    assert_eq!(platform.finds("Moderatorsword").await, [""; 0]);
    assert_eq!(subject(&platform, his).await, before);
    let statements = platform.call("GET", "/me/moderation/decisions", Some(&bert), None).await;
    assert_eq!(statements.body[1]["facts"], "Bertsword is a slur.");
}

/// Whatever moderators do, no answer to a user, no export and no event has the id of one.
#[sqlx::test(migrations = false)]
async fn no_moderator_is_named_to_users(_: PgPoolOptions, database: PgConnectOptions) {
    let settings = ["--moderation-model", "off", "--public-log", "on"];
    let platform = Platform::start(&SERVICE, database, &settings).await;
    let ((anna, her), (bert, him)) = (new_user(), new_user());
    let staff = [(); 4].map(|()| new_moderator());
    let [first, second, third, fourth] = staff.each_ref().map(|(token, _)| token.as_str());
    let call = async |token: &str, method: &str, path: String, body: Value| {
        let reply = platform.call(method, &path, Some(token), Some(body)).await;
        assert!(reply.status.is_success(), "{method} {path}: {reply:?}");
        reply.body
    };
    let id = |made: &Value| made["id"].as_str().unwrap().to_owned();
    let post = new_content(&platform, SubjectType::Post, her).await;
    let of_post = |part: &str| format!("/moderation/subjects/POST/{}/{part}", post.id);
    let report = json!({ "subject_type": "POST", "subject_id": post.id, "reason": "VIOLENCE_THREAT" });
    call(&bert, "POST", "/reports".to_owned(), report).await;
    call(first, "POST", of_post("claim"), json!({})).await;
    call(first, "POST", of_post("notes"), json!({ "note": "Is it a quotation?" })).await;
    // The strike is one of weight 4, for which the ladder mutes.
    let decision = json!({ "actions": [{ "action": "HIDE" }, { "action": "LABEL", "label": "threat" }],
        "reason": "VIOLENCE_THREAT", "public_note": "It is a threat.", "internal_note": "It is none." });
    let hidden = id(&call(first, "POST", of_post("decisions"), decision).await);
    close_reports(&platform).await;
    let text = json!({ "text": "I quoted it." });
    let appeal = call(&anna, "POST", format!("/me/moderation/decisions/{hidden}/appeal"), text).await;
    let outcome = json!({ "outcome": "UPHELD", "note": "It stands." });
    call(second, "POST", format!("/moderation/appeals/{}/resolve", id(&appeal)), outcome).await;
    let later = json!({ "in_hours": 8, "actions": [{ "action": "LOCK" }], "reason": "OTHER_RULES" });
    call(third, "POST", of_post("scheduled-decisions"), later).await;
    call(fourth, "PUT", format!("/moderation/reporters/{him}/mute"), json!({ "muted": true, "note": "Enough." })).await;
    let note = json!({ "note": "It was a quotation." });
    call(third, "POST", format!("/moderation/decisions/{hidden}/reverse"), note).await;

    let check = |place: &str, text: String| {
        let named = staff.iter().any(|(_, id)| text.contains(&id.to_string()));
        assert!(!named, "{place}: {text}");
    };
    for (token, path) in [
        (&anna, "/me/moderation/decisions"),
        (&anna, "/me/appeals"),
        (&anna, "/me/moderations"),
        (&bert, "/me/reports"),
        (&bert, "/moderation/public-log"),
        (&bert, "/moderation/transparency"),
    ] {
        let reply = platform.call("GET", path, Some(token), None).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        assert_ne!(reply.body, json!([]), "{path}");
        check(path, reply.body.to_string());
    }
    for source in PERSONAL_DATA {
        for person in [her, him] {
            let held = platform.personal_data_of(person, source.name).await;
            check(source.name, json!(held).to_string());
        }
    }
    let mut events = 0;
    for stream in platform.app.publishes {
        let published = platform.published(stream).await;
        events += published.len();
        check(stream, json!(published).to_string());
    }
    assert!(events > 5, "{events} events");
    for (_, id) in &staff {
        let places = platform.finds(&id.to_string()).await;
        assert!(places.iter().any(|place| place.starts_with("moderation.")), "what they did is recorded: {places:?}");
    }
}
