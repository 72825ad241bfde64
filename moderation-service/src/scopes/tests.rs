//! Scopes, through their routes and those that they bound.
use serde_json::{Value, json};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use uuid::Uuid;

use crate::SERVICE;
use crate::core::testing::{Platform, Reply, new_user};
use crate::decisions::tests::{decide, decided_by_machine, new_content, new_moderator};
use crate::reports::tests::{report, write_post};
use crate::subjects::actions::Action;
use crate::subjects::{SubjectKey, SubjectType};

/// A platform with its administrator, and a moderator with their id.
async fn start(database: PgConnectOptions) -> (Platform, String, String, Uuid) {
    let platform = Platform::start(&SERVICE, database, &[]).await;
    let (moderator, id) = new_moderator();
    (platform, format!("{}:ACTIVE:ADMIN", Uuid::now_v7()), moderator, id)
}

async fn bind(platform: &Platform, admin: &str, moderator: Uuid, scope: Value) -> Reply {
    platform.call("PUT", &format!("/moderation/moderators/{moderator}"), Some(admin), Some(scope)).await
}

/// A post that was reported.
async fn reported(platform: &Platform, reason: &str) -> SubjectKey {
    let id = write_post(platform, new_user().1, "Is this so?").await;
    assert_eq!(report(platform, &new_user().0, id, reason).await.status, 201);
    SubjectKey { r#type: SubjectType::Post, id }
}

fn ids(reply: &Reply) -> Vec<Uuid> {
    assert_eq!(reply.status, 200, "{reply:?}");
    reply.body.as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap().parse().unwrap()).collect()
}

#[sqlx::test(migrations = false)]
async fn a_moderator_works_on_what_is_in_scope_and_on_nothing_else(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, admin, moderator, id) = start(database).await;
    let (spam, hate) = (reported(&platform, "SPAM_COMMERCIAL").await, reported(&platform, "HATE_SLUR").await);
    let queue = async |who: &str| ids(&platform.call("GET", "/moderation/queue", Some(who), None).await);
    let claim = async |who: &str, body: Value| {
        ids(&platform.call("POST", "/moderation/queue/claim", Some(who), Some(body)).await)
    };
    assert_eq!(queue(&moderator).await.len(), 2, "without a scope it is all of the queue");
    let scope = json!({ "types": ["POST"], "families": ["SPAM"] });
    assert_eq!(bind(&platform, &admin, id, scope).await.status, 200);
    assert_eq!((queue(&moderator).await, queue(&admin).await.len()), (vec![spam.id], 2));
    assert_eq!(claim(&moderator, json!({ "limit": 10 })).await, [spam.id]);
    assert_eq!(claim(&moderator, json!({ "family": "HATE" })).await, Vec::<Uuid>::new());

    let path = |key: SubjectKey, end: &str| format!("/moderation/subjects/POST/{}{end}", key.id);
    assert_eq!(platform.call("POST", &path(hate, "/claim"), Some(&moderator), None).await.status, 403);
    let allow = json!({ "actions": [{ "action": "ALLOW" }], "reason": "OTHER_RULES" });
    assert_eq!(decide(&platform, &moderator, hate, allow.clone()).await.status, 403);
    let mut bulk = allow.clone();
    bulk["subjects"] = json!([{ "type": "POST", "id": hate.id }, { "type": "POST", "id": spam.id }]);
    let made = platform.call("POST", "/moderation/decisions/bulk", Some(&moderator), Some(bulk)).await;
    let outcomes = [&made.body[0]["outcome"], &made.body[1]["outcome"]];
    assert_eq!(outcomes, [&json!("OUT_OF_SCOPE"), &json!("DECIDED")], "{made:?}");
    assert_eq!(platform.call("GET", &path(hate, ""), Some(&moderator), None).await.status, 200, "it can be read");
    let note = json!({ "note": "This is for you." });
    assert_eq!(platform.call("POST", &path(hate, "/escalate"), Some(&moderator), Some(note)).await.status, 201);
    assert_eq!(decide(&platform, &admin, hate, allow).await.status, 201, "administrators work on everything");
}

#[sqlx::test(migrations = false)]
async fn what_was_escalated_is_for_seniors(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, admin, moderator, id) = start(database).await;
    let post = reported(&platform, "HATE_SLUR").await;
    let note = json!({ "note": "Too hard for me." });
    let path = format!("/moderation/subjects/POST/{}/escalate", post.id);
    assert_eq!(platform.call("POST", &path, Some(&moderator), Some(note)).await.status, 201);
    let everything = |escalated: bool| json!({ "types": [], "families": [], "escalated": escalated });
    let claim = json!({ "escalated": true });
    for (senior, status, claimed) in [(false, 403, vec![]), (true, 201, vec![post.id])] {
        assert_eq!(bind(&platform, &admin, id, everything(senior)).await.status, 200);
        let found = platform.call("POST", "/moderation/queue/claim", Some(&moderator), Some(claim.clone())).await;
        assert_eq!(ids(&found), claimed, "{senior}");
        let hide = json!({ "actions": [{ "action": "HIDE" }], "reason": "HATE_SLUR" });
        assert_eq!(decide(&platform, &moderator, post, hide).await.status, status, "{senior}");
    }
}

#[sqlx::test(migrations = false)]
async fn decisions_are_taken_back_and_appeals_resolved_in_scope(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, admin, moderator, id) = start(database).await;
    let (anna, her) = new_user();
    let comment = new_content(&platform, SubjectType::Comment, her).await;
    let decision = decided_by_machine(&platform, comment, her, Action::Hide).await;
    assert_eq!(bind(&platform, &admin, id, json!({ "types": ["POST"], "families": [] })).await.status, 200);
    let reverse = format!("/moderation/decisions/{decision}/reverse");
    let note = json!({ "note": "A mistake." });
    assert_eq!(platform.call("POST", &reverse, Some(&moderator), Some(note)).await.status, 403);
    let appeal = format!("/me/moderation/decisions/{decision}/appeal");
    let made = platform.call("POST", &appeal, Some(&anna), Some(json!({ "text": "I quoted it." }))).await;
    let resolve = format!("/moderation/appeals/{}/resolve", made.body["id"].as_str().unwrap());
    let outcome = json!({ "outcome": "UPHELD", "note": "It stands." });
    // The machine's reason is one of the family HATE.
    let scopes =
        [(json!(["POST"]), json!([]), 403), (json!([]), json!(["SPAM"]), 403), (json!([]), json!(["HATE"]), 200)];
    for (types, families, status) in scopes {
        bind(&platform, &admin, id, json!({ "types": types, "families": families })).await;
        let listed = platform.call("GET", "/moderation/appeals", Some(&moderator), None).await.body;
        assert_eq!(listed.as_array().unwrap().len(), usize::from(status == 200), "{types} {families}: {listed}");
        let reply = platform.call("POST", &resolve, Some(&moderator), Some(outcome.clone())).await;
        assert_eq!(reply.status, status, "{types} {families}: {reply:?}");
    }
}

#[sqlx::test(migrations = false)]
async fn scopes_are_set_read_and_ended_by_administrators(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, admin, moderator, id) = start(database).await;
    let path = format!("/moderation/moderators/{id}");
    let own = platform.call("GET", &path, Some(&moderator), None).await.body;
    let unbounded = json!({ "moderator": id, "types": [], "families": [], "escalated": true, "updated_at": null,
        "updated_by": null });
    assert_eq!(own, unbounded);
    for (wrong, place) in [
        (json!({ "types": ["PLANET"], "families": [] }), "types"),
        (json!({ "types": [], "families": ["NOISE"] }), "families"),
        (json!({ "types": [7], "families": [] }), "types"),
        (json!({ "types": [], "families": [], "escalated": "yes" }), "escalated"),
        (json!({ "types": [] }), "families"),
    ] {
        let reply = bind(&platform, &admin, id, wrong.clone()).await;
        assert_eq!((reply.status.as_u16(), &reply.body["detail"][0]["loc"]), (422, &json!(["body", place])), "{wrong}");
    }
    let scope = json!({ "types": ["POST", "COMMENT", "POST"], "families": ["HATE"], "escalated": true });
    let set = bind(&platform, &admin, id, scope).await.body;
    assert_eq!((&set["types"], &set["families"]), (&json!(["COMMENT", "POST"]), &json!(["HATE"])));
    let (_, other) = new_moderator();
    bind(&platform, &admin, other, json!({ "types": [], "families": ["SPAM"] })).await;
    let listed = platform.call("GET", "/moderation/moderators?limit=1", Some(&admin), None).await;
    assert_eq!((&listed.body[0]["moderator"], listed.headers.contains_key("link")), (&json!(other), true));
    assert_eq!(platform.call("GET", &path, Some(&moderator), None).await.body, set, "a moderator reads their own");
    let others = format!("/moderation/moderators/{other}");
    assert_eq!(platform.call("GET", &others, Some(&moderator), None).await.status, 403);
    for status in [204, 404] {
        assert_eq!(platform.call("DELETE", &path, Some(&admin), None).await.status, status);
    }
    assert_eq!(platform.call("GET", &path, Some(&moderator), None).await.body, unbounded);
    let noted = sqlx::query_scalar!("select action from audit where target = $1 order by at, id", id);
    let noted = noted.fetch_all(&platform.app.db).await.unwrap();
    assert_eq!(noted, ["moderator_scope_set", "moderator_scope_ended"]);
}
