//! The timer: what ends by itself, and what is removed for good.
use serde_json::{Value, json};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, Executor};
use uuid::Uuid;

use super::Removal;
use super::schedulers::{Timer, TimerLag};
use crate::core::ground::worker::{Outcome, Worker};
use crate::core::testing::counted::Counted;
use crate::core::testing::{Platform, new_user};
use crate::decisions::tests::{
    decide, decided, decided_by_machine, fields, new_content, new_moderator, standing, start, subject, visibility,
};
use crate::ledger::events::{MODERATION_DECIDED, USER_STATUS_CHANGED};
use crate::subjects::SubjectType;
use crate::subjects::actions::Action;

/// Runs the timer until nothing is left to do; how much it did.
async fn run(platform: &Platform) -> usize {
    let mut timer = Timer { app: platform.app.clone(), removal: Removal { remove_hidden_after_days: 30 } };
    let mut steps = 0;
    while timer.step().await.unwrap() == Outcome::Busy {
        steps += 1;
        assert!(steps < 50, "it does the same again and again");
    }
    steps
}

/// Lets hours pass for all decisions and subjects.
async fn pass(platform: &Platform, hours: i32) {
    let decisions = format!(
        "update decision set at = at - interval '{hours} hours', expires_at = expires_at - interval '{hours} hours',
            standing_until = standing_until - interval '{hours} hours', due_at = due_at - interval '{hours} hours'"
    );
    let subjects = format!("update subject set hidden_at = hidden_at - interval '{hours} hours'");
    platform.app.db.execute(AssertSqlSafe(decisions)).await.unwrap();
    platform.app.db.execute(AssertSqlSafe(subjects)).await.unwrap();
}

/// How far the timer lags, as operators see it.
async fn lag(platform: &Platform) -> f64 {
    let counted = Counted::begin();
    assert!(matches!(TimerLag(platform.app.clone()).step().await.unwrap(), Outcome::Idle(_)));
    let text = counted.text();
    let line = text.lines().find_map(|line| line.strip_prefix("moderation_timer_lag_seconds "));
    line.unwrap().parse().unwrap()
}

async fn ended_by(platform: &Platform, moderator: &str, decision: &Value) -> Value {
    let path = format!("/moderation/decisions/{}", decision.as_str().unwrap());
    platform.call("GET", &path, Some(moderator), None).await.body["ended_by"].clone()
}

#[sqlx::test(migrations = false)]
async fn each_part_of_a_decision_ends_in_its_time(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let ((_, her), (moderator, _)) = (new_user(), new_moderator());
    let post = new_content(&platform, SubjectType::Post, her).await;
    let body = json!({ "actions": [{ "action": "LIMIT" }, { "action": "MUTE", "hours": 24 }], "reason": "SPAM_LINK", "hours": 48 });
    let decision = decide(&platform, &moderator, post, body).await.body["id"].clone();
    assert_eq!(run(&platform).await, 0, "nothing is due");
    assert!(lag(&platform).await.abs() < f64::EPSILON, "so nothing lags");
    pass(&platform, 25).await;
    assert!((3_600.0..3_660.0).contains(&lag(&platform).await), "it was due an hour ago");
    assert_eq!(run(&platform).await, 1);
    assert!(lag(&platform).await.abs() < f64::EPSILON, "the rest is not due");
    assert_eq!(
        (visibility(&platform, post).await, standing(&platform, her).await),
        (json!("LIMITED"), json!("ACTIVE"))
    );
    assert_eq!(ended_by(&platform, &moderator, &decision).await, Value::Null, "half of it is in force");
    let status = platform.published(USER_STATUS_CHANGED).await.pop().unwrap();
    assert_eq!(
        fields(&status, &["status", "until", "version"]),
        json!({ "status": "ACTIVE", "until": null, "version": 2 })
    );

    // What is due is in the rows: a process that begins now ends the rest.
    let restarted = platform.beside(&[]);
    pass(&restarted, 24).await;
    assert_eq!(run(&restarted).await, 1);
    assert_eq!(visibility(&restarted, post).await, "VISIBLE");
    assert_eq!(ended_by(&restarted, &moderator, &decision).await, "EXPIRED");
    let event = restarted.published(MODERATION_DECIDED).await.pop().unwrap();
    assert_eq!(fields(&event, &["visibility", "cause"]), json!({ "visibility": "VISIBLE", "cause": "EXPIRED" }));
    assert_eq!(run(&restarted).await, 0);
}

#[sqlx::test(migrations = false)]
async fn two_timers_end_a_decision_once(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let ((_, her), (moderator, _)) = (new_user(), new_moderator());
    let post = new_content(&platform, SubjectType::Post, her).await;
    let body = json!({ "actions": [{ "action": "HIDE" }], "reason": "SEXUAL_NUDITY", "hours": 1 });
    assert_eq!(decide(&platform, &moderator, post, body).await.status, 201);
    pass(&platform, 2).await;
    let beside = platform.beside(&[]);
    tokio::join!(run(&platform), run(&beside));
    let ended = subject(&platform, post).await;
    assert_eq!((json!(ended.visibility), ended.version), (json!("VISIBLE"), 2));
}

#[sqlx::test(migrations = false)]
async fn hidden_content_is_removed_after_thirty_days_unless_an_appeal_is_open(
    _: PgPoolOptions,
    database: PgConnectOptions,
) {
    let platform = start(database).await;
    let ((anna, her), (first, _), (second, _)) = (new_user(), new_moderator(), new_moderator());
    let mut posts = Vec::new();
    for _ in 0..5 {
        posts.push(new_content(&platform, SubjectType::Post, her).await);
    }
    let [plain, appealed, held, passing, restored] = posts[..] else { panic!("five posts") };
    let hide = json!([{ "action": "HIDE" }]);
    decided(&platform, &first, plain, hide.clone(), "SPAM_LINK").await;
    let decision: Uuid = decided(&platform, &first, appealed, hide.clone(), "SPAM_LINK").await;
    decided_by_machine(&platform, held, her, Action::Hold).await;
    let body = json!({ "actions": hide, "reason": "SPAM_LINK", "hours": 8_000 });
    assert_eq!(decide(&platform, &first, passing, body).await.status, 201);
    decided(&platform, &first, restored, hide, "SPAM_LINK").await;
    decided(&platform, &second, restored, json!([{ "action": "RESTORE" }]), "OTHER_RULES").await;
    let path = format!("/me/moderation/decisions/{decision}/appeal");
    let appeal = platform.call("POST", &path, Some(&anna), Some(json!({ "text": "No." }))).await;
    assert_eq!(appeal.status, 201, "{appeal:?}");

    pass(&platform, 29 * 24).await;
    run(&platform).await;
    assert_eq!(visibility(&platform, plain).await, "HIDDEN");
    pass(&platform, 2 * 24).await;
    run(&platform).await;
    let mut seen = Vec::new();
    for post in [plain, appealed, held, passing, restored] {
        seen.push(visibility(&platform, post).await);
    }
    assert_eq!(json!(seen), json!(["REMOVED", "HIDDEN", "HELD", "HIDDEN", "VISIBLE"]));
    let event = platform.published(MODERATION_DECIDED).await.pop().unwrap();
    let names = ["subject_id", "visibility", "previous_visibility"];
    assert_eq!(
        fields(&event, &names),
        json!({ "subject_id": plain.id, "visibility": "REMOVED", "previous_visibility": "HIDDEN" })
    );

    // Once the appeal is rejected, it is removed as well; what is removed stays so when its decision is taken back.
    let path = format!("/moderation/appeals/{}/resolve", appeal.body["id"].as_str().unwrap());
    let upheld = json!({ "outcome": "UPHELD", "note": "It stands." });
    assert_eq!(platform.call("POST", &path, Some(&second), Some(upheld)).await.status, 200);
    assert_eq!(run(&platform).await, 1);
    assert_eq!(visibility(&platform, appealed).await, "REMOVED");
    let path = format!("/moderation/decisions/{decision}/reverse");
    let reply = platform.call("POST", &path, Some(&second), Some(json!({ "note": "After all." }))).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    assert_eq!(visibility(&platform, appealed).await, "REMOVED");
}
