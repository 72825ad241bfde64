//! The queue, through its routes.
mod histories;

use std::collections::BTreeSet;
use std::time::Instant;

use axum::body::Body;
use axum::http::{Request, header};
use futures::future::join_all;
use serde_json::{Value, json};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, Executor};
use uuid::Uuid;

use super::bulk::carrying::{BulkWork, carry_out};
use super::bulk::models::{BulkRequest, delete_old_requests};
use super::bulk::{BulkDecisionIn, BulkOutcome};
use super::models::{claim_next, release};
use super::services::QueueFilter;
use crate::SERVICE;
use crate::core::app::identity::{Role, Status, User};
use crate::core::contract::fields::Fields;
use crate::core::testing::{Platform, Reply, new_user};
use crate::decisions::tests::{new_content, until_one_waits};
use crate::reports::tests::{close_reports, decide, new_moderator, report, write_post};
use crate::scopes::services::ScopeFilter;
use crate::strikes::services::Ladder;
use crate::subjects::models::lock;
use crate::subjects::{SubjectKey, SubjectType};

async fn start(database: PgConnectOptions) -> Platform {
    Platform::start(&SERVICE, database, &[]).await
}

async fn execute(platform: &Platform, statement: String) {
    platform.app.db.execute(AssertSqlSafe(statement)).await.unwrap();
}

/// A post of a user that waits in the queue.
pub async fn waiting_post(platform: &Platform, author: Uuid) -> Uuid {
    let post = new_content(platform, SubjectType::Post, author).await;
    let subject = format!(
        "insert into subject (type, id, author, version, review, severity, opened_at)
        values ('POST', '{}', '{author}', 1, 'OPEN', 0.5, now())",
        post.id
    );
    execute(platform, subject).await;
    post.id
}

/// A post that a user has reported.
async fn reported(platform: &Platform, reason: &str) -> Uuid {
    let post = write_post(platform, new_user().1, "Is this so?").await;
    let made = report(platform, &new_user().0, post, reason).await;
    assert_eq!(made.status, 201, "{made:?}");
    post
}

/// The ids of a list.
fn ids(reply: &Reply) -> Vec<Uuid> {
    assert_eq!(reply.status, 200, "{reply:?}");
    let items = reply.body.as_array().unwrap().iter();
    items.map(|item| item["id"].as_str().unwrap().parse().unwrap()).collect()
}

async fn queue(platform: &Platform, query: &str) -> Vec<Uuid> {
    ids(&platform.call("GET", &format!("/moderation/queue{query}"), Some(&new_moderator().0), None).await)
}

async fn claim(platform: &Platform, moderator: &str, body: Value) -> Vec<Uuid> {
    ids(&platform.call("POST", "/moderation/queue/claim", Some(moderator), Some(body)).await)
}

#[sqlx::test(migrations = false)]
async fn the_urgent_comes_first_and_what_waits_long_enough_too(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let mild = reported(&platform, "SPAM_COMMERCIAL").await;
    let grave = reported(&platform, "VIOLENCE_THREAT").await;
    let middle = reported(&platform, "HATE_SLUR").await;
    assert_eq!(queue(&platform, "").await, [grave, middle, mild]);
    // Four times as grave is worth 6 h x ln 4 = 8.3 h of waiting.
    for (hours, first) in [(8, grave), (9, mild)] {
        execute(
            &platform,
            format!("update subject set opened_at = now() - interval '{hours} hours' where id = '{mild}'"),
        )
        .await;
        assert_eq!(queue(&platform, "").await[0], first, "{hours}");
    }
    // More readers, and more reporters.
    execute(&platform, format!("update subject set opened_at = now() where id = '{mild}'")).await;
    execute(&platform, format!("update content set reach = 1000000 where id = '{mild}'")).await;
    assert_eq!(queue(&platform, "").await, [mild, grave, middle]);
    for _ in 0..2 {
        report(&platform, &new_user().0, middle, "HATE_SLUR").await;
    }
    assert_eq!(queue(&platform, "").await, [mild, grave, middle], "twice as many reports are not twice as grave");
    execute(&platform, format!("update content set reach = 3 where id = '{middle}'")).await;
    assert_eq!(queue(&platform, "").await, [mild, middle, grave]);
}

#[sqlx::test(migrations = false)]
async fn pages_of_the_queue_follow_each_other(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    for _ in 0..5 {
        reported(&platform, "SPAM_COMMERCIAL").await;
    }
    let all = queue(&platform, "").await;
    assert_eq!(all.len(), 5);
    let (moderator, _) = new_moderator();
    let (mut found, mut next) = (Vec::new(), "/moderation/queue?limit=2".to_owned());
    loop {
        let reply = platform.call("GET", &next, Some(&moderator), None).await;
        found.extend(ids(&reply));
        let Some(link) = reply.headers.get(header::LINK) else { break };
        let link = link.to_str().unwrap().strip_prefix("</api/v1").unwrap();
        next = link.strip_suffix(">; rel=\"next\"").unwrap().to_owned();
    }
    assert_eq!(found, all, "in the same order, each once");
    let item = platform.call("GET", "/moderation/queue?limit=1", Some(&moderator), None).await.body[0].clone();
    assert_eq!(
        (&item["reports"], &item["flagged_by"], &item["reasons"]),
        (&json!(1), &json!(["PEOPLE"]), &json!(["SPAM_COMMERCIAL"]))
    );
    assert_eq!((&item["excerpt"], item.get("place")), (&json!("Is this so?"), None));
}

#[sqlx::test(migrations = false)]
async fn the_queue_is_filtered(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let spam = reported(&platform, "SPAM_COMMERCIAL").await;
    let threat = reported(&platform, "VIOLENCE_THREAT").await;
    let (_, author) = new_user();
    write_post(&platform, author, "Hello").await;
    let user = json!({ "subject_type": "USER", "subject_id": author, "reason": "MISLEADING_IMPERSONATION" });
    assert_eq!(platform.call("POST", "/reports", Some(&new_user().0), Some(user)).await.status, 201);
    execute(&platform, format!("update subject set flagged = true, reports = 0 where id = '{threat}'")).await;
    let of = async |query: &str| queue(&platform, query).await;
    assert_eq!(of("?type=USER").await, [author]);
    assert_eq!(of("?family=SPAM").await, [spam]);
    assert_eq!(of("?reason=VIOLENCE_THREAT").await, [threat]);
    assert!(of("?family=HATE").await.is_empty());
    assert_eq!(of("?min_severity=0.9").await, [threat]);
    assert_eq!(of("?flagged_by=MACHINE").await, [threat]);
    assert_eq!(of("?flagged_by=PEOPLE").await.len(), 2);
    assert!(of("?escalated=true").await.is_empty());
    let (moderator, _) = new_moderator();
    assert_eq!(claim(&platform, &moderator, json!({ "family": "SPAM", "limit": 5 })).await, [spam]);
    let mine = platform.call("GET", "/moderation/queue?claimed_by_me=true", Some(&moderator), None).await;
    assert_eq!(ids(&mine), [spam]);
    let wrong = "/moderation/queue?type=PAGE&family=NOISE&min_severity=2&escalated=maybe&flagged_by=ME&reason=NONE";
    let reply = platform.call("GET", wrong, Some(&moderator), None).await;
    assert_eq!((reply.status.as_u16(), reply.body["detail"].as_array().unwrap().len()), (422, 6), "{reply:?}");
    let body = json!({ "limit": 51, "family": "NOISE", "order": "random" });
    let reply = platform.call("POST", "/moderation/queue/claim", Some(&moderator), Some(body)).await;
    assert_eq!((reply.status.as_u16(), reply.body["detail"].as_array().unwrap().len()), (422, 3), "{reply:?}");
}

/// A client that asks again and again keeps no queue from the others.
#[sqlx::test(migrations = false)]
async fn a_moderator_has_so_many_at_once_and_no_more(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let (_, author) = new_user();
    for _ in 0..3 {
        waiting_post(&platform, author).await;
    }
    let ((first, her), (second, _)) = (new_moderator(), new_moderator());
    let many = format!(
        "insert into claim (subject_type, subject_id, moderator, until)
        select 'POST', gen_random_uuid(), '{her}', now() + interval '5 minutes' from generate_series(1, 999)"
    );
    execute(&platform, many).await;
    let all = json!({ "limit": 50 });
    assert_eq!(claim(&platform, &first, all.clone()).await.len(), 1, "her thousandth");
    assert!(claim(&platform, &first, all.clone()).await.is_empty(), "there are two more");
    assert_eq!(claim(&platform, &second, json!({ "limit": 1 })).await.len(), 1);
    execute(&platform, format!("update claim set until = now() - interval '1 second' where moderator = '{her}'")).await;
    assert_eq!(claim(&platform, &first, all).await.len(), 2, "her claims have ended");
}

#[sqlx::test(migrations = false)]
async fn eight_moderators_at_once_never_get_the_same_item(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let fill = "insert into subject (type, id, author, version, review, severity, opened_at)
        select 'POST', gen_random_uuid(), gen_random_uuid(), 1, 'OPEN', random(), now() - n * interval '1 minute'
        from generate_series(1, 120) as n";
    platform.app.db.execute(fill).await.unwrap();
    let work = async |_: u32| {
        let (moderator, _) = new_moderator();
        let mut got = Vec::new();
        loop {
            let claimed = claim(&platform, &moderator, json!({ "limit": 3 })).await;
            if claimed.is_empty() {
                return got;
            }
            got.extend(claimed);
        }
    };
    let got = join_all((0..8).map(work)).await;
    let all: Vec<Uuid> = got.iter().flatten().copied().collect();
    let different: BTreeSet<Uuid> = all.iter().copied().collect();
    assert_eq!((all.len(), different.len()), (120, 120), "each item is with one moderator");
    assert!(got.iter().filter(|items| !items.is_empty()).count() > 1, "they did work at once");
}

#[sqlx::test(migrations = false)]
async fn a_claim_is_renewed_released_and_ends(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let post = reported(&platform, "HATE_SLUR").await;
    let ((one, one_id), (other, _)) = (new_moderator(), new_moderator());
    let path = format!("/moderation/subjects/post/{post}/claim");
    let claimed = platform.call("POST", &path, Some(&one), None).await;
    assert_eq!((claimed.status.as_u16(), &claimed.body["moderator"]), (200, &json!(one_id)));
    execute(&platform, "update claim set until = until - interval '10 minutes'".to_owned()).await;
    let renewed = platform.call("POST", &path, Some(&one), None).await;
    assert!(renewed.body["until"].as_str() > claimed.body["until"].as_str(), "{renewed:?}");
    let taken = platform.call("POST", &path, Some(&other), None).await;
    assert_eq!((taken.status.as_u16(), &taken.body["detail"]), (409, &json!("Another moderator has claimed this")));
    assert!(claim(&platform, &other, json!({})).await.is_empty());
    assert_eq!(platform.call("DELETE", &path, Some(&other), None).await.status, 404);
    let allow = json!({ "actions": [{ "action": "ALLOW" }], "reason": "OTHER_RULES" });
    let decisions = format!("/moderation/subjects/post/{post}/decisions");
    let decided = platform.call("POST", &decisions, Some(&other), Some(allow.clone())).await;
    assert_eq!(decided.status, 409, "two do not decide about one: {decided:?}");
    let mut bulk = allow;
    bulk["subjects"] = json!([{ "type": "POST", "id": post }]);
    let decided = platform.call("POST", "/moderation/decisions/bulk", Some(&other), Some(bulk)).await;
    assert_eq!(decided.body[0]["outcome"], "CLAIMED", "{decided:?}");

    execute(&platform, "update claim set until = now() - interval '1 second'".to_owned()).await;
    assert_eq!(claim(&platform, &other, json!({})).await, [post], "a quarter of an hour is over");
    assert_eq!(platform.call("POST", &path, Some(&one), None).await.status, 409);
    assert_eq!(platform.call("DELETE", &path, Some(&other), None).await.status, 204);
    assert_eq!(platform.call("POST", &path, Some(&one), None).await.status, 200);
    let admin = format!("{}:ACTIVE:ADMIN", Uuid::now_v7());
    assert_eq!(platform.call("DELETE", &path, Some(&admin), None).await.status, 204, "an administrator ends any");

    assert_eq!(claim(&platform, &one, json!({})).await, [post]);
    decide(&platform, &one, post, json!({ "action": "ALLOW" })).await;
    assert!(claim(&platform, &other, json!({})).await.is_empty(), "it is decided");
    let left = platform.call("GET", &format!("/moderation/subjects/POST/{post}"), Some(&one), None).await;
    assert_eq!(left.body["claim"], Value::Null);
    let unknown = format!("/moderation/subjects/POST/{}/claim", Uuid::now_v7());
    assert_eq!(platform.call("POST", &unknown, Some(&one), None).await.status, 404);
}

/// A claim that is made while a decision is under way keeps the item from it, as one of before does.
#[sqlx::test(migrations = false)]
async fn a_decision_sees_the_claim_that_was_made_meanwhile(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let post = reported(&platform, "HATE_SLUR").await;
    let ((one, _), (_, other)) = (new_moderator(), new_moderator());
    let mut tx = platform.app.db.begin().await.unwrap();
    let claimed = claim_next(&mut tx, (other, &ScopeFilter::ALL), &QueueFilter::default(), 1).await.unwrap();
    assert_eq!(claimed.keys.len(), 1);
    let path = format!("/moderation/subjects/POST/{post}/decisions");
    let body = json!({ "actions": [{ "action": "HIDE" }], "reason": "HATE_SLUR" });
    let decision = platform.call("POST", &path, Some(&one), Some(body));
    let commit = async {
        until_one_waits(&platform).await;
        tx.commit().await.unwrap();
    };
    let (decided, ()) = tokio::join!(decision, commit);
    assert_eq!(decided.status, 409, "{decided:?}");
}

/// An escalation and a decision about one item, at once, wait for each other in one order, so that neither fails.
#[sqlx::test(migrations = false)]
async fn an_escalation_waits_for_a_decision(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let ((_, author), (one, _)) = (new_user(), new_moderator());
    let post = waiting_post(&platform, author).await;
    assert_eq!(claim(&platform, &one, json!({})).await, [post]);
    let key = SubjectKey { r#type: SubjectType::Post, id: post };
    let mut tx = platform.app.db.begin().await.unwrap();
    lock(&mut tx, &[(key, author)]).await.unwrap();
    let path = format!("/moderation/subjects/POST/{post}/escalate");
    let escalation = platform.call("POST", &path, Some(&one), Some(json!({ "note": "For a senior." })));
    // What a decision does: it ends the claim under the lock of its subject.
    let decision = async {
        until_one_waits(&platform).await;
        release(&mut *tx, key, None).await.unwrap();
        tx.commit().await.unwrap();
    };
    let (escalated, ()) = tokio::join!(escalation, decision);
    assert_eq!(escalated.status, 201, "{escalated:?}");
}

#[sqlx::test(migrations = false)]
async fn no_moderator_works_on_what_they_wrote(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let (moderator, author) = new_moderator();
    let post = write_post(&platform, author, "By a moderator").await;
    report(&platform, &new_user().0, post, "HATE_SLUR").await;
    assert!(claim(&platform, &moderator, json!({})).await.is_empty());
    for (path, body) in
        [("claim", None), ("notes", Some(json!({ "note": "Fine." }))), ("escalate", Some(json!({ "note": "x" })))]
    {
        let path = format!("/moderation/subjects/POST/{post}/{path}");
        assert_eq!(platform.call("POST", &path, Some(&moderator), body).await.status, 403, "{path}");
    }
    assert_eq!(claim(&platform, &new_moderator().0, json!({})).await, [post]);
}

#[sqlx::test(migrations = false)]
async fn what_is_escalated_waits_for_those_who_ask_for_it(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let post = reported(&platform, "HATE_SLUR").await;
    let ((moderator, _), (another, another_id), (senior, _)) = (new_moderator(), new_moderator(), new_moderator());
    assert_eq!(claim(&platform, &moderator, json!({})).await, [post]);
    let path = format!("/moderation/subjects/POST/{post}");
    let note = json!({ "note": "Is this satire?" });
    let noted = platform.call("POST", &format!("{path}/notes"), Some(&moderator), Some(note)).await;
    assert_eq!((noted.status.as_u16(), &noted.body["review"]), (201, &json!("OPEN")), "{noted:?}");
    let note = json!({ "note": "For the lawyers." });
    // Another one than who has claimed it may hand it on, too.
    let escalated = platform.call("POST", &format!("{path}/escalate"), Some(&another), Some(note)).await;
    assert_eq!((escalated.status.as_u16(), &escalated.body["review"]), (201, &json!("ESCALATED")), "{escalated:?}");
    let empty = platform.call("POST", &format!("{path}/notes"), Some(&moderator), Some(json!({ "note": " " }))).await;
    assert_eq!(empty.status, 422);
    assert!(claim(&platform, &senior, json!({})).await.is_empty());
    assert_eq!(claim(&platform, &senior, json!({ "escalated": true })).await, [post], "its claim has ended");

    let page = platform.call("GET", &path, Some(&senior), None).await.body;
    let history: Vec<_> =
        page["history"].as_array().unwrap().iter().map(|entry| entry["kind"].as_str().unwrap()).collect();
    assert_eq!(history, ["escalated", "noted", "reported"]);
    assert_eq!(
        (&page["history"][0]["actor"], &page["history"][0]["words"]["note"]),
        (&json!(another_id), &json!("For the lawyers."))
    );
    assert_eq!((&page["content"]["text"], &page["author"]["reports"]), (&json!("Is this so?"), &json!(1)));
    let user = platform.call("GET", &path, Some(&new_user().0), None).await;
    assert_eq!(user.status, 403);
}

#[sqlx::test(migrations = false)]
async fn many_are_decided_at_once_each_with_an_entry_of_its_own(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let (moderator, moderator_id) = new_moderator();
    let (_, spammer) = new_user();
    let mut posts = Vec::new();
    for number in 0..5 {
        let post = write_post(&platform, spammer, &format!("Buy now {number}")).await;
        report(&platform, &new_user().0, post, "SPAM_COMMERCIAL").await;
        posts.push(post);
    }
    let own = write_post(&platform, moderator_id, "Mine").await;
    report(&platform, &new_user().0, own, "SPAM_COMMERCIAL").await;
    let calm = write_post(&platform, spammer, "Nobody minds").await;
    let unknown = Uuid::now_v7();
    let subjects: Vec<Value> =
        posts.iter().chain([&own, &calm, &unknown]).map(|id| json!({ "type": "POST", "id": id })).collect();
    let body = json!({ "subjects": subjects, "actions": [{ "action": "HIDE" }], "reason": "SPAM_COMMERCIAL" });
    let reply = platform.call("POST", "/moderation/decisions/bulk", Some(&moderator), Some(body.clone())).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    let results = reply.body.as_array().unwrap();
    let outcomes: Vec<_> = results.iter().map(|result| result["outcome"].as_str().unwrap()).collect();
    assert_eq!(outcomes, ["DECIDED", "DECIDED", "DECIDED", "DECIDED", "DECIDED", "OWN", "NOT_OPEN", "NOT_FOUND"]);
    let decisions: BTreeSet<_> = results.iter().filter_map(|result| result["decision"].as_str()).collect();
    assert_eq!(decisions.len(), 5, "a decision for each");
    let entries = sqlx::query_scalar!(
        r#"select count(*) as "count!" from ledger where kind = 'decided' and subject_type = 'POST' and actor = $1"#,
        moderator_id
    );
    assert_eq!(entries.fetch_one(&platform.app.db).await.unwrap(), 5);
    // The same again decides nothing more.
    let again = platform.call("POST", "/moderation/decisions/bulk", Some(&moderator), Some(body)).await;
    let decided = again.body.as_array().unwrap().iter().filter(|result| result["outcome"] == "DECIDED").count();
    assert_eq!(decided, 0, "{again:?}");

    let all = json!({ "subjects": [{ "type": "POST", "id": calm }], "only_open": false,
        "actions": [{ "action": "LIMIT" }], "reason": "SPAM_COMMERCIAL" });
    let reply = platform.call("POST", "/moderation/decisions/bulk", Some(&moderator), Some(all)).await;
    assert_eq!(reply.body[0]["outcome"], "DECIDED", "{reply:?}");
    for wrong in [json!([]), json!(vec![json!({ "type": "POST", "id": calm }); 1_001]), json!([{ "type": "X" }])] {
        let body = json!({ "subjects": wrong, "actions": [{ "action": "HIDE" }], "reason": "SPAM_COMMERCIAL" });
        let reply = platform.call("POST", "/moderation/decisions/bulk", Some(&moderator), Some(body)).await;
        assert_eq!(reply.status, 422, "{reply:?}");
    }
}

#[sqlx::test(migrations = false)]
async fn reports_that_were_a_misuse_count_against_their_reporters(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let ((ann, ann_id), (moderator, _)) = (new_user(), new_moderator());
    let post = write_post(&platform, new_user().1, "A rival").await;
    report(&platform, &ann, post, "SPAM_COMMERCIAL").await;
    let body = json!({ "subjects": [{ "type": "POST", "id": post }], "actions": [{ "action": "DISMISS" }],
        "reason": "SPAM_COMMERCIAL", "abusive": true });
    let reply = platform.call("POST", "/moderation/decisions/bulk", Some(&moderator), Some(body)).await;
    assert_eq!(reply.body[0]["outcome"], "DECIDED", "{reply:?}");
    close_reports(&platform).await;
    let record = platform.call("GET", &format!("/moderation/reporters/{ann_id}"), Some(&moderator), None).await.body;
    assert_eq!((&record["abusive"], &record["reports"][0]["status"]), (&json!(1), &json!("ABUSIVE")), "{record}");
    assert!(record["weight"].as_f64().unwrap() < 0.5, "{record}");
}

/// A request whose time is over goes on where it was when it is sent again under its key, and decides nothing twice.
#[sqlx::test(migrations = false)]
async fn a_request_about_many_goes_on_where_it_was(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let ((moderator, id), (_, spammer)) = (new_moderator(), new_user());
    let mut subjects = Vec::new();
    for _ in 0..45 {
        subjects.push(json!({ "type": "POST", "id": waiting_post(&platform, spammer).await }));
    }
    // Whatever waits: without its key the same request would decide again.
    let body =
        json!({ "subjects": subjects, "only_open": false, "actions": [{ "action": "LIMIT" }], "reason": "SPAM_LINK" });
    let Value::Object(values) = body.clone() else { panic!("an object") };
    let read: BulkDecisionIn = Fields::read(values).unwrap();
    let staff = User { id, role: Role::Moderator, status: Status::Active, session: None, expires_at: None };
    let ladder = Ladder { strike_ladder: Vec::new(), strike_days: 180 };
    let request = BulkRequest { moderator: id, key: "campaign-7".to_owned(), fingerprint: read.fingerprint() };
    let work =
        BulkWork { staff: &staff, scope: &ScopeFilter::ALL, ladder: &ladder, body: &read, request: Some(request) };
    let mut decided = Vec::new();
    for chunks in 1..=2 {
        // As if its time were over at once: a chunk is decided about all the same.
        let results = carry_out(&platform.app, &work, Instant::now()).await.unwrap();
        assert_eq!(results.len(), 45);
        let (done, pending) = results.split_at(20 * chunks);
        assert!(done.iter().all(|result| result.outcome == BulkOutcome::Decided && result.decision.is_some()));
        assert!(pending.iter().all(|result| result.outcome == BulkOutcome::Pending && result.decision.is_none()));
        decided = done.iter().map(|result| json!(result.decision)).collect::<Vec<_>>();
    }
    let send = async |key: &str, body: &Value| {
        let request = Request::post("/api/v1/moderation/decisions/bulk")
            .header(header::AUTHORIZATION, format!("Bearer {moderator}"))
            .header(header::CONTENT_TYPE, "application/json")
            .header("idempotency-key", key);
        platform.send(request.body(Body::from(body.to_string())).unwrap()).await
    };
    let rest = send("campaign-7", &body).await;
    assert_eq!(rest.status, 200, "{rest:?}");
    let results = rest.body.as_array().unwrap();
    assert!(results.iter().all(|result| result["outcome"] == "DECIDED"), "{rest:?}");
    let decisions: Vec<Value> = results.iter().map(|result| result["decision"].clone()).collect();
    assert_eq!(decisions[..40], decided, "what was decided before is answered, and not decided again");
    assert_eq!(send("campaign-7", &body).await.body, rest.body);
    let made = sqlx::query_scalar!(r#"select count(*) as "count!" from decision where moderator = $1"#, id);
    assert_eq!(made.fetch_one(&platform.app.db).await.unwrap(), 45);

    let mut other = body.clone();
    other["reason"] = json!("SPAM_COMMERCIAL");
    let refused = send("campaign-7", &other).await;
    let place = json!(["header", "Idempotency-Key"]);
    assert_eq!((refused.status.as_u16(), &refused.body["detail"][0]["loc"]), (422, &place), "{refused:?}");
    other["subjects"] = json!([subjects[0]]);
    assert_eq!(send("campaign-8", &other).await.body[0]["outcome"], "DECIDED", "another key is another request");
    // A day later, or when the moderator leaves, nothing is known of it.
    execute(
        &platform,
        "update bulk_request set started_at = started_at - interval '25 hours' where key = 'campaign-7'".to_owned(),
    )
    .await;
    delete_old_requests(&platform.app.db).await.unwrap();
    assert_eq!(platform.finds("campaign-7").await, [""; 0]);
    assert_eq!(platform.finds("campaign-8").await, ["moderation.bulk_request", "moderation.bulk_result"]);
    platform.erase(id).await;
    assert_eq!(platform.finds("campaign-8").await, [""; 0]);
}

/// The same request twice at once decides about each subject once: the one that comes second is refused, and sent again.
#[sqlx::test(migrations = false)]
async fn a_request_that_is_sent_twice_at_once_decides_once(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let ((moderator, id), (_, spammer)) = (new_moderator(), new_user());
    let mut subjects = Vec::new();
    for _ in 0..25 {
        subjects.push(json!({ "type": "POST", "id": waiting_post(&platform, spammer).await }));
    }
    let body =
        json!({ "subjects": subjects, "only_open": false, "actions": [{ "action": "HIDE" }], "reason": "SPAM_LINK" });
    let send = async || {
        let request = Request::post("/api/v1/moderation/decisions/bulk")
            .header(header::AUTHORIZATION, format!("Bearer {moderator}"))
            .header(header::CONTENT_TYPE, "application/json")
            .header("idempotency-key", "twice");
        platform.send(request.body(Body::from(body.to_string())).unwrap()).await
    };
    let (one, other) = tokio::join!(send(), send());
    let mut statuses = [one.status.as_u16(), other.status.as_u16()];
    statuses.sort_unstable();
    assert!(matches!(statuses, [200, 200 | 409] | [409, 409]), "{one:?} {other:?}");
    let again = send().await;
    assert_eq!(again.status, 200, "{again:?}");
    assert!(again.body.as_array().unwrap().iter().all(|result| result["outcome"] == "DECIDED"), "{again:?}");
    let made = sqlx::query_scalar!(
        r#"select count(*) as "count!" from decision where moderator = $1 and subject_type = 'POST'"#,
        id
    );
    assert_eq!(made.fetch_one(&platform.app.db).await.unwrap(), 25);
    let verified = platform.call("GET", "/moderation/log/verify", Some(&moderator), None).await;
    assert_eq!(verified.body["valid"], true, "{verified:?}");
}
