//! Reports, through their routes, and what the ledger makes of them.
use axum::body::Body;
use axum::http::{Request, header};
use serde_json::{Value, json};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, Executor};
use uuid::Uuid;

use crate::SERVICE;
use crate::core::ground::worker::{Outcome, Worker};
use crate::core::testing::{Platform, Reply, new_user};
use crate::decisions::events::MODERATION_NOTICE;
use crate::queue::closing::schedulers::ReportCloser;
use crate::signals::events::USER_REGISTERED;

/// Writes a post that all can read, as its event would be stored; its id.
pub async fn write_post(platform: &Platform, author: Uuid, text: &str) -> Uuid {
    let id = Uuid::now_v7();
    let statement = format!(
        "insert into content (id, version, type, author, text, created_at)
        values ('{id}', now() - interval '1 hour', 'POST', '{author}', '{text}', now() - interval '1 hour')"
    );
    platform.app.db.execute(AssertSqlSafe(statement)).await.unwrap();
    id
}

/// The token of a moderator, and their id.
pub fn new_moderator() -> (String, Uuid) {
    let id = Uuid::now_v7();
    (format!("{id}:ACTIVE:MODERATOR"), id)
}

/// Lets a user report a post.
pub async fn report(platform: &Platform, token: &str, post: Uuid, reason: &str) -> Reply {
    let body = json!({ "subject_type": "POST", "subject_id": post, "reason": reason });
    platform.call("POST", "/reports", Some(token), Some(body)).await
}

/// Lets a moderator decide about a post, and the reports about it be closed; the decision.
pub async fn decide(platform: &Platform, moderator: &str, post: Uuid, action: Value) -> Value {
    let body = json!({ "actions": [action], "reason": "HARASSMENT_INSULT" });
    let path = format!("/moderation/subjects/POST/{post}/decisions");
    let reply = platform.call("POST", &path, Some(moderator), Some(body)).await;
    assert_eq!(reply.status, 201, "{reply:?}");
    close_reports(platform).await;
    reply.body
}

/// Follows the ledger to its end.
pub async fn close_reports(platform: &Platform) {
    let mut closer = ReportCloser(platform.app.clone());
    while closer.step().await.unwrap() == Outcome::Busy {}
}

/// The page of a post for moderators.
async fn page(platform: &Platform, post: Uuid) -> Value {
    let path = format!("/moderation/subjects/POST/{post}");
    let reply = platform.call("GET", &path, Some(&new_moderator().0), None).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    reply.body
}

async fn start(database: PgConnectOptions) -> Platform {
    Platform::start(&SERVICE, database, &[]).await
}

#[sqlx::test(migrations = false)]
async fn a_report_is_answered_by_the_decision_about_its_subject(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let ((ann, ann_id), (_, author)) = (new_user(), new_user());
    let post = write_post(&platform, author, "You are all fools.").await;
    let made = report(&platform, &ann, post, "HARASSMENT_INSULT").await;
    assert_eq!((made.status.as_u16(), &made.body["status"]), (201, &json!("OPEN")), "{made:?}");
    let mine = platform.call("GET", "/me/reports", Some(&ann), None).await;
    assert_eq!(mine.body, json!([made.body]));
    assert_eq!(page(&platform, post).await["state"]["reports"], 1);

    let (moderator, moderator_id) = new_moderator();
    decide(&platform, &moderator, post, json!({ "action": "HIDE" })).await;
    let mine = platform.call("GET", "/me/reports", Some(&ann), None).await;
    assert_eq!(mine.body[0]["status"], "AGREED");
    let notices = platform.published(MODERATION_NOTICE).await;
    let to_ann: Vec<&Value> = notices.iter().filter(|notice| notice["user_id"] == json!(ann_id)).collect();
    let [notice] = to_ann[..] else { panic!("{notices:?}") };
    assert_eq!((&notice["kind"], &notice["subject_id"]), (&json!("REPORT_OUTCOME"), &json!(post)));
    assert!(!notice.to_string().contains(&moderator_id.to_string()), "{notice}");
    let others = notices.iter().filter(|notice| notice["user_id"] == json!(author));
    assert!(others.into_iter().all(|notice| !notice.to_string().contains(&ann_id.to_string())), "{notices:?}");
}

#[sqlx::test(migrations = false)]
async fn only_what_a_user_can_see_and_has_not_reported_is_reported(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let ((ann, ann_id), (author_token, author)) = (new_user(), new_user());
    let post = write_post(&platform, author, "Hello").await;
    let refused = async |token: &str, id: Uuid| {
        let reply = report(&platform, token, id, "SPAM_COMMERCIAL").await;
        (reply.status.as_u16(), reply.body["detail"].as_str().unwrap_or_default().to_owned())
    };
    let not_found = (404, "Subject not found".to_owned());
    assert_eq!(refused(&ann, Uuid::now_v7()).await, not_found, "unknown");
    assert_eq!(refused(&author_token, post).await.0, 409, "one's own");
    assert_eq!(report(&platform, &ann, post, "SPAM_COMMERCIAL").await.status, 201);
    assert_eq!(refused(&ann, post).await.0, 409, "the same again");

    let draft = write_post(&platform, author, "Not yet").await;
    let private = format!("update content set text = null where id = '{draft}'");
    platform.app.db.execute(AssertSqlSafe(private)).await.unwrap();
    assert_eq!(refused(&ann, draft).await, not_found, "a draft");
    let gone = write_post(&platform, author, "Gone").await;
    platform
        .app
        .db
        .execute(AssertSqlSafe(format!("update content set gone_at = now() where id = '{gone}'")))
        .await
        .unwrap();
    assert_eq!(refused(&ann, gone).await, not_found, "deleted");

    decide(&platform, &new_moderator().0, post, json!({ "action": "HIDE" })).await;
    let (bert, _) = new_user();
    assert_eq!(refused(&bert, post).await, not_found, "hidden");

    let user = |id: Uuid| json!({ "subject_type": "USER", "subject_id": id, "reason": "OTHER_RULES" });
    assert_eq!(platform.call("POST", "/reports", Some(&ann), Some(user(author))).await.status, 201);
    assert_eq!(
        platform.call("POST", "/reports", Some(&ann), Some(user(ann_id))).await.status,
        404,
        "was never heard of"
    );
    let muted = format!("{ann_id}:MUTED:USER");
    assert_eq!(platform.call("POST", "/reports", Some(&muted), Some(user(author))).await.status, 403);
}

/// The decision about a subject says as well that the reports about it were a misuse: they count as abusive at once.
#[sqlx::test(migrations = false)]
async fn a_decision_calls_its_reports_abusive(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let ((ann, ann_id), (moderator, _)) = (new_user(), new_moderator());
    let post = write_post(&platform, new_user().1, "Fine").await;
    assert_eq!(report(&platform, &ann, post, "SPAM_COMMERCIAL").await.status, 201);
    let path = format!("/moderation/subjects/POST/{post}/decisions");
    let body =
        |abusive: Value| json!({ "actions": [{ "action": "ALLOW" }], "reason": "OTHER_RULES", "abusive": abusive });
    let wrong = platform.call("POST", &path, Some(&moderator), Some(body(Value::Null))).await;
    assert_eq!((wrong.status.as_u16(), &wrong.body["detail"][0]["loc"]), (422, &json!(["body", "abusive"])));
    assert_eq!(platform.call("POST", &path, Some(&moderator), Some(body(json!(true)))).await.status, 201);
    close_reports(&platform).await;
    let record = platform.call("GET", &format!("/moderation/reporters/{ann_id}"), Some(&moderator), None).await.body;
    assert_eq!((&record["abusive"], &record["reports"][0]["status"]), (&json!(1), &json!("ABUSIVE")), "{record}");
}

/// A user who has only registered can be reported for a name or a picture, stands in the queue, and is decided about; once
/// their account is erased there is nobody to report.
#[sqlx::test(migrations = false)]
async fn a_user_who_has_written_nothing_is_reported(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let ((ann, _), (_, silent)) = (new_user(), new_user());
    platform.consume(USER_REGISTERED, &json!({ "id": silent, "created_at": "2026-11-20T11:00:00+00:00" })).await;
    let body = json!({ "subject_type": "USER", "subject_id": silent, "reason": "MISLEADING_IMPERSONATION" });
    let made = platform.call("POST", "/reports", Some(&ann), Some(body.clone())).await;
    assert_eq!((made.status.as_u16(), &made.body["subject_id"]), (201, &json!(silent)), "{made:?}");
    let (moderator, _) = new_moderator();
    let path = format!("/moderation/subjects/USER/{silent}");
    let shown = platform.call("GET", &path, Some(&moderator), None).await;
    assert_eq!((shown.status.as_u16(), &shown.body["state"]["reports"]), (200, &json!(1)), "{shown:?}");
    let warned = json!({ "actions": [{ "action": "WARN" }], "reason": "MISLEADING_IMPERSONATION" });
    let decided = platform.call("POST", &format!("{path}/decisions"), Some(&moderator), Some(warned)).await;
    assert_eq!(decided.status, 201, "{decided:?}");
    close_reports(&platform).await;
    assert_eq!(platform.call("GET", "/me/reports", Some(&ann), None).await.body[0]["status"], "AGREED");
    platform.erase(silent).await;
    assert_eq!(platform.call("POST", "/reports", Some(&ann), Some(body)).await.status, 404);
}

#[sqlx::test(migrations = false)]
async fn all_that_is_wrong_with_a_report_is_said(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let (ann, _) = new_user();
    let wrong = [
        (json!({}), vec!["subject_type", "subject_id", "reason"]),
        (
            json!({ "subject_type": "PAGE", "subject_id": "x", "reason": "BECAUSE" }),
            vec!["subject_type", "subject_id", "reason"],
        ),
        (
            json!({ "subject_type": null, "subject_id": null, "reason": null }),
            vec!["subject_type", "subject_id", "reason"],
        ),
        (
            json!({ "subject_type": "POST", "subject_id": Uuid::now_v7(), "reason": "SPAM_LINK", "text": "x".repeat(1_001) }),
            vec!["text"],
        ),
        (
            json!({ "subject_type": "POST", "subject_id": Uuid::now_v7(), "reason": "SPAM_LINK", "weight": 9 }),
            vec!["weight"],
        ),
    ];
    for (body, expected) in wrong {
        let reply = platform.call("POST", "/reports", Some(&ann), Some(body.clone())).await;
        assert_eq!(reply.status, 422, "{body}: {reply:?}");
        let places: Vec<_> =
            reply.body["detail"].as_array().unwrap().iter().map(|place| place["loc"][1].clone()).collect();
        assert_eq!(json!(places), json!(expected), "{body}");
    }
}

#[sqlx::test(migrations = false)]
async fn enough_reports_hold_a_post_until_a_person_has_looked(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let post = write_post(&platform, new_user().1, "Fools").await;
    for reporters in 1..=3 {
        assert_eq!(
            page(&platform, post).await["state"]["visibility"].as_str().unwrap_or("VISIBLE"),
            "VISIBLE",
            "{reporters}"
        );
        assert_eq!(report(&platform, &new_user().0, post, "HARASSMENT_BULLYING").await.status, 201);
    }
    let held = page(&platform, post).await;
    assert_eq!((&held["state"]["visibility"], &held["state"]["review"]), (&json!("HELD"), &json!("OPEN")), "{held}");
    assert_eq!(held["history"][0]["actor_type"], "MACHINE", "{held}");
    // The machine has decided by the reports, and found nothing itself.
    let decision = format!("/moderation/decisions/{}", held["state"]["decisions"][0].as_str().unwrap());
    let decision = platform.call("GET", &decision, Some(&new_moderator().0), None).await.body;
    let found = &decision["automated_means"]["comparisons"][0];
    assert_eq!((&found["signal"], &found["at_least"]), (&json!("report_weight"), &json!(3.0)), "{decision}");
    assert_eq!(platform.published("post_delete_requested").await.len(), 1);

    // What a person has allowed is not held again by the next campaign; a person looks again.
    let (moderator, _) = new_moderator();
    decide(&platform, &moderator, post, json!({ "action": "ALLOW" })).await;
    assert_eq!(page(&platform, post).await["state"]["visibility"], "VISIBLE");
    for _ in 0..4 {
        assert_eq!(report(&platform, &new_user().0, post, "HARASSMENT_BULLYING").await.status, 201);
    }
    let again = page(&platform, post).await;
    assert_eq!(
        (&again["state"]["visibility"], &again["state"]["review"]),
        (&json!("VISIBLE"), &json!("OPEN")),
        "{again}"
    );
}

#[sqlx::test(migrations = false)]
async fn a_threshold_of_0_lets_reports_hold_nothing(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = Platform::start(&SERVICE, database, &["--report-hold-threshold", "0"]).await;
    let post = write_post(&platform, new_user().1, "Fools").await;
    for _ in 0..5 {
        report(&platform, &new_user().0, post, "HARASSMENT_BULLYING").await;
    }
    let state = page(&platform, post).await["state"].clone();
    assert_eq!((&state["visibility"], &state["reports"]), (&json!("VISIBLE"), &json!(5)));
}

#[sqlx::test(migrations = false)]
async fn reports_weigh_by_the_record_of_their_reporter(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let ((ann, ann_id), (moderator, _)) = (new_user(), new_moderator());
    let record = async || {
        let path = format!("/moderation/reporters/{ann_id}");
        platform.call("GET", &path, Some(&moderator), None).await.body
    };
    let author = new_user().1;
    assert_eq!(record().await["weight"], 1.0);
    let first = write_post(&platform, author, "One").await;
    report(&platform, &ann, first, "SPAM_COMMERCIAL").await;
    let hidden = decide(&platform, &moderator, first, json!({ "action": "HIDE" })).await;
    assert_eq!((&record().await["agreed"], &record().await["weight"]), (&json!(1), &json!(1.2)));

    let second = write_post(&platform, author, "Two").await;
    report(&platform, &ann, second, "SPAM_COMMERCIAL").await;
    assert_eq!(page(&platform, second).await["reports"][0]["weight"], 1.2);
    decide(&platform, &moderator, second, json!({ "action": "DISMISS" })).await;
    assert_eq!((&record().await["ignored"], &record().await["weight"]), (&json!(1), &json!(1.0)));

    // A decision that was wrong was no reason to agree.
    let path = format!("/moderation/decisions/{}/reverse", hidden["id"].as_str().unwrap());
    let reversed = platform.call("POST", &path, Some(&moderator), Some(json!({ "note": "A quotation." }))).await;
    assert!(reversed.status.is_success(), "{reversed:?}");
    close_reports(&platform).await;
    assert_eq!((&record().await["agreed"], &record().await["ignored"]), (&json!(0), &json!(2)));

    let reports = platform.call("GET", "/me/reports", Some(&ann), None).await.body;
    let path = format!("/moderation/reports/{}", reports[0]["id"].as_str().unwrap());
    let corrected = platform.call("PUT", &path, Some(&moderator), Some(json!({ "status": "ABUSIVE" }))).await;
    assert_eq!(corrected.status, 204, "{corrected:?}");
    assert_eq!((&record().await["abusive"], &record().await["ignored"]), (&json!(1), &json!(1)));
    let reports = platform.call("GET", "/me/reports", Some(&ann), None).await.body;
    assert_eq!(reports[0]["status"], "IGNORED", "what moderators note is not for the reporter");
    let open = json!({ "status": "OPEN" });
    assert_eq!(platform.call("PUT", &path, Some(&moderator), Some(open)).await.status, 422);
}

#[sqlx::test(migrations = false)]
async fn a_muted_reporter_notices_nothing_and_weighs_nothing(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let ((ann, ann_id), (moderator, moderator_id)) = (new_user(), new_moderator());
    let path = format!("/moderation/reporters/{ann_id}/mute");
    let mute = json!({ "muted": true, "hours": 24, "note": "A rival." });
    assert_eq!(platform.call("PUT", &path, Some(&moderator), Some(mute)).await.status, 204);
    let post = write_post(&platform, new_user().1, "Fine").await;
    let made = report(&platform, &ann, post, "SPAM_COMMERCIAL").await;
    assert_eq!((made.status.as_u16(), made.body.get("weight")), (201, None));
    let seen = page(&platform, post).await;
    assert_eq!((&seen["state"]["report_weight"], &seen["reports"][0]["weight"]), (&json!(0.0), &json!(0.0)));
    let shown = platform.call("GET", &format!("/moderation/reporters/{ann_id}"), Some(&moderator), None).await.body;
    assert_eq!((&shown["mute"]["moderator"], &shown["mute"]["note"]), (&json!(moderator_id), &json!("A rival.")));
    assert_eq!(platform.call("PUT", &path, Some(&moderator), Some(json!({ "muted": false }))).await.status, 204);
    let shown = platform.call("GET", &format!("/moderation/reporters/{ann_id}"), Some(&moderator), None).await.body;
    assert_eq!((&shown["mute"], &shown["weight"]), (&Value::Null, &json!(1.0)));
    let wrong = platform.call("PUT", &path, Some(&moderator), Some(json!({ "hours": 0 }))).await;
    assert_eq!((wrong.status.as_u16(), wrong.body["detail"].as_array().unwrap().len()), (422, 2), "{wrong:?}");
    assert_eq!(platform.call("PUT", &path, Some(&ann), Some(json!({ "muted": true }))).await.status, 403);
}

#[sqlx::test(migrations = false)]
async fn a_decision_closes_the_reports_before_it_and_no_later_one(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let ((ann, _), (bert, _), (moderator, _)) = (new_user(), new_user(), new_moderator());
    let post = write_post(&platform, new_user().1, "Once more").await;
    report(&platform, &ann, post, "SPAM_COMMERCIAL").await;
    let body = json!({ "actions": [{ "action": "ALLOW" }], "reason": "SPAM_COMMERCIAL" });
    let path = format!("/moderation/subjects/POST/{post}/decisions");
    assert_eq!(platform.call("POST", &path, Some(&moderator), Some(body)).await.status, 201);
    // Reported after the decision, and before the reports are closed.
    assert_eq!(report(&platform, &bert, post, "SPAM_COMMERCIAL").await.status, 201);
    close_reports(&platform).await;
    let status =
        async |token: &str| platform.call("GET", "/me/reports", Some(token), None).await.body[0]["status"].clone();
    assert_eq!((status(&ann).await, status(&bert).await), (json!("IGNORED"), json!("OPEN")));
    assert_eq!(page(&platform, post).await["state"]["reports"], 1);
}

#[sqlx::test(migrations = false)]
async fn a_report_that_is_sent_twice_with_one_key_is_made_once(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let (ann, _) = new_user();
    let post = write_post(&platform, new_user().1, "Fine").await;
    let send = async || {
        let body = json!({ "subject_type": "POST", "subject_id": post, "reason": "SPAM_COMMERCIAL" });
        let request = Request::post("/api/v1/reports").header(header::AUTHORIZATION, format!("Bearer {ann}"));
        let request = request.header(header::CONTENT_TYPE, "application/json").header("Idempotency-Key", "one");
        platform.send(request.body(Body::from(body.to_string())).unwrap()).await
    };
    let (first, second) = (send().await, send().await);
    assert_eq!((first.status.as_u16(), second.status.as_u16()), (201, 201));
    assert_eq!(first.body, second.body);
    assert_eq!(page(&platform, post).await["state"]["reports"], 1);
}

#[sqlx::test(migrations = false)]
async fn words_in_reports_are_exported_to_their_writer_and_erased_with_either_side(
    _: PgPoolOptions,
    database: PgConnectOptions,
) {
    let platform = start(database).await;
    let ((ann, ann_id), (_, author)) = (new_user(), new_user());
    let post = write_post(&platform, author, "Fine").await;
    let body = json!({ "subject_type": "POST", "subject_id": post, "reason": "SPAM_COMMERCIAL", "text": "Annasword" });
    assert_eq!(platform.call("POST", "/reports", Some(&ann), Some(body)).await.status, 201);
    let hers = platform.personal_data_of(ann_id, "reports").await;
    assert_eq!((&hers[0]["text"], hers[0].get("weight")), (&json!("Annasword"), None));
    let about = platform.personal_data_of(author, "reports_received").await;
    assert_eq!((about.len(), &about[0]["reason"]), (1, &json!("SPAM_COMMERCIAL")));
    assert!(
        !about[0].to_string().contains("Annasword") && !about[0].to_string().contains(&ann_id.to_string()),
        "{about:?}"
    );
    assert_eq!(platform.finds("Annasword").await, ["moderation.report"]);
    platform.erase(ann_id).await;
    assert_eq!(platform.finds("Annasword").await, [""; 0]);
    assert_eq!(page(&platform, post).await["state"]["report_weight"], 1.0, "the weight stays");
}

/// A report about what an erased person wrote is closed with the erasure: nothing else would ever answer it.
#[sqlx::test(migrations = false)]
async fn the_erasure_of_an_author_closes_the_reports_about_them(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let ((ann, _), (_, author)) = (new_user(), new_user());
    let post = write_post(&platform, author, "Fine").await;
    let body = json!({ "subject_type": "POST", "subject_id": post, "reason": "SPAM_COMMERCIAL" });
    assert_eq!(platform.call("POST", "/reports", Some(&ann), Some(body.clone())).await.status, 201);
    platform.erase(author).await;
    let mine = platform.call("GET", "/me/reports", Some(&ann), None).await.body;
    assert_eq!((&mine[0]["status"], mine[0]["closed_at"].is_string()), (&json!("GONE"), true), "{mine}");
    assert_eq!(platform.call("POST", "/reports", Some(&ann), Some(body)).await.status, 404);
    assert!(platform.published(MODERATION_NOTICE).await.is_empty(), "its reporter is not notified");
}
