//! Statistics, through their routes, and the export of labels.
use serde_json::{Value, json};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use uuid::Uuid;

use crate::SERVICE;
use crate::core::testing::{Platform, new_user};
use crate::reports::tests::{close_reports, decide, new_moderator, report, write_post};
use crate::stats::labels::export;
use crate::stats::signals::count_transparency;

/// Two decisions of a moderator, of which one is taken back; the ids of the two posts.
async fn some_work(platform: &Platform, moderator: &str) -> [Uuid; 2] {
    let author = new_user().1;
    let (bad, good) = (write_post(platform, author, "You fool").await, write_post(platform, author, "Dear fool").await);
    for post in [bad, good] {
        report(platform, &new_user().0, post, "HARASSMENT_INSULT").await;
    }
    decide(platform, moderator, bad, json!({ "action": "HIDE" })).await;
    let wrong = decide(platform, moderator, good, json!({ "action": "HIDE" })).await;
    let path = format!("/moderation/decisions/{}/reverse", wrong["id"].as_str().unwrap());
    let reversed = platform.call("POST", &path, Some(moderator), Some(json!({ "note": "Among friends." }))).await;
    assert!(reversed.status.is_success(), "{reversed:?}");
    close_reports(platform).await;
    [bad, good]
}

#[sqlx::test(migrations = false)]
async fn moderators_see_what_was_done_and_administrators_by_which_moderator(
    _: PgPoolOptions,
    database: PgConnectOptions,
) {
    let platform = Platform::start(&SERVICE, database, &[]).await;
    let (moderator, moderator_id) = new_moderator();
    some_work(&platform, &moderator).await;
    let post = write_post(&platform, new_user().1, "Waiting").await;
    report(&platform, &new_user().0, post, "SPAM_LINK").await;

    let stats = platform.call("GET", "/moderation/stats", Some(&moderator), None).await;
    assert_eq!(stats.status, 200, "{stats:?}");
    let stats = stats.body;
    assert_eq!((&stats["queue"]["open"], &stats["inbound"]["reports"]), (&json!(1), &json!(3)), "{stats}");
    assert_eq!(stats["inbound"]["agreed_reports"], 1, "the other decision was taken back: {stats}");
    let counted = |what: &str| json!({ "what": what, "manual": 2, "automated": 0, "taken_back": 1, "precision": 0.5 });
    assert_eq!(stats["decisions"], counted("all"));
    assert_eq!(stats["by_action"], json!([counted("HIDE")]));
    assert_eq!((&stats["action_rate"], &stats["by_moderator"]), (&json!(1.0), &Value::Null));
    assert!(
        stats["time_to_decision"]["median"].as_f64().is_some_and(|seconds| (0.0..60.0).contains(&seconds)),
        "{stats}"
    );

    let admin = format!("{}:ACTIVE:ADMIN", Uuid::now_v7());
    let stats = platform.call("GET", "/moderation/stats?days=1", Some(&admin), None).await.body;
    let of_moderator = &stats["by_moderator"][0];
    assert_eq!((&of_moderator["moderator"], &of_moderator["decisions"]), (&json!(moderator_id), &json!(2)), "{stats}");
    assert_eq!((&of_moderator["taken_back"], &of_moderator["precision"]), (&json!(1), &json!(0.5)), "{stats}");
    assert_eq!(platform.call("GET", "/moderation/stats?days=0", Some(&admin), None).await.status, 422);
    assert_eq!(platform.call("GET", "/moderation/stats", Some(&new_user().0), None).await.status, 403);
}

#[sqlx::test(migrations = false)]
async fn all_may_read_the_numbers_and_no_id_is_in_them(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = Platform::start(&SERVICE, database, &[]).await;
    let first = platform.call("GET", "/moderation/transparency", None, None).await;
    assert_eq!((first.status.as_u16(), &first.body["inbound"]["reports"]), (200, &json!(0)), "{first:?}");
    let (moderator, moderator_id) = new_moderator();
    let posts = some_work(&platform, &moderator).await;
    let stored = platform.call("GET", "/moderation/transparency", None, None).await;
    assert_eq!(stored.body, first.body, "they are counted now and then, not for each reader");
    count_transparency(&platform.app.db).await.unwrap();
    let numbers = platform.call("GET", "/moderation/transparency", None, None).await.body;
    assert_eq!((&numbers["inbound"]["reports"], &numbers["decisions"]["manual"]), (&json!(2), &json!(2)), "{numbers}");
    let text = numbers.to_string();
    assert!(posts.iter().chain([&moderator_id]).all(|id| !text.contains(&id.to_string())), "{text}");
    assert_eq!(platform.call("GET", "/moderation/public-log", None, None).await.status, 404, "it is off");
}

#[sqlx::test(migrations = false)]
async fn the_public_log_names_neither_moderators_nor_subjects(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = Platform::start(&SERVICE, database, &["--public-log", "on"]).await;
    let ((one, one_id), (other, other_id)) = (new_moderator(), new_moderator());
    let posts = some_work(&platform, &one).await;
    let post = write_post(&platform, new_user().1, "Fine").await;
    decide(&platform, &other, post, json!({ "action": "ALLOW" })).await;
    let log = platform.call("GET", "/moderation/public-log", None, None).await;
    assert_eq!(log.status, 200, "{log:?}");
    let entries = log.body.as_array().unwrap();
    let actions: Vec<_> = entries.iter().map(|entry| entry["actions"][0].as_str().unwrap()).collect();
    assert_eq!(actions, ["ALLOW", "HIDE", "HIDE"]);
    let by: Vec<_> = entries.iter().map(|entry| entry["moderator"].as_str().unwrap()).collect();
    assert!(by[1] == by[2] && by[0] != by[1] && by[0].len() == 12, "{by:?}");
    let text = log.body.to_string();
    assert!(posts.iter().chain([&post, &one_id, &other_id]).all(|id| !text.contains(&id.to_string())), "{text}");
    assert_eq!(entries[1]["ended_by"], "REVERSED");
}

#[sqlx::test(migrations = false)]
async fn decisions_are_exported_as_labels(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = Platform::start(&SERVICE, database, &[]).await;
    let (moderator, _) = new_moderator();
    some_work(&platform, &moderator).await;
    let author = new_user().1;
    let twice = [
        write_post(&platform, author, "One\ttwo\nthree").await,
        write_post(&platform, author, "One\ttwo\nthree").await,
    ];
    for (post, action) in twice.into_iter().zip(["HIDE", "ALLOW"]) {
        decide(&platform, &moderator, post, json!({ "action": action })).await;
    }
    let edited = write_post(&platform, author, "Edited since").await;
    decide(&platform, &moderator, edited, json!({ "action": "HIDE" })).await;
    let statement = format!("update content set version = now() + interval '1 hour' where id = '{edited}'");
    sqlx::Executor::execute(&platform.app.db, sqlx::AssertSqlSafe(statement)).await.unwrap();

    let mut table = Vec::new();
    assert_eq!(export(&platform.app, &mut table).await.unwrap(), 3);
    let table = String::from_utf8(table).unwrap();
    let mut rows: Vec<_> = table.lines().collect();
    assert_eq!(rows.remove(0), "text\tlabels");
    rows.sort_unstable();
    assert_eq!(rows, ["Dear fool\tclean", "One two three\tclean", "You fool\ttoxic"]);
}

/// The registry names the models that are loaded, with the figures of the very file, and those that have read before.
#[sqlx::test(migrations = false)]
async fn the_models_are_listed_with_their_figures(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = Platform::start(&SERVICE, database, &[]).await;
    let (moderator, _) = new_moderator();
    let before = "insert into analysis (id, content_type, content_id, author, content_hash, model_version, signals, verdict, severity)
        values (gen_random_uuid(), 'POST', gen_random_uuid(), gen_random_uuid(), sha256('x'), 'text-of-before', '{}', 'HIDE', 0.9)";
    sqlx::Executor::execute(&platform.app.db, before).await.unwrap();
    let models = async |token: &str, query: &str| {
        platform.call("GET", &format!("/moderation/models{query}"), Some(token), None).await
    };
    let listed = models(&moderator, "").await;
    assert_eq!(listed.status, 200, "{listed:?}");
    let [text, earlier] = &listed.body.as_array().unwrap()[..] else { panic!("{listed:?}") };
    assert_eq!((&text["role"], &text["work"], &text["in_shadow"]), (&json!("TEXT"), &Value::Null, &json!([])));
    assert!(text["version"].as_str().unwrap().starts_with("text-"), "{text}");
    assert_eq!(
        (&text["thresholds"]["hate"], &text["thresholds"]["toxic"]["hide"]),
        (&json!({ "label": 0.3, "hide": 0.821 }), &Value::Null)
    );
    assert!(text["figures"]["summary"]["sexism.edos.macro_f1"].as_f64().is_some_and(|figure| figure > 0.8), "{text}");
    assert_eq!((&earlier["version"], &earlier["role"]), (&json!("text-of-before"), &Value::Null));
    assert_eq!((&earlier["work"]["read"], &earlier["work"]["hidden"]), (&json!(1), &json!(1)), "{earlier}");
    assert_eq!(models(&new_user().0, "").await.status, 403);
    assert_eq!(models(&moderator, "?days=0").await.status, 422);
    // A model of a test has no report, and another file is none of its own.
    let other = platform.beside(&["--moderation-model", &crate::perspective::tests::model()]);
    let listed = other.call("GET", "/moderation/models", Some(&moderator), None).await.body;
    assert_eq!((&listed[0]["role"], &listed[0]["figures"]), (&json!("TEXT"), &Value::Null), "{listed}");
}
