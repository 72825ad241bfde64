//! What moderation decides about accounts, through its events and the routes of those who decide here.
use chrono::{TimeDelta, Utc};
use serde_json::{Value, json};
use sqlx::Row;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use uuid::Uuid;

use super::events::USER_STATUS_CHANGED;
use crate::core::app::identity::Role;
use crate::core::events::consumer::Step;
use crate::core::testing::Platform;
use crate::core::testing::counted::Counted;
use crate::profiles::events::USER_UPDATED;
use crate::roles::commands::grant;
use crate::roles::schedulers::lift;
use crate::sessions::events::SESSION_REVOKED;
use crate::testing::{PASSWORD, Person, join, sign_in, start};

/// What moderation publishes about an account; it decides now, and until some hours from now.
fn changed(person: Uuid, version: i64, status: &str, hours: Option<i64>) -> Value {
    json!({ "id": Uuid::now_v7(), "at": Utc::now(), "user_id": person, "version": version, "status": status,
        "until": hours.map(|hours| Utc::now() + TimeDelta::hours(hours)), "reason": "HARASSMENT_BULLYING",
        "decision_id": Uuid::now_v7() })
}

async fn change(platform: &Platform, person: &Person, version: i64, status: &str, hours: Option<i64>) -> Value {
    let event = changed(person.id, version, status, hours);
    platform.consume(USER_STATUS_CHANGED, &event).await;
    event
}

async fn join_as(platform: &Platform, name: &str, role: Role) -> Person {
    let person = join(platform, name).await;
    grant(&platform.app, &person.email, role).await.unwrap();
    person
}

async fn get(platform: &Platform, by: &Person, path: &str) -> Value {
    let reply = platform.call("GET", path, Some(&by.token), None).await;
    assert_eq!(reply.status, 200, "{path}: {reply:?}");
    reply.body
}

/// The status of a person, and whether it ends by itself, as those who decide see it.
async fn status(platform: &Platform, by: &Person, person: &Person) -> (String, bool) {
    let member = get(platform, by, &format!("/admin/users/{}", person.id)).await;
    (member["status"].as_str().unwrap().to_owned(), !member["status_until"].is_null())
}

async fn set(platform: &Platform, by: &Person, person: &Person, status: &str, hours: Option<i64>) {
    let until = hours.map(|hours| Utc::now() + TimeDelta::hours(hours));
    let body = json!({ "status": status, "reason": "a test", "until": until });
    let path = format!("/admin/users/{}/status", person.id);
    assert_eq!(platform.call("PUT", &path, Some(&by.token), Some(body)).await.status, 200);
}

/// Lets time pass for a mute or a ban.
async fn end(platform: &Platform, person: &Person) {
    let ends = format!(
        "update account set status_until = now() where id = '{id}';
        update standing set until = now() where user_id = '{id}' and until is not null",
        id = person.id
    );
    sqlx::raw_sql(sqlx::AssertSqlSafe(ends)).execute(&platform.app.db).await.unwrap();
    lift(&platform.app).await.unwrap();
}

#[sqlx::test(migrations = false)]
async fn moderation_mutes_and_bans_and_lifts_that(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database, &[]).await;
    let moderator = join_as(&platform, "moderator", Role::Moderator).await;
    let anna = join(&platform, "anna").await;
    let counted = Counted::begin();
    let muted = change(&platform, &anna, 1, "MUTED", Some(24)).await;
    assert_eq!(status(&platform, &moderator, &anna).await, ("MUTED".to_owned(), true));
    let refused = platform.call("PATCH", "/users/me", Some(&anna.token), Some(json!({ "bio": "x" }))).await;
    assert_eq!((refused.status.as_u16(), &refused.body["detail"]), (403, &json!("Muted users cannot write")));

    change(&platform, &anna, 2, "BANNED", None).await;
    assert_eq!(status(&platform, &moderator, &anna).await, ("BANNED".to_owned(), false));
    assert_eq!(sign_in(&platform, &anna.email, PASSWORD).await.status, 403);
    let revoked = platform.published(SESSION_REVOKED).await;
    assert_eq!((&revoked[0]["user_id"], &revoked[0]["reason"]), (&json!(anna.id), &json!("BANNED")));
    assert_eq!(platform.published(USER_UPDATED).await.last().unwrap()["status"], "BANNED");

    let lifted = change(&platform, &anna, 3, "ACTIVE", None).await;
    assert_eq!(sign_in(&platform, &anna.email, PASSWORD).await.status, 200);
    let history = get(&platform, &moderator, &format!("/admin/users/{}/history", anna.id)).await;
    let shown = |decision: &Value| (decision["status"].clone(), decision["moderation_id"].clone());
    let history: Vec<_> = history.as_array().unwrap().iter().collect();
    assert_eq!(history.len(), 3);
    assert_eq!(shown(history[0]), (json!("INACTIVE"), lifted["decision_id"].clone()), "her address was never verified");
    assert_eq!(shown(history[2]), (json!("MUTED"), muted["decision_id"].clone()));
    assert_eq!((&history[2]["reason"], &history[2]["decided_by"]), (&json!("HARASSMENT_BULLYING"), &Value::Null));
    for effect in ["muted", "banned", "lifted"] {
        counted.assert(&format!("moderation_effects_total{{effect=\"{effect}\"}} 1"));
    }
    let audit = "select count(*) from audit where action = 'status_changed' and who is null and target is not null";
    assert_eq!(sqlx::raw_sql(audit).fetch_one(&platform.app.db).await.unwrap().get::<i64, _>(0), 3);
}

/// Who is banned cannot sign in: a mail says until when and why, and brings the token of the appeal; once for each decision.
#[sqlx::test(migrations = false)]
async fn a_ban_goes_out_by_mail_with_the_token_of_its_appeal(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database, &[]).await;
    let (anna, bert) = (join(&platform, "anna").await, join(&platform, "bert").await);
    let staff = join_as(&platform, "carol", Role::Moderator).await;
    let token = "0a".repeat(48);
    let with_token = |person: Uuid, version: i64, status: &str| {
        let mut event = changed(person, version, status, Some(48));
        event["appeal_token"] = json!(token);
        event
    };
    let banned = with_token(anna.id, 1, "BANNED");
    for event in [&banned, &banned, &with_token(bert.id, 1, "MUTED"), &with_token(staff.id, 1, "BANNED")] {
        platform.consume(USER_STATUS_CHANGED, event).await;
    }
    let written = "select user_id, recipient, letter, cause from mail where letter ->> 'kind' = 'BANNED'";
    let written = sqlx::raw_sql(written).fetch_all(&platform.app.db).await.unwrap();
    let [mail] = &written[..] else { panic!("{} mails", written.len()) };
    assert_eq!((mail.get::<Uuid, _>("user_id"), mail.get::<String, _>("recipient")), (anna.id, anna.email.clone()));
    let letter: Value = mail.get("letter");
    assert_eq!((&letter["appeal_token"], &letter["reason"]), (&json!(token), &json!("HARASSMENT_BULLYING")));
    assert!(letter["until"].as_str().unwrap().ends_with(" UTC"), "{letter}");
    assert_eq!(json!(mail.get::<String, _>("cause")), banned["decision_id"]);
    let mut hostile = changed(bert.id, 2, "BANNED", None);
    hostile["appeal_token"] = json!("x\r\nhttps://evil.example");
    let steps = platform.consume(USER_STATUS_CHANGED, &hostile).await;
    assert!(steps.iter().any(|step| matches!(step, Step::Parked(_))), "it becomes a part of a link: {steps:?}");
}

#[sqlx::test(migrations = false)]
async fn the_newest_version_holds_in_every_order_and_however_often_it_comes(
    _: PgPoolOptions,
    database: PgConnectOptions,
) {
    let platform = start(database, &[]).await;
    let moderator = join_as(&platform, "moderator", Role::Moderator).await;
    let orders = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
    for (number, order) in orders.into_iter().enumerate() {
        let anna = join(&platform, &format!("anna{number}")).await;
        let events = [
            changed(anna.id, 2, "MUTED", Some(24)),
            changed(anna.id, 5, "ACTIVE", None),
            changed(anna.id, 9, "BANNED", Some(48)),
        ];
        for event in order.iter().chain(&order) {
            platform.consume(USER_STATUS_CHANGED, &events[*event]).await;
        }
        assert_eq!(status(&platform, &moderator, &anna).await, ("BANNED".to_owned(), true), "{order:?}");
        let history = get(&platform, &moderator, &format!("/admin/users/{}/history", anna.id)).await;
        let bans = history.as_array().unwrap().iter().filter(|decision| decision["status"] == "BANNED").count();
        assert_eq!(bans, 1, "{order:?}");
    }
}

#[sqlx::test(migrations = false)]
async fn what_people_decide_later_is_not_undone_and_what_they_set_is_not_lifted(
    _: PgPoolOptions,
    database: PgConnectOptions,
) {
    let platform = start(database, &[]).await;
    let admin = join_as(&platform, "admin", Role::Admin).await;
    let [anna, ben, carl] =
        [join(&platform, "anna").await, join(&platform, "ben").await, join(&platform, "carl").await];
    let has = async |person: &Person| status(&platform, &admin, person).await.0;
    // An administrator lifts a ban whose event comes once more, and one that was decided before comes late.
    let before = changed(anna.id, 2, "BANNED", None);
    change(&platform, &anna, 1, "BANNED", None).await;
    set(&platform, &admin, &anna, "ACTIVE", None).await;
    platform.consume(USER_STATUS_CHANGED, &before).await;
    assert_eq!(has(&anna).await, "INACTIVE");
    change(&platform, &anna, 3, "MUTED", Some(1)).await;
    assert_eq!(has(&anna).await, "MUTED", "moderation decides again");

    // What an administrator has set is neither lifted nor made milder.
    set(&platform, &admin, &ben, "BANNED", Some(48)).await;
    change(&platform, &ben, 1, "MUTED", Some(1)).await;
    change(&platform, &ben, 2, "ACTIVE", None).await;
    assert_eq!(has(&ben).await, "BANNED");

    // Of two restrictions the milder one is left when the stricter one is over.
    set(&platform, &admin, &carl, "MUTED", None).await;
    change(&platform, &carl, 1, "BANNED", Some(24)).await;
    assert_eq!(has(&carl).await, "BANNED");
    change(&platform, &carl, 2, "ACTIVE", None).await;
    assert_eq!(status(&platform, &admin, &carl).await, ("MUTED".to_owned(), false), "the administrator's");
    change(&platform, &carl, 3, "BANNED", Some(24)).await;
    end(&platform, &carl).await;
    assert_eq!(status(&platform, &admin, &carl).await, ("MUTED".to_owned(), false), "its time was up");
}

#[sqlx::test(migrations = false)]
async fn staff_are_not_restricted_and_the_refusal_is_recorded(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database, &[]).await;
    let admin = join_as(&platform, "admin", Role::Admin).await;
    let moderator = join_as(&platform, "moderator", Role::Moderator).await;
    for person in [&admin, &moderator] {
        change(&platform, person, 1, "BANNED", None).await;
        assert_eq!(status(&platform, &admin, person).await, ("INACTIVE".to_owned(), false));
    }
    let audit = "select target, result from audit where action = 'status_refused' order by at, id";
    let rows = sqlx::raw_sql(audit).fetch_all(&platform.app.db).await.unwrap();
    let noted: Vec<(Uuid, String)> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
    assert_eq!(noted, [(admin.id, "BANNED".to_owned()), (moderator.id, "BANNED".to_owned())]);
    // Nor when the role is gone and something else ends.
    let body = json!({ "role": "USER", "reason": "a test" });
    let path = format!("/admin/users/{}/role", moderator.id);
    assert_eq!(platform.call("PUT", &path, Some(&admin.token), Some(body)).await.status, 200);
    set(&platform, &admin, &moderator, "MUTED", Some(1)).await;
    end(&platform, &moderator).await;
    assert_eq!(status(&platform, &admin, &moderator).await, ("INACTIVE".to_owned(), false));
}

#[sqlx::test(migrations = false)]
async fn accounts_that_are_not_here_are_left_out_and_what_is_no_status_is_parked(
    _: PgPoolOptions,
    database: PgConnectOptions,
) {
    let platform = start(database, &[]).await;
    let (anna, ben) = (join(&platform, "anna").await, join(&platform, "ben").await);
    change(&platform, &anna, 1, "MUTED", None).await;
    let held = platform.personal_data_of(anna.id, "standings").await;
    assert_eq!((held.len(), &held[0]["status"], &held[0]["version"]), (1, &json!("MUTED"), &json!(1)));
    let left = platform.call("DELETE", &format!("/users/{}", anna.id), Some(&anna.token), None).await;
    assert_eq!(left.status, 204);
    let steps = platform.consume(USER_STATUS_CHANGED, &changed(anna.id, 2, "BANNED", None)).await;
    assert_eq!(steps, [Step::Applied { fresh: 1, duplicates: 0 }]);
    assert_eq!(platform.personal_data_of(anna.id, "standings").await, Vec::<Value>::new());
    for wrong in ["INACTIVE", "SHADOWED"] {
        let steps = platform.consume(USER_STATUS_CHANGED, &changed(ben.id, 1, wrong, None)).await;
        assert!(matches!(steps[..], [Step::Parked(_)]), "{wrong}: {steps:?}");
    }
}
