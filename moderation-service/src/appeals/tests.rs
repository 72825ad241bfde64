//! Appeals, through their routes and their events.
use std::collections::BTreeSet;

use futures::future::join_all;
use serde_json::{Value, json};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, Executor};
use uuid::Uuid;

use super::models::WaitingAppeal;
use crate::core::testing::{Platform, Reply, new_user};
use crate::decisions::events::MODERATION_NOTICE;
use crate::decisions::tests::{
    decided, decided_by_machine, fields, new_content, new_moderator, standing, start, until_one_waits, visibility,
};
use crate::ledger::events::{MODERATION_DECIDED, USER_STATUS_CHANGED};
use crate::scopes::services::ScopeFilter;
use crate::subjects::SubjectType;
use crate::subjects::actions::Action;

async fn appeal(platform: &Platform, author: &str, decision: Uuid) -> Reply {
    let path = format!("/me/moderation/decisions/{decision}/appeal");
    platform.call("POST", &path, Some(author), Some(json!({ "text": "I quoted it." }))).await
}

async fn resolve(platform: &Platform, moderator: &str, appeal: &Value, outcome: &str) -> Reply {
    let path = format!("/moderation/appeals/{}/resolve", appeal["id"].as_str().unwrap());
    platform.call("POST", &path, Some(moderator), Some(json!({ "outcome": outcome, "note": "We have read it." }))).await
}

#[sqlx::test(migrations = false)]
async fn an_appeal_that_succeeds_restores_content_account_and_strikes(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let ((anna, her), (first, _), (second, other)) = (new_user(), new_moderator(), new_moderator());
    let post = new_content(&platform, SubjectType::Post, her).await;
    // Four strikes at once: the ladder mutes.
    let decision = decided(&platform, &first, post, json!([{ "action": "HIDE" }]), "VIOLENCE_THREAT").await;
    assert_eq!((visibility(&platform, post).await, standing(&platform, her).await), (json!("HIDDEN"), json!("MUTED")));

    // A muted user may appeal.
    let made = appeal(&platform, &format!("{anna}:MUTED:USER"), decision).await;
    assert_eq!(made.status, 201, "{made:?}");
    let names = ["decision_id", "text", "status", "note", "resolved_at"];
    let expected = json!({ "decision_id": decision, "text": "I quoted it.", "status": "OPEN", "note": null,
        "resolved_at": null });
    assert_eq!(fields(&made.body, &names), expected);
    let open = platform.call("GET", "/moderation/appeals", Some(&second), None).await;
    assert_eq!((&open.body[0]["id"], &open.body[0]["author"]), (&made.body["id"], &json!(her)));

    let own = resolve(&platform, &first, &made.body, "UPHELD").await;
    assert_eq!(own.status, 403, "who has decided does not judge");
    assert_eq!(resolve(&platform, &anna, &made.body, "OVERTURNED").await.status, 403);
    let resolved = resolve(&platform, &second, &made.body, "OVERTURNED").await;
    assert_eq!(resolved.status, 200, "{resolved:?}");
    assert_eq!(fields(&resolved.body, &["status", "moderator"]), json!({ "status": "OVERTURNED", "moderator": other }));
    assert_eq!(resolve(&platform, &second, &made.body, "UPHELD").await.status, 409);

    assert_eq!(
        (visibility(&platform, post).await, standing(&platform, her).await),
        (json!("VISIBLE"), json!("ACTIVE"))
    );
    let strikes = platform.call("GET", &format!("/moderation/users/{her}/strikes"), Some(&second), None).await;
    assert_eq!((&strikes.body["sum"], strikes.body["strikes"].as_array().unwrap().len()), (&json!(0), 1));
    let events = platform.published(MODERATION_DECIDED).await;
    let last_of = |subject: &str| events.iter().rev().find(|event| event["subject_type"] == subject).unwrap().clone();
    let names = ["visibility", "previous_visibility", "cause", "decision"];
    let expected =
        json!({ "visibility": "VISIBLE", "previous_visibility": "HIDDEN", "cause": "OVERTURNED", "decision": null });
    assert_eq!(fields(&last_of("POST"), &names), expected);
    assert_eq!(last_of("USER")["cause"], "OVERTURNED");
    assert_eq!(platform.published(USER_STATUS_CHANGED).await.last().unwrap()["status"], "ACTIVE");
    let notice = platform.published(MODERATION_NOTICE).await.pop().unwrap();
    assert_eq!(
        fields(&notice, &["kind", "title", "user_id"]),
        json!({ "kind": "APPEAL_OUTCOME", "title": "Your appeal has succeeded", "user_id": her })
    );
    assert!(notice["text"].as_str().unwrap().ends_with("We have read it."), "{notice}");
    let mine = platform.call("GET", "/me/appeals", Some(&anna), None).await;
    assert_eq!(
        fields(&mine.body[0], &["status", "note"]),
        json!({ "status": "OVERTURNED", "note": "We have read it." })
    );
    assert!(!mine.body.to_string().contains(&other.to_string()), "{:?}", mine.body);
    let statement = platform.call("GET", "/me/moderation/decisions", Some(&anna), None).await.body;
    let of_post =
        statement.as_array().unwrap().iter().find(|statement| statement["decision_id"] == json!(decision)).unwrap();
    assert_eq!(fields(of_post, &["appeal", "ended_by"]), json!({ "appeal": "OVERTURNED", "ended_by": "OVERTURNED" }));
}

#[sqlx::test(migrations = false)]
async fn a_decision_is_appealed_once_by_its_author_and_in_time(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let ((anna, her), (moderator, _)) = (new_user(), new_moderator());
    let post = new_content(&platform, SubjectType::Post, her).await;
    let hide = json!([{ "action": "HIDE" }]);
    let decision = decided(&platform, &moderator, post, hide.clone(), "SPAM_COMMERCIAL").await;
    assert_eq!(appeal(&platform, &new_user().0, decision).await.status, 404, "another user's does not exist");
    assert_eq!(appeal(&platform, &anna, Uuid::now_v7()).await.status, 404);
    let (one, two) = tokio::join!(appeal(&platform, &anna, decision), appeal(&platform, &anna, decision));
    let mut statuses = [one.status.as_u16(), two.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409]);
    for text in ["", "  \n", &"x".repeat(2_001)] {
        let path = format!("/me/moderation/decisions/{decision}/appeal");
        let reply = platform.call("POST", &path, Some(&anna), Some(json!({ "text": text }))).await;
        assert_eq!(reply.status, 422, "{text:.9}");
    }

    let late = decided(&platform, &moderator, post, hide.clone(), "SPAM_LINK").await;
    platform.app.db.execute("update decision set at = at - interval '184 days'").await.unwrap();
    let reply = appeal(&platform, &anna, late).await;
    assert_eq!((reply.status.as_u16(), &reply.body["detail"]), (409, &json!("The time to appeal is over")));
    let allowed = decided(&platform, &moderator, post, json!([{ "action": "ALLOW" }]), "OTHER_RULES").await;
    assert_eq!(appeal(&platform, &anna, allowed).await.status, 409, "nothing has happened to her");
    let taken_back = decided(&platform, &moderator, post, hide, "SPAM_LINK").await;
    decided(&platform, &moderator, post, json!([{ "action": "RESTORE" }]), "OTHER_RULES").await;
    assert_eq!(appeal(&platform, &anna, taken_back).await.status, 409);
    let mine = platform.call("GET", "/me/appeals", Some(&anna), None).await;
    assert_eq!(mine.body[0]["status"], "OVERTURNED", "what was restored meanwhile needs no answer");
    assert_eq!(mine.body.as_array().unwrap().len(), 1);
}

/// Who is banned has no session, and appeals with the token that goes out with the ban: once, and for that decision alone.
#[sqlx::test(migrations = false)]
async fn a_banned_user_appeals_with_the_token_of_the_ban(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let ((_, her), (first, _), (second, _)) = (new_user(), new_moderator(), new_moderator());
    let post = new_content(&platform, SubjectType::Post, her).await;
    let muted = decided(&platform, &first, post, json!([{ "action": "MUTE", "hours": 2 }]), "SPAM_LINK").await;
    let banned = decided(&platform, &first, post, json!([{ "action": "BAN" }]), "MISLEADING_SCAM").await;
    let statuses = platform.published(USER_STATUS_CHANGED).await;
    let of = |decision: Uuid| statuses.iter().find(|event| event["decision_id"] == json!(decision)).unwrap();
    assert_eq!(of(muted).get("appeal_token"), None, "who is muted can sign in");
    let token = of(banned)["appeal_token"].as_str().unwrap().to_owned();

    let path = "/moderation/appeals/by-token";
    let read = platform.call("GET", &format!("{path}?token={token}"), None, None).await;
    let names = ["decision_id", "reason", "appeal"];
    let expected = json!({ "decision_id": banned, "reason": "MISLEADING_SCAM", "appeal": null });
    assert_eq!((read.status.as_u16(), fields(&read.body, &names)), (200, expected), "{read:?}");
    assert_eq!(read.headers["cache-control"], "no-store");

    let appeal = async |token: &str, text: &str| {
        platform.call("POST", path, None, Some(json!({ "token": token, "text": text }))).await
    };
    // The proof of one decision is none of another, and no other text is a token.
    let foreign = format!("{}{}", muted.simple(), &token[32..]);
    let forged = format!("{}{}", &token[..32], "0".repeat(64));
    for wrong in [&foreign, &forged, "x", "", &token[1..]] {
        let refused = appeal(wrong, "I was not me.").await;
        let read = platform.call("GET", &format!("{path}?token={wrong}"), None, None).await;
        assert_eq!((refused.status.as_u16(), read.status.as_u16()), (404, 404), "{wrong}: {refused:?} {read:?}");
    }
    assert_eq!(appeal(&token, " ").await.status, 422);
    assert_eq!(appeal(&format!("{token}0"), "Please").await.status, 422, "too long");
    let made = appeal(&token, "It was not me.").await;
    assert_eq!((made.status.as_u16(), &made.body["decision_id"]), (201, &json!(banned)), "{made:?}");
    assert_eq!(appeal(&token, "It was not me!").await.status, 409, "once");
    assert_eq!(resolve(&platform, &second, &made.body, "OVERTURNED").await.status, 200);
    assert_eq!(platform.published(USER_STATUS_CHANGED).await.last().unwrap()["status"], "MUTED", "the mute is left");
    platform.erase(her).await;
    assert_eq!(platform.call("GET", &format!("{path}?token={token}"), None, None).await.status, 404);
}

#[sqlx::test(migrations = false)]
async fn what_a_machine_has_decided_any_moderator_judges(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let ((anna, her), (moderator, _)) = (new_user(), new_moderator());
    let comment = new_content(&platform, SubjectType::Comment, her).await;
    let decision = decided_by_machine(&platform, comment, her, Action::Hide).await;
    let made = appeal(&platform, &anna, decision).await;
    let resolved = resolve(&platform, &moderator, &made.body, "UPHELD").await;
    assert_eq!(fields(&resolved.body, &["status", "note"]), json!({ "status": "UPHELD", "note": "We have read it." }));
    assert_eq!(visibility(&platform, comment).await, "HIDDEN");
    let notice = platform.published(MODERATION_NOTICE).await.pop().unwrap();
    assert_eq!((&notice["kind"], &notice["title"]), (&json!("APPEAL_OUTCOME"), &json!("Your appeal was rejected")));
    let wrong = resolve(&platform, &moderator, &made.body, "PERHAPS").await;
    assert_eq!((wrong.status.as_u16(), &wrong.body["detail"][0]["loc"]), (422, &json!(["body", "outcome"])));
}

/// Lets a moderator decide about a post of a new user, who appeals; the appeal.
async fn appealed(platform: &Platform, moderator: &str, action: Value) -> Value {
    let (author, id) = new_user();
    let post = new_content(platform, SubjectType::Post, id).await;
    let decision = decided(platform, moderator, post, json!([action]), "SPAM_COMMERCIAL").await;
    let made = appeal(platform, &author, decision).await;
    assert_eq!(made.status, 201, "{made:?}");
    made.body
}

/// The ids of a list of appeals.
fn ids(reply: &Reply) -> Vec<Value> {
    assert_eq!(reply.status, 200, "{reply:?}");
    reply.body.as_array().unwrap().iter().map(|appeal| appeal["id"].clone()).collect()
}

/// A claim that is made while an appeal is resolved keeps it from the other moderator, as one of before does.
#[sqlx::test(migrations = false)]
async fn a_resolution_sees_the_claim_that_was_made_meanwhile(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let ((first, _), (_, second), (third, _)) = (new_moderator(), new_moderator(), new_moderator());
    let made = appealed(&platform, &first, json!({ "action": "HIDE" })).await;
    let mut tx = platform.app.db.begin().await.unwrap();
    WaitingAppeal::claim_next(&mut tx, (second, &ScopeFilter::ALL), 1).await.unwrap();
    let commit = async {
        until_one_waits(&platform).await;
        tx.commit().await.unwrap();
    };
    let (resolved, ()) = tokio::join!(resolve(&platform, &third, &made, "OVERTURNED"), commit);
    assert_eq!(resolved.status, 409, "{resolved:?}");
    let open = platform.call("GET", "/moderation/appeals", Some(&third), None).await;
    assert_eq!((ids(&open), &open.body[0]["claimed_by"]), (vec![made["id"].clone()], &json!(second)));
}

/// A client that asks again and again keeps no appeals from the others.
#[sqlx::test(migrations = false)]
async fn a_moderator_has_so_many_appeals_at_once_and_no_more(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let ((first, _), (second, her)) = (new_moderator(), new_moderator());
    let label = json!({ "action": "LABEL", "label": "spam" });
    for _ in 0..2 {
        appealed(&platform, &first, label.clone()).await;
    }
    // As many appeals as one moderator may have, but for one, of decisions that were made long ago.
    let others = format!(
        "with made as (
            insert into decision (id, subject_type, subject_id, author, at, actions, reason)
            select gen_random_uuid(), 'POST', gen_random_uuid(), gen_random_uuid(), now(), '[]', 'SPAM_LINK'
            from generate_series(1, 999) returning id, author
        ), appealed as (
            insert into appeal (id, decision, author, text) select gen_random_uuid(), id, author, 'No.' from made returning id
        )
        insert into appeal_claim (appeal, moderator, until) select id, '{her}', now() + interval '5 minutes' from appealed"
    );
    platform.app.db.execute(AssertSqlSafe(others)).await.unwrap();
    let claimed = async |moderator: &str| {
        let body = Some(json!({ "limit": 50 }));
        ids(&platform.call("POST", "/moderation/appeals/claim", Some(moderator), body).await).len()
    };
    assert_eq!(claimed(&second).await, 1_000);
    assert_eq!(claimed(&second).await, 1_000, "the other one is for another moderator");
    assert_eq!(claimed(&new_moderator().0).await, 1);
}

/// What waits longest comes first, and what takes an account or a voice sooner; a page leads to the next.
#[sqlx::test(migrations = false)]
async fn the_most_urgent_appeal_comes_first(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let ((first, _), (second, _)) = (new_moderator(), new_moderator());
    let label = appealed(&platform, &first, json!({ "action": "LABEL", "label": "spam" })).await;
    let hidden = appealed(&platform, &first, json!({ "action": "HIDE" })).await;
    let later = appealed(&platform, &first, json!({ "action": "HIDE" })).await;
    let ban = appealed(&platform, &first, json!({ "action": "BAN" })).await;
    let list =
        async |query: &str| platform.call("GET", &format!("/moderation/appeals{query}"), Some(&second), None).await;
    let [label_id, hidden_id, later_id, ban_id] = [&label, &hidden, &later, &ban].map(|appeal| appeal["id"].clone());
    let by_weight = [ban_id.clone(), hidden_id.clone(), later_id.clone(), label_id.clone()];
    assert_eq!(ids(&list("").await), by_weight);
    // Half as urgent is worth 24 h x ln 2 = 16.6 h of waiting.
    for (hours, expected) in [(16, by_weight), (17, [ban_id, label_id.clone(), hidden_id, later_id])] {
        let earlier = format!(
            "update appeal set at = (select max(at) from appeal) - interval '{hours} hours' where id = '{}'",
            label_id.as_str().unwrap()
        );
        platform.app.db.execute(sqlx::AssertSqlSafe(earlier)).await.unwrap();
        assert_eq!(ids(&list("").await), expected, "{hours}");
        let (mut found, mut next) = (Vec::new(), "?limit=3".to_owned());
        loop {
            let page = list(&next).await;
            found.extend(ids(&page));
            let Some(link) = page.headers.get("link") else { break };
            let link = link.to_str().unwrap().strip_prefix("</api/v1/moderation/appeals").unwrap();
            next = link.strip_suffix(">; rel=\"next\"").unwrap().to_owned();
        }
        assert_eq!(found, expected, "page by page, each once");
    }
}

/// An appeal is with one moderator for a quarter of an hour, and never with the one who decided.
#[sqlx::test(migrations = false)]
async fn an_appeal_is_claimed_before_it_is_resolved(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let ((first, _), (second, second_id), (third, _)) = (new_moderator(), new_moderator(), new_moderator());
    let made = appealed(&platform, &first, json!({ "action": "HIDE" })).await;
    let id = made["id"].as_str().unwrap().to_owned();
    let next = async |moderator: &str| {
        let body = Some(json!({ "limit": 5 }));
        platform.call("POST", "/moderation/appeals/claim", Some(moderator), body).await
    };
    let path = format!("/moderation/appeals/{id}/claim");
    let claim = async |moderator: &str| platform.call("POST", &path, Some(moderator), None).await;
    assert_eq!(ids(&next(&first).await), [] as [Value; 0], "who has decided does not judge");
    assert_eq!(claim(&first).await.status, 403);
    assert_eq!(claim(&new_user().0).await.status, 403);
    let claimed = next(&second).await;
    assert_eq!((ids(&claimed), &claimed.body[0]["claimed_by"]), (vec![made["id"].clone()], &json!(second_id)));
    assert_eq!(ids(&next(&third).await), [] as [Value; 0]);
    let listed = platform.call("GET", "/moderation/appeals", Some(&third), None).await;
    assert_eq!(listed.body[0]["claimed_by"], json!(second_id), "the others see who is at it");
    let mine = platform.call("GET", "/moderation/appeals?claimed_by_me=true", Some(&second), None).await;
    assert_eq!(ids(&mine), [made["id"].clone()]);
    let refused = claim(&third).await;
    assert_eq!((refused.status.as_u16(), &refused.body["detail"]), (409, &json!("Another moderator has claimed this")));
    assert_eq!(resolve(&platform, &third, &made, "UPHELD").await.status, 409);
    assert_eq!(platform.call("DELETE", &path, Some(&third), None).await.status, 404);

    // The lease is extended, ends by itself, and is released.
    platform.app.db.execute("update appeal_claim set until = until - interval '10 minutes'").await.unwrap();
    let renewed = claim(&second).await;
    assert!(renewed.body["until"].as_str() > claimed.body[0]["claimed_until"].as_str(), "{renewed:?}");
    platform.app.db.execute("update appeal_claim set until = now() - interval '1 second'").await.unwrap();
    assert_eq!(ids(&next(&third).await), [made["id"].clone()], "a quarter of an hour is over");
    assert_eq!(claim(&second).await.status, 409);
    assert_eq!(platform.call("DELETE", &path, Some(&third), None).await.status, 204);
    assert_eq!(claim(&second).await.status, 200);
    let admin = format!("{}:ACTIVE:ADMIN", Uuid::now_v7());
    assert_eq!(platform.call("DELETE", &path, Some(&admin), None).await.status, 204, "an administrator ends any");
    assert_eq!(claim(&second).await.status, 200);
    assert_eq!(resolve(&platform, &admin, &made, "UPHELD").await.status, 200, "and resolves it all the same");
    assert_eq!(claim(&second).await.status, 409, "it is resolved");
    let held = platform.app.db.fetch_all("select from appeal_claim").await.unwrap().len();
    assert_eq!((held, ids(&next(&second).await)), (0, Vec::new()), "the claim has ended with it");
    let unknown = format!("/moderation/appeals/{}/claim", Uuid::now_v7());
    assert_eq!(platform.call("POST", &unknown, Some(&second), None).await.status, 404);
    for limit in [json!(0), json!(51), json!("many")] {
        let body = Some(json!({ "limit": limit }));
        assert_eq!(
            platform.call("POST", "/moderation/appeals/claim", Some(&second), body).await.status,
            422,
            "{limit}"
        );
    }
}

/// What the ladder has led to ends with the decision that was its ground, and its own appeal with it: there is nothing left to judge.
#[sqlx::test(migrations = false)]
async fn the_appeal_of_a_measure_succeeds_with_that_of_its_ground(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let ((anna, her), (first, _), (second, _)) = (new_user(), new_moderator(), new_moderator());
    let post = new_content(&platform, SubjectType::Post, her).await;
    let ground = decided(&platform, &first, post, json!([{ "action": "HIDE" }]), "VIOLENCE_THREAT").await;
    let statements = platform.call("GET", "/me/moderation/decisions", Some(&anna), None).await.body;
    let measure = statements.as_array().unwrap().iter().find(|statement| statement["strikes"] == 3).unwrap();
    let measure: Uuid = serde_json::from_value(measure["decision_id"].clone()).unwrap();
    let (of_ground, of_measure) =
        (appeal(&platform, &anna, ground).await.body, appeal(&platform, &anna, measure).await.body);
    assert_eq!(standing(&platform, her).await, "MUTED");
    assert_eq!(resolve(&platform, &second, &of_ground, "OVERTURNED").await.status, 200);

    assert_eq!(standing(&platform, her).await, "ACTIVE");
    assert_eq!(
        ids(&platform.call("GET", "/moderation/appeals", Some(&second), None).await),
        [] as [Value; 0],
        "nothing is left to be judged"
    );
    assert_eq!(resolve(&platform, &second, &of_measure, "UPHELD").await.status, 409);
    let mine = platform.call("GET", "/me/appeals", Some(&anna), None).await.body;
    let statuses: Vec<&Value> = mine.as_array().unwrap().iter().map(|appeal| &appeal["status"]).collect();
    assert_eq!(statuses, ["OVERTURNED", "OVERTURNED"]);
    let log = format!("/moderation/log?subject_type=USER&subject_id={her}&kind=appeal_resolved");
    let log = platform.call("GET", &log, Some(&second), None).await.body;
    assert_eq!((log.as_array().unwrap().len(), &log[0]["details"]["appeal"]), (1, &of_measure["id"]), "{log}");
}

/// Whose decisions counted in a measure of the ladder do not judge it, whether theirs was the last or an earlier one; those whose strike was
/// taken back before, or came after, do.
#[sqlx::test(migrations = false)]
async fn a_measure_of_the_ladder_is_judged_by_none_whose_strike_counted(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let (anna, her) = new_user();
    let [(mistaken, _), (first, _), (last, _), (later, _)] = [(); 4].map(|()| new_moderator());
    let hide = async |moderator: &str, reason: &str| {
        let post = new_content(&platform, SubjectType::Post, her).await;
        decided(&platform, moderator, post, json!([{ "action": "HIDE" }]), reason).await
    };
    let reverse = async |moderator: &str, decision: Uuid| {
        let path = format!("/moderation/decisions/{decision}/reverse");
        let reply = platform.call("POST", &path, Some(moderator), Some(json!({ "note": "A quotation." }))).await;
        assert_eq!(reply.status, 200, "{reply:?}");
    };
    let wrong = hide(&mistaken, "HATE_SLUR").await;
    reverse(&mistaken, wrong).await;
    let earlier = hide(&first, "HARASSMENT_BULLYING").await;
    hide(&last, "HATE_SLUR").await;
    hide(&later, "SPAM_LINK").await;
    let statements = platform.call("GET", "/me/moderation/decisions", Some(&anna), None).await.body;
    let mute = json!([{ "action": "MUTE", "hours": 24 }]);
    let mute = statements.as_array().unwrap().iter().find(|statement| statement["actions"] == mute).unwrap();
    assert_eq!(mute["strikes"], 3, "{mute}");
    let made = appeal(&platform, &anna, serde_json::from_value(mute["decision_id"].clone()).unwrap()).await;
    assert_eq!(made.status, 201, "{made:?}");

    let next = async |moderator: &str| {
        let body = Some(json!({ "limit": 5 }));
        ids(&platform.call("POST", "/moderation/appeals/claim", Some(moderator), body).await)
    };
    let path = format!("/moderation/appeals/{}/claim", made.body["id"].as_str().unwrap());
    let is_refused = async |moderator: &str| {
        assert_eq!(next(moderator).await, [] as [Value; 0]);
        assert_eq!(platform.call("POST", &path, Some(moderator), None).await.status, 403);
        assert_eq!(resolve(&platform, moderator, &made.body, "UPHELD").await.status, 403);
    };
    is_refused(&last).await;
    is_refused(&first).await;
    // The strikes that are left reach the rung, and what is taken back now has counted then.
    reverse(&first, earlier).await;
    is_refused(&first).await;
    assert_eq!(next(&mistaken).await, [made.body["id"].clone()]);
    assert_eq!(platform.call("DELETE", &path, Some(&mistaken), None).await.status, 204);
    assert_eq!(next(&later).await, [made.body["id"].clone()]);
    assert_eq!(resolve(&platform, &later, &made.body, "OVERTURNED").await.status, 200);
    assert_eq!(standing(&platform, her).await, "ACTIVE");
}

#[sqlx::test(migrations = false)]
async fn moderators_at_once_never_get_the_same_appeal(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let (first, _) = new_moderator();
    for _ in 0..12 {
        appealed(&platform, &first, json!({ "action": "LIMIT" })).await;
    }
    let work = async |_: u32| {
        let (moderator, _) = new_moderator();
        let mut got = Vec::new();
        loop {
            let body = Some(json!({ "limit": 2 }));
            let claimed = ids(&platform.call("POST", "/moderation/appeals/claim", Some(&moderator), body).await);
            if claimed.len() == got.len() {
                return got;
            }
            got = claimed;
        }
    };
    let all = join_all((0..6).map(work)).await.concat();
    let different: BTreeSet<String> = all.iter().map(Value::to_string).collect();
    assert_eq!((all.len(), different.len()), (12, 12), "each appeal is with one moderator");
}
