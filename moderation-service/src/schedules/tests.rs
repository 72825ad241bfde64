//! Scheduled decisions, through their routes and the worker that makes them.
use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use axum::extract::Path;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use chrono::{TimeDelta, Utc};
use serde_json::{Value, json};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, Executor};
use uuid::Uuid;

use super::schedulers::ScheduledDecider;
use crate::SERVICE;
use crate::analyses::events::USER_UPDATED;
use crate::core::ground::worker::{Outcome, Worker};
use crate::core::testing::counted::Counted;
use crate::core::testing::{Platform, Reply, new_user};
use crate::decisions::tests::{
    decide, decided_by_machine, fields, new_content, new_moderator, standing, start, visibility,
};
use crate::expiry::schedulers::TimerLag;
use crate::ledger::events::MODERATION_DECIDED;
use crate::reports::tests::{close_reports, report};
use crate::strikes::services::Ladder;
use crate::subjects::actions::Action;
use crate::subjects::{SubjectKey, SubjectType};

async fn schedule(platform: &Platform, moderator: &str, key: SubjectKey, body: Value) -> Reply {
    let path = format!("/moderation/subjects/{}/{}/scheduled-decisions", key.r#type.word(), key.id);
    platform.call("POST", &path, Some(moderator), Some(body)).await
}

fn hide() -> Value {
    json!({ "in_hours": 8, "actions": [{ "action": "HIDE" }], "reason": "VIOLENCE_THREAT", "internal_note": "As agreed.",
        "public_note": "It threatens a neighbour." })
}

fn lock() -> Value {
    json!({ "in_hours": 8, "actions": [{ "action": "LOCK" }], "reason": "OTHER_RULES" })
}

/// The worker of a replica.
fn decider(platform: &Platform) -> ScheduledDecider {
    let strike_ladder = vec!["3:mute:24".parse().unwrap()];
    ScheduledDecider { app: platform.app.clone(), ladder: Ladder { strike_ladder, strike_days: 180 } }
}

/// Runs the worker until nothing is left to do; how much it did.
async fn run(platform: &Platform) -> usize {
    let (mut decider, mut steps) = (decider(platform), 0);
    while decider.step().await.unwrap() == Outcome::Busy {
        steps += 1;
    }
    steps
}

/// Lets hours pass.
async fn pass(platform: &Platform, hours: i32) {
    let passed = format!(
        "update scheduled_decision set due_at = due_at - interval '{hours} hours',
            next_attempt_at = next_attempt_at - interval '{hours} hours'"
    );
    platform.app.db.execute(AssertSqlSafe(passed)).await.unwrap();
}

/// For how long what is due has been due, in seconds, as operators see it.
async fn lag(platform: &Platform, counted: &Counted) -> f64 {
    TimerLag(platform.app.clone()).step().await.unwrap();
    let text = counted.text();
    let line = text.lines().find_map(|line| line.strip_prefix("moderation_timer_lag_seconds "));
    line.unwrap().parse().unwrap()
}

/// The page of a post for moderators.
async fn page(platform: &Platform, post: SubjectKey) -> Value {
    let path = format!("/moderation/subjects/POST/{}", post.id);
    platform.call("GET", &path, Some(&new_moderator().0), None).await.body
}

/// Lets a user report a post; the id of the report.
async fn reported(platform: &Platform, post: SubjectKey) -> Value {
    let made = report(platform, &new_user().0, post.id, "HARASSMENT_INSULT").await;
    assert_eq!(made.status, 201, "{made:?}");
    made.body["id"].clone()
}

/// What became of reports, as moderators see it on the page of their subject.
async fn outcomes(platform: &Platform, post: SubjectKey, reports: &[&Value]) -> Vec<Value> {
    close_reports(platform).await;
    let page = page(platform, post).await;
    let listed = page["reports"].as_array().unwrap();
    let status = |id: &&Value| listed.iter().find(|report| report["id"] == **id).unwrap()["status"].clone();
    reports.iter().map(status).collect()
}

/// An account as the auth service says that it is now.
async fn changed(platform: &Platform, person: Uuid, minute: u32, role: &str, status: &str) {
    let user = json!({ "id": person, "created_at": "2026-11-20T12:00:00+00:00", "role": role, "status": status,
        "updated_at": format!("2026-11-20T12:{minute:02}:00+00:00") });
    platform.consume(USER_UPDATED, &user).await;
}

async fn list(platform: &Platform, query: &str) -> Value {
    let path = format!("/moderation/scheduled-decisions{query}");
    platform.call("GET", &path, Some(&new_moderator().0), None).await.body
}

/// A scheduled decision has no effect until it is due, and then all the effects of one that is made at once.
#[sqlx::test(migrations = false)]
async fn a_scheduled_decision_is_made_when_it_is_due(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let ((anna, her), (moderator, their)) = (new_user(), new_moderator());
    let post = new_content(&platform, SubjectType::Post, her).await;
    let made = schedule(&platform, &moderator, post, hide()).await;
    assert_eq!(made.status, 201, "{made:?}");
    let names = ["subject_id", "author", "moderator", "reason", "status", "decision", "actions"];
    let expected = json!({ "subject_id": post.id, "author": her, "moderator": their, "reason": "VIOLENCE_THREAT",
        "status": "WAITING", "decision": null, "actions": [{ "action": "HIDE" }] });
    assert_eq!(fields(&made.body, &names), expected);
    assert_eq!(run(&platform).await, 0, "it is not due");
    assert_eq!(platform.published(MODERATION_DECIDED).await, Vec::<Value>::new());
    let page =
        platform.call("GET", &format!("/moderation/subjects/POST/{}", post.id), Some(&moderator), None).await.body;
    assert_eq!((&page["scheduled"][0]["id"], &page["state"]), (&made.body["id"], &Value::Null));
    assert_eq!(list(&platform, "?waiting=true").await[0]["id"], made.body["id"]);

    pass(&platform, 9).await;
    let counted = Counted::begin();
    assert!((3_600.0..3_700.0).contains(&lag(&platform, &counted).await), "it was due an hour ago");
    // Two replicas make it once, a process that begins now among them.
    let beside = platform.beside(&[]);
    let (one, other) = tokio::join!(run(&platform), run(&beside));
    assert!(one + other >= 1, "one of them has made it");
    counted.assert("moderation_scheduled_total{outcome=\"done\"} 1");
    // With the strike and what follows from it.
    assert_eq!((visibility(&platform, post).await, standing(&platform, her).await), (json!("HIDDEN"), json!("MUTED")));
    let all = list(&platform, "").await;
    let [done] = &all.as_array().unwrap()[..] else { panic!("one") };
    assert_eq!(done["status"], "DONE");
    let path = format!("/moderation/decisions/{}", done["decision"].as_str().unwrap());
    let decision = platform.call("GET", &path, Some(&moderator), None).await.body;
    let names = ["moderator", "public_note", "internal_note", "actions"];
    let expected = json!({ "moderator": their, "public_note": "It threatens a neighbour.", "internal_note": "As agreed.",
        "actions": [{ "action": "HIDE" }] });
    assert_eq!(fields(&decision, &names), expected);
    let statements = platform.call("GET", "/me/moderation/decisions", Some(&anna), None).await.body;
    assert!(statements.to_string().contains("It threatens a neighbour."), "{statements}");
    assert_eq!(list(&platform, "?waiting=true").await, json!([]));
}

/// What a machine has held since a decision was scheduled waits for a person: the moderator has not seen it.
#[sqlx::test(migrations = false)]
async fn what_is_held_meanwhile_stays_held(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let ((_, her), (moderator, _)) = (new_user(), new_moderator());
    let [before, after] =
        [new_content(&platform, SubjectType::Post, her).await, new_content(&platform, SubjectType::Post, her).await];
    decided_by_machine(&platform, before, her, Action::Hold).await;
    for post in [before, after] {
        assert_eq!(schedule(&platform, &moderator, post, lock()).await.status, 201);
    }
    decided_by_machine(&platform, after, her, Action::Hold).await;
    pass(&platform, 9).await;
    assert_eq!(run(&platform).await, 2);
    let seen = [visibility(&platform, before).await, visibility(&platform, after).await];
    assert_eq!(seen, [json!("VISIBLE"), json!("HELD")]);
    for (post, review) in [(before, "CLOSED"), (after, "OPEN")] {
        let page = page(&platform, post).await;
        assert_eq!((&page["state"]["locked"], &page["state"]["review"]), (&json!(true), &json!(review)), "{page}");
    }
}

/// A scheduled decision answers the reports that were there when its moderator decided. What was reported since stays open, and so does the
/// case.
#[sqlx::test(migrations = false)]
async fn what_is_reported_meanwhile_stays_open(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = Platform::start(&SERVICE, database, &["--report-hold-threshold", "9"]).await;
    let ((_, her), (moderator, _)) = (new_user(), new_moderator());
    let post = new_content(&platform, SubjectType::Post, her).await;
    let first = reported(&platform, post).await;
    let mut misuse = lock();
    misuse["abusive"] = json!(true);
    assert_eq!(schedule(&platform, &moderator, post, misuse).await.status, 201);
    let second = reported(&platform, post).await;
    // One that is scheduled later has seen more, and is due first.
    let mut sooner = lock();
    sooner["in_hours"] = json!(1);
    assert_eq!(schedule(&platform, &moderator, post, sooner).await.status, 201);
    let third = reported(&platform, post).await;
    assert_eq!(run(&platform).await, 0);
    assert_eq!(outcomes(&platform, post, &[&first, &second, &third]).await, ["OPEN", "OPEN", "OPEN"]);

    pass(&platform, 2).await;
    assert_eq!(run(&platform).await, 1);
    assert_eq!(outcomes(&platform, post, &[&first, &second, &third]).await, ["AGREED", "AGREED", "OPEN"]);
    let state = page(&platform, post).await["state"].clone();
    let expected = json!({ "review": "OPEN", "reports": 1, "locked": true });
    assert_eq!(fields(&state, &["review", "reports", "locked"]), expected, "{state}");
    pass(&platform, 7).await;
    assert_eq!(run(&platform).await, 1);
    assert_eq!(outcomes(&platform, post, &[&third]).await, ["OPEN"], "the earlier one has not seen it either");
    assert_eq!(page(&platform, post).await["state"]["reports"], 1);

    let dismiss = json!({ "actions": [{ "action": "DISMISS" }], "reason": "OTHER_RULES" });
    assert_eq!(decide(&platform, &moderator, post, dismiss).await.status, 201);
    assert_eq!(outcomes(&platform, post, &[&first, &second, &third]).await, ["AGREED", "AGREED", "IGNORED"]);
    assert_eq!(page(&platform, post).await["state"]["review"], "CLOSED");
}

/// Without anything new it answers all of the case; what another decision has answered in between is no news; and what was escalated meanwhile
/// stays with the senior moderator.
#[sqlx::test(migrations = false)]
async fn a_case_without_news_is_answered(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let ((_, her), (moderator, _), (other, _)) = (new_user(), new_moderator(), new_moderator());
    let mut posts = Vec::new();
    for _ in 0..3 {
        let post = new_content(&platform, SubjectType::Post, her).await;
        let seen = reported(&platform, post).await;
        assert_eq!(schedule(&platform, &moderator, post, lock()).await.status, 201);
        posts.push((post, seen));
    }
    let [(quiet, seen), (decided, before), (escalated, handed)] = &posts[..] else { panic!("three") };
    let new = reported(&platform, *decided).await;
    let allow = json!({ "actions": [{ "action": "ALLOW" }], "reason": "OTHER_RULES" });
    assert_eq!(decide(&platform, &other, *decided, allow).await.status, 201);
    let path = format!("/moderation/subjects/POST/{}/escalate", escalated.id);
    let note = json!({ "note": "Is this one of ours?" });
    assert_eq!(platform.call("POST", &path, Some(&other), Some(note)).await.status, 201);
    pass(&platform, 9).await;
    assert_eq!(run(&platform).await, 3);
    assert_eq!(outcomes(&platform, *quiet, &[seen]).await, ["AGREED"]);
    assert_eq!(outcomes(&platform, *decided, &[before, &new]).await, ["IGNORED", "IGNORED"]);
    assert_eq!(outcomes(&platform, *escalated, &[handed]).await, ["AGREED"]);
    for (post, review) in [(quiet, "CLOSED"), (decided, "CLOSED"), (escalated, "ESCALATED")] {
        let state = page(&platform, *post).await["state"].clone();
        assert_eq!((&state["review"], &state["reports"]), (&json!(review), &json!(0)), "{state}");
    }
}

/// A restoration that was scheduled ends what its moderator knew of, and no decision that another one has made since.
#[sqlx::test(migrations = false)]
async fn a_scheduled_restoration_ends_no_later_decision(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let ((_, her), (moderator, _), (other, _)) = (new_user(), new_moderator(), new_moderator());
    let hide = json!({ "actions": [{ "action": "HIDE" }], "reason": "VIOLENCE_THREAT" });
    let restore = json!({ "in_hours": 8, "actions": [{ "action": "RESTORE" }], "reason": "OTHER_RULES" });
    let mut posts = Vec::new();
    for later in [&moderator, &other] {
        let post = new_content(&platform, SubjectType::Post, her).await;
        let label = json!({ "actions": [{ "action": "LABEL", "label": "graphic" }], "reason": "VIOLENCE_THREAT" });
        assert_eq!(decide(&platform, &moderator, post, label).await.status, 201);
        assert_eq!(schedule(&platform, &moderator, post, restore.clone()).await.status, 201);
        assert_eq!(decide(&platform, later, post, hide.clone()).await.status, 201);
        posts.push(post);
    }
    pass(&platform, 9).await;
    assert_eq!(run(&platform).await, 2);
    let mut seen = Vec::new();
    for post in posts {
        assert_eq!(page(&platform, post).await["state"]["labels"], json!([]), "what was known has ended");
        seen.push(visibility(&platform, post).await);
    }
    assert_eq!(seen, [json!("VISIBLE"), json!("HIDDEN")], "their own decision, and that of another moderator");
}

/// Who may not decide any more decides nothing later: what they have scheduled is cancelled when it is due, and a senior moderator reads why.
#[sqlx::test(migrations = false)]
async fn who_has_lost_the_right_decides_nothing_later(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let (_, her) = new_user();
    let admin = format!("{}:ACTIVE:ADMIN", Uuid::now_v7());
    let staff: [(String, Uuid); 7] = std::array::from_fn(|_| new_moderator());
    let [demoted, banned, again, scoped, renewed, gone, unchanged] = &staff;
    let mut posts = Vec::new();
    for (token, _) in &staff {
        let post = new_content(&platform, SubjectType::Post, her).await;
        let made = schedule(&platform, token, post, hide()).await;
        posts.push((post, made.body["id"].clone()));
    }
    changed(&platform, demoted.1, 1, "MODERATOR", "ACTIVE").await;
    changed(&platform, demoted.1, 3, "USER", "ACTIVE").await;
    changed(&platform, demoted.1, 2, "MODERATOR", "ACTIVE").await;
    changed(&platform, banned.1, 1, "MODERATOR", "BANNED").await;
    changed(&platform, again.1, 1, "USER", "ACTIVE").await;
    changed(&platform, again.1, 2, "MODERATOR", "ACTIVE").await;
    for ((_, id), types) in [(scoped, "COMMENT"), (renewed, "POST")] {
        let scope = json!({ "types": [types], "families": [], "escalated": false });
        let path = format!("/moderation/moderators/{id}");
        assert!(platform.call("PUT", &path, Some(&admin), Some(scope)).await.status.is_success());
    }
    let all = list(&platform, &format!("?moderator={}", demoted.1)).await;
    assert_eq!((all.as_array().unwrap().len(), &all[0]["id"]), (1, &posts[0].1));
    let refused = platform.call("GET", "/moderation/scheduled-decisions?moderator=anna", Some(&admin), None).await;
    assert_eq!(refused.status, 422);
    // Who has left cannot come back: what they have scheduled waits no longer.
    platform.erase(gone.1).await;
    assert_eq!(list(&platform, &format!("?moderator={}", gone.1)).await[0]["cancelled_because"], "LEFT");

    let counted = Counted::begin();
    pass(&platform, 9).await;
    assert_eq!(run(&platform).await, 6);
    counted.assert("moderation_scheduled_total{outcome=\"cancelled\"} 3");
    counted.assert("moderation_scheduled_total{outcome=\"done\"} 3");
    let becomes = [
        (demoted, Some("NO_MODERATOR")),
        (banned, Some("NO_MODERATOR")),
        (again, None),
        (scoped, Some("OUT_OF_SCOPE")),
        (renewed, None),
        (gone, Some("LEFT")),
        (unchanged, None),
    ];
    for (((_, id), lost), (post, scheduled)) in becomes.into_iter().zip(&posts) {
        let made = list(&platform, &format!("?moderator={id}")).await[0].clone();
        let status = if lost.is_some() { "CANCELLED" } else { "DONE" };
        assert_eq!((&made["status"], &made["cancelled_because"]), (&json!(status), &json!(lost)), "{made}");
        let page = page(&platform, *post).await;
        let Some(lost) = lost else {
            assert_eq!(page["state"]["visibility"], "HIDDEN", "{page}");
            continue;
        };
        let state = fields(&page["state"], &["visibility", "review"]);
        assert_eq!(state, json!({ "visibility": "VISIBLE", "review": "ESCALATED" }), "{lost}");
        assert!(
            page["history"].to_string().contains("A decision that was scheduled about this was not made"),
            "{page}"
        );
        let target: Uuid = serde_json::from_value(scheduled.clone()).unwrap();
        let audited = sqlx::query_scalar!("select result from audit where target = $1 and who is null", target);
        let audited = audited.fetch_all(&platform.app.db).await.unwrap();
        assert_eq!(audited, [format!("POST {} {lost}", post.id)]);
    }
}

/// What an auth service answers about accounts; it is away for those that are not in it.
type Accounts = Arc<Mutex<HashMap<Uuid, Value>>>;

async fn start_auth_service(accounts: Accounts) -> String {
    let answer = async move |headers: HeaderMap, Path(person): Path<Uuid>| -> Response {
        assert_eq!(headers["authorization"], "Bearer operator");
        match accounts.lock().unwrap().get(&person).cloned() {
            Some(held) => axum::Json(held).into_response(),
            None => StatusCode::SERVICE_UNAVAILABLE.into_response(),
        }
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let router = axum::Router::new().route("/internal/people/{person}/accounts", axum::routing::get(answer));
    tokio_util::task::TaskTracker::new().spawn(async { axum::serve(listener, router).await });
    url
}

/// Of moderators whose accounts no event has named since the service keeps rights, the auth service is asked; until it says what they may
/// do, nothing is decided.
#[sqlx::test(migrations = false)]
async fn a_right_that_is_unknown_is_asked_for(_: PgPoolOptions, database: PgConnectOptions) {
    let accounts = Accounts::default();
    let producer = format!("auth-service={}", start_auth_service(accounts.clone()).await);
    let platform = Platform::start(&SERVICE, database, &["--producers", &producer]).await;
    let (_, her) = new_user();
    let staff: [(String, Uuid); 4] = std::array::from_fn(|_| new_moderator());
    for (token, _) in &staff {
        let post = new_content(&platform, SubjectType::Post, her).await;
        assert_eq!(schedule(&platform, token, post, hide()).await.status, 201);
    }
    // As the release before has scheduled them.
    platform.app.db.execute("delete from account_right").await.unwrap();
    pass(&platform, 9).await;
    let (mut decider, counted) = (decider(&platform), Counted::begin());
    for _ in &staff {
        let failure = format!("{:#}", decider.step().await.unwrap_err());
        assert!(failure.contains("could not be asked") && failure.contains("503"), "{failure}");
    }
    assert_eq!(run(&platform).await, 0, "all are put off");
    counted.assert("moderation_scheduled_total{outcome=\"failed\"} 4");
    assert_eq!(list(&platform, "?waiting=true").await.as_array().unwrap().len(), 4);

    let [unchanged, demoted, gone, silent] = staff.map(|(_, id)| id);
    let account = |id: Uuid, role: Value| {
        let updated_at = "2026-11-20T12:00:00.25+00:00";
        json!([{ "id": id, "email": "a@example.com", "role": role, "status": "ACTIVE", "updated_at": updated_at }])
    };
    accounts.lock().unwrap().extend([
        (unchanged, account(unchanged, json!("MODERATOR"))),
        (demoted, account(demoted, json!("USER"))),
        (gone, json!([])),
        (silent, account(silent, Value::Null)),
    ]);
    pass(&platform, 1).await;
    for _ in 0..3 {
        assert_eq!(decider.step().await.unwrap(), Outcome::Busy);
    }
    let failure = format!("{:#}", decider.step().await.unwrap_err());
    assert!(failure.contains("it does not say"), "{failure}");
    for (id, status, lost) in [
        (unchanged, "DONE", None),
        (demoted, "CANCELLED", Some("NO_MODERATOR")),
        (gone, "CANCELLED", Some("NO_MODERATOR")),
        (silent, "WAITING", None),
    ] {
        let made = list(&platform, &format!("?moderator={id}")).await[0].clone();
        assert_eq!((&made["status"], &made["cancelled_because"]), (&json!(status), &json!(lost)), "{made}");
    }
    // An event answers as well.
    changed(&platform, silent, 1, "MODERATOR", "ACTIVE").await;
    pass(&platform, 1).await;
    assert_eq!(run(&platform).await, 1);
    assert_eq!(list(&platform, &format!("?moderator={silent}")).await[0]["status"], "DONE");
}

/// Who has scheduled a decision, or an administrator, takes it back before it is due; of a subject that is gone none is made.
#[sqlx::test(migrations = false)]
async fn a_scheduled_decision_is_cancelled_or_has_no_subject_any_more(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let ((_, her), (moderator, their), (other, _)) = (new_user(), new_moderator(), new_moderator());
    let admin = format!("{}:ACTIVE:ADMIN", Uuid::now_v7());
    let (mut posts, mut made) = (Vec::new(), Vec::new());
    for _ in 0..4 {
        let post = new_content(&platform, SubjectType::Post, her).await;
        made.push(schedule(&platform, &moderator, post, hide()).await.body["id"].as_str().unwrap().to_owned());
        posts.push(post);
    }
    let cancel = async |token: &str, id: &str| {
        platform
            .call("DELETE", &format!("/moderation/scheduled-decisions/{id}"), Some(token), None)
            .await
            .status
            .as_u16()
    };
    assert_eq!(cancel(&other, &made[0]).await, 403, "another moderator has scheduled it");
    assert_eq!(cancel(&moderator, &made[0]).await, 204);
    assert_eq!(cancel(&moderator, &made[0]).await, 409, "it waits no more");
    assert_eq!(cancel(&admin, &made[1]).await, 204);
    assert_eq!(cancel(&admin, &Uuid::now_v7().to_string()).await, 404);
    let audited = sqlx::query_scalar!("select action from audit where who = $1 order by at, id", their);
    let audited = audited.fetch_all(&platform.app.db).await.unwrap();
    assert_eq!(audited.last().map(String::as_str), Some("scheduled_decision_cancelled"), "{audited:?}");
    assert_eq!(audited.iter().filter(|action| *action == "decision_scheduled").count(), 4);
    let gone = format!("update content set gone_at = now() where id = '{}'", posts[2].id);
    platform.app.db.execute(AssertSqlSafe(gone)).await.unwrap();
    pass(&platform, 9).await;
    assert_eq!(run(&platform).await, 2);
    let listed = list(&platform, "").await;
    let statuses: Vec<_> = listed.as_array().unwrap().iter().map(|one| one["status"].as_str().unwrap()).collect();
    assert_eq!(statuses, ["DONE", "GONE", "CANCELLED", "CANCELLED"], "the one that was scheduled last first");
    assert_eq!(visibility(&platform, posts[3]).await, "HIDDEN");
    assert_eq!(cancel(&moderator, &made[3]).await, 409, "it was made");
}

/// One that cannot be made is put off, and the others do not wait for it.
#[sqlx::test(migrations = false)]
async fn one_that_fails_keeps_no_other_waiting(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let ((_, her), (moderator, _)) = (new_user(), new_moderator());
    let (bad, good) =
        (new_content(&platform, SubjectType::Post, her).await, new_content(&platform, SubjectType::Post, her).await);
    assert_eq!(schedule(&platform, &moderator, bad, hide()).await.status, 201);
    assert_eq!(schedule(&platform, &moderator, good, hide()).await.status, 201);
    let refuse = format!("alter table decision add constraint refused check (subject_id <> '{}')", bad.id);
    platform.app.db.execute(AssertSqlSafe(refuse)).await.unwrap();
    pass(&platform, 9).await;
    let counted = Counted::begin();
    let failure = format!("{:#}", decider(&platform).step().await.unwrap_err());
    assert!(failure.contains("cannot be made, and is put off"), "{failure}");
    assert_eq!(run(&platform).await, 1);
    assert_eq!(visibility(&platform, good).await, "HIDDEN");
    counted.assert("moderation_scheduled_total{outcome=\"failed\"} 1");
    assert!((3_600.0..3_700.0).contains(&lag(&platform, &counted).await), "it is put off, and due all the same");
    assert_eq!(list(&platform, "?waiting=true").await[0]["attempts"], 1);
    platform.app.db.execute("alter table decision drop constraint refused").await.unwrap();
    pass(&platform, 1).await;
    assert_eq!(run(&platform).await, 1, "a minute later it is tried again");
    assert_eq!(visibility(&platform, bad).await, "HIDDEN");
}

/// What cannot be decided cannot be scheduled, nor can a time that is over or too far ahead.
#[sqlx::test(migrations = false)]
async fn what_cannot_be_scheduled_is_refused(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let ((_, her), (moderator, their)) = (new_user(), new_moderator());
    let post = new_content(&platform, SubjectType::Post, her).await;
    let with = |name: &str, value: Value| {
        let mut body = hide();
        body[name] = value;
        body
    };
    let at = |hours: i64| json!((Utc::now() + TimeDelta::hours(hours)).to_rfc3339());
    let only_at = |hours: i64| {
        let mut body = with("at", at(hours));
        body.as_object_mut().unwrap().remove("in_hours");
        body
    };
    for (body, place) in [
        (with("in_hours", json!(0)), "in_hours"),
        (with("in_hours", json!(8_785)), "in_hours"),
        (with("in_hours", Value::Null), "at"),
        (with("at", at(1)), "at"),
        (only_at(-1), "at"),
        (only_at(8_786), "at"),
        (with("at", json!("tomorrow")), "at"),
        (with("actions", json!([])), "actions"),
    ] {
        let refused = schedule(&platform, &moderator, post, body.clone()).await;
        let place = json!(["body", place]);
        assert_eq!((refused.status.as_u16(), &refused.body["detail"][0]["loc"]), (422, &place), "{body}: {refused:?}");
    }
    assert_eq!(schedule(&platform, &moderator, post, only_at(8_783)).await.status, 201);
    assert_eq!(
        schedule(&platform, &moderator, SubjectKey::user(her), hide()).await.status,
        422,
        "a user is no content"
    );
    let unknown = SubjectKey { r#type: SubjectType::Post, id: Uuid::now_v7() };
    assert_eq!(schedule(&platform, &moderator, unknown, hide()).await.status, 404);
    let policy = json!({ "id": Uuid::now_v7(), "version": 1, "rule": "spam" });
    let refused = schedule(&platform, &moderator, post, with("policy", policy)).await;
    assert_eq!((refused.status.as_u16(), &refused.body["detail"]), (404, &json!("No such policy")));
    let own = new_content(&platform, SubjectType::Post, their).await;
    assert_eq!(schedule(&platform, &moderator, own, hide()).await.status, 403);
    assert_eq!(schedule(&platform, &new_user().0, post, hide()).await.status, 403);
}

/// What is scheduled about a user is in their export without what moderators note, and goes with them; what a moderator has scheduled is
/// made no more when they leave.
#[sqlx::test(migrations = false)]
async fn what_is_scheduled_is_exported_and_erased(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let ((_, her), (_, him), (moderator, their)) = (new_user(), new_user(), new_moderator());
    let (hers, his) =
        (new_content(&platform, SubjectType::Post, her).await, new_content(&platform, SubjectType::Post, him).await);
    for post in [hers, his] {
        assert_eq!(schedule(&platform, &moderator, post, hide()).await.status, 201);
    }
    let exported = platform.personal_data_of(her, "scheduled_decisions").await;
    assert_eq!((exported.len(), &exported[0]["public_note"]), (1, &json!("It threatens a neighbour.")));
    let text = json!(exported).to_string();
    assert!(!text.contains(&their.to_string()) && !text.contains("As agreed"), "{text}");
    platform.erase(her).await;
    assert_eq!(platform.personal_data_of(her, "scheduled_decisions").await, [json!(null); 0]);
    assert_eq!(platform.finds("As agreed").await, ["moderation.scheduled_decision"]);
    platform.erase(their).await;
    assert_eq!(platform.finds("As agreed").await, [""; 0]);
    pass(&platform, 9).await;
    assert_eq!(run(&platform).await, 0);
    let all = list(&platform, "").await;
    let [left] = &all.as_array().unwrap()[..] else { panic!("his") };
    assert_eq!((&left["subject_id"], &left["status"]), (&json!(his.id), &json!("CANCELLED")));
    assert_eq!(
        decide(&platform, &moderator, his, json!({ "actions": [{ "action": "ALLOW" }], "reason": "OTHER_RULES" }))
            .await
            .status,
        201
    );
}
