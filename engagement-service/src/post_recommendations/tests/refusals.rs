//! What is never recommended, and what a reader says not to be interested in.
use serde_json::{Value, json};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use uuid::Uuid;

use super::{PAGE, Town, posts};
use crate::blocks::events::USER_BLOCKED;
use crate::comments::events::COMMENT_CREATED;
use crate::follows::events::USER_CONNECTED;
use crate::moderated_posts::events::MODERATION_DECIDED;
use crate::people::events::USER_UPDATED;
use crate::post_recommendations::models::PostRecommendationList;
use crate::posts::events::{POST_DELETED, POST_UPDATED, POST_VIEWED};
use crate::reactions::events::REACTION_CREATED;

/// Each of these takes a post out of the list that is there, and out of the next.
#[sqlx::test(migrations = false)]
async fn nothing_is_recommended_that_a_reader_may_not_or_does_not_want_to_see(
    _: PgPoolOptions,
    database: PgConnectOptions,
) {
    let town = Town::start(database, &[]).await;
    let anna = town.join("anna", &[]).await;
    let later = chrono::Utc::now();
    let what = [
        "seen",
        "hidden by her",
        "refused",
        "reacted to",
        "commented on",
        "muted",
        "blocked",
        "blocking",
        "connected",
        "with a followed tag",
        "limited",
        "hidden by moderation",
        "archived",
        "a draft",
        "deleted",
        "of a banned author",
        "shown",
    ];
    let mut all = Vec::new();
    for name in what {
        let author = town.join(&name.replace(' ', ""), &[]).await;
        all.push((name, author, town.post(author, "NEWS").await));
    }
    let own = town.post(anna, "NEWS").await;
    let first = posts(&town.recommended(anna).await);
    assert!(all.iter().all(|(_, _, post)| first.contains(post)) && !first.contains(&own), "{first:?}");
    let call = async |path: String| {
        let reply = town.platform.call("POST", &path, Some(&anna.to_string()), None).await;
        assert_eq!(reply.status, 204, "{path}: {reply:?}");
    };
    for (name, author, post) in &all {
        let pair = |user: Uuid, target: Uuid| json!({ "user_id": user, "target_id": target, "at": later });
        let version = |fields: Value| {
            let mut version = town.version(*post, *author, "NEWS");
            version["updated_at"] = json!(later);
            version.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
            version
        };
        let event: Option<(&str, Value)> = match *name {
            "seen" => Some((POST_VIEWED, json!({ "id": post, "viewed_by": anna }))),
            "reacted to" => Some((REACTION_CREATED, town.reaction(Uuid::now_v7(), anna, *post))),
            "commented on" => Some((
                COMMENT_CREATED,
                json!({ "id": Uuid::now_v7(), "created_at": town.begun, "created_by": anna, "updated_at": town.begun,
                    "updated_by": null, "post_id": post, "content": "x" }),
            )),
            "blocked" => Some((USER_BLOCKED, pair(anna, *author))),
            "blocking" => Some((USER_BLOCKED, pair(*author, anna))),
            "connected" => Some((USER_CONNECTED, pair(anna, *author))),
            "with a followed tag" => Some((POST_UPDATED, version(json!({ "tags": ["autumn"] })))),
            "limited" => Some((
                MODERATION_DECIDED,
                json!({ "id": Uuid::now_v7(), "at": later, "subject_type": "POST", "subject_id": post, "author": author,
                    "version": 1, "visibility": "LIMITED", "previous_visibility": "VISIBLE", "labels": [], "cause": "DECIDED",
                    "decision": null }),
            )),
            "hidden by moderation" => Some((POST_DELETED, version(json!({ "hidden_at": later })))),
            "archived" => Some((POST_UPDATED, version(json!({ "status": "ARCHIVED" })))),
            "a draft" => Some((POST_UPDATED, version(json!({ "status": "DRAFT" })))),
            "deleted" => Some((POST_DELETED, version(json!({})))),
            "of a banned author" => Some((
                USER_UPDATED,
                json!({ "id": author, "username": "banned", "status": "BANNED", "updated_at": later }),
            )),
            _ => None,
        };
        match (*name, event) {
            (_, Some((stream, message))) => {
                town.platform.consume(stream, &message).await;
            }
            ("hidden by her", _) => call(format!("/posts/{post}/hide")).await,
            ("muted", _) => call(format!("/me/mutes/{author}")).await,
            ("refused", _) => {
                // The list stays the one that is there.
                town.sql(&format!(
                    "insert into not_interested (id, user_id, post_id, said_at)
                    values (gen_random_uuid(), '{anna}', '{post}', now() - interval '1 hour')"
                ))
                .await;
            }
            _ => continue,
        }
        if *name == "with a followed tag" {
            assert!(posts(&town.recommended(anna).await).contains(post), "the tag alone takes it out of no list");
            let reply = town.platform.call("PUT", "/me/tags/autumn", Some(&anna.to_string()), None).await;
            assert_eq!(reply.status, 204, "{reply:?}");
        }
        let kept = posts(&town.recommended(anna).await);
        assert!(!kept.contains(post), "{name} in the list that is there");
        let anew = posts(&town.recommended_anew(anna).await);
        assert!(!anew.contains(post), "{name} in the next list");
    }
    let left = posts(&town.recommended_anew(anna).await);
    assert_eq!(left, [all.last().unwrap().2], "all others are gone");
}

/// A list is made and a page is read by the same functions of the database: people who are no reason on a page bring no post into a list.
#[sqlx::test(migrations = false)]
async fn whoever_is_no_reason_on_a_page_brings_nothing_into_a_list(_: PgPoolOptions, database: PgConnectOptions) {
    let town = Town::start(database, &["--recommendation-exploration", "0"]).await;
    let [anna, emil] = [town.join("anna", &[]).await, town.join("emil", &[]).await];
    let ban = async |person: Uuid| {
        let version = json!({ "id": person, "username": person, "status": "BANNED", "updated_at": chrono::Utc::now() });
        town.platform.consume(USER_UPDATED, &version).await;
    };
    let names = ["bert", "muted", "blocked", "blocking", "banned"];
    let mut friends = Vec::new();
    for name in names {
        let (friend, post) = (town.join(name, &[]).await, town.post(emil, "NEWS").await);
        town.connect(anna, friend).await;
        town.react(friend, post).await;
        friends.push(friend);
        let (stream, user, target) = match name {
            "muted" => {
                let path = format!("/me/mutes/{friend}");
                assert_eq!(town.platform.call("POST", &path, Some(&anna.to_string()), None).await.status, 204);
                continue;
            }
            "banned" => {
                ban(friend).await;
                continue;
            }
            "blocked" => (USER_BLOCKED, anna, friend),
            "blocking" => (USER_BLOCKED, friend, anna),
            _ => continue,
        };
        let pair = json!({ "user_id": user, "target_id": target, "at": town.begun });
        town.platform.consume(stream, &pair).await;
    }
    let kinds: Vec<String> = town.recommended(anna).await.into_iter().map(|(_, kind)| kind).collect();
    // A post that came in by one who is no reason would be missing, since its reason is counted anew.
    let counted = |wanted: &str| kinds.iter().filter(|kind| *kind == wanted).count();
    assert_eq!((counted("CONNECTIONS_REACTED"), counted("FRESH"), kinds.len()), (1, 4, 5), "{kinds:?}");
    // Who is banned later is no reason on the pages of the list that is there.
    ban(friends[0]).await;
    let kinds: Vec<String> = town.recommended(anna).await.into_iter().map(|(_, kind)| kind).collect();
    assert_eq!(kinds, ["FRESH"; 4]);

    // Neither function is called: their texts are planned with the statement.
    for call in [
        format!("recommending_people('{anna}')"),
        format!("unnest('{{{anna}}}'::uuid[]) as post (id) cross join lateral recommendable_post('{anna}', post.id)"),
    ] {
        let plan = town.lines(&format!("explain select * from {call}")).await;
        assert!(plan.contains("mute") && !plan.contains("Function Scan on recommend"), "{plan}");
    }
}

/// The post goes at once, its author and what is similar come later than before, and all of it can be taken back.
#[sqlx::test(migrations = false)]
async fn a_refusal_is_felt_at_once_and_can_be_taken_back(_: PgPoolOptions, database: PgConnectOptions) {
    let town = Town::start(database, &["--recommendation-exploration", "0"]).await;
    let [anna, bert] = [town.join("anna", &["NEWS"]).await, town.join("bert", &[]).await];
    let [carl, dora] = [town.join("carl", &[]).await, town.join("dora", &[]).await];
    let (his, also_his) = (town.post(bert, "NEWS").await, town.post(bert, "NEWS").await);
    let (like_it, other) = (town.post(carl, "NEWS").await, town.post(dora, "NEWS").await);
    let emil = town.join("emil", &[]).await;
    for (person, post) in [
        (bert, his),
        (emil, his),
        (bert, like_it),
        (emil, like_it),
        (carl, also_his),
        (dora, also_his),
        (emil, also_his),
    ] {
        town.react(person, post).await;
    }
    town.find_similar().await;
    let before = posts(&town.recommended(anna).await);
    assert_eq!(before, [also_his, like_it, other, his], "of two posts of one author the second is the last");
    let path = format!("/me/recommendations/posts/{his}/not-interested");
    for _ in 0..2 {
        let reply = town.platform.call("POST", &path, Some(&anna.to_string()), None).await;
        assert_eq!((reply.status.as_u16(), reply.body), (204, Value::Null));
    }
    let after = posts(&town.recommended(anna).await);
    assert_eq!(after, [other, also_his, like_it], "its author and what is like it are behind");
    let held = town.platform.personal_data_of(anna, "not_interested_posts").await;
    assert_eq!((held.len(), &held[0]["post_id"]), (1, &json!(his)));
    assert!(
        town.platform.personal_data_of(bert, "not_interested_posts").await.is_empty(),
        "its author does not get to know"
    );
    for _ in 0..2 {
        assert_eq!(town.platform.call("DELETE", &path, Some(&anna.to_string()), None).await.status, 204);
    }
    assert_eq!(posts(&town.recommended(anna).await), before);

    for unknown in [Uuid::now_v7().to_string(), "x".to_owned()] {
        let path = format!("/me/recommendations/posts/{unknown}/not-interested");
        let reply = town.platform.call("POST", &path, Some(&anna.to_string()), None).await;
        assert_eq!(reply.status, if unknown == "x" { 422 } else { 404 }, "{unknown}");
    }
    let block = json!({ "user_id": bert, "target_id": anna, "at": chrono::Utc::now() });
    town.platform.consume(USER_BLOCKED, &block).await;
    let reply = town.platform.call("POST", &path, Some(&anna.to_string()), None).await;
    assert_eq!((reply.status.as_u16(), &reply.body["detail"]), (404, &json!("Post not found")));
}

/// A list that was picked before a refusal and is saved after it is no list to begin from.
#[sqlx::test(migrations = false)]
async fn a_refusal_outdates_a_list_that_is_being_made(_: PgPoolOptions, database: PgConnectOptions) {
    let town = Town::start(database, &[]).await;
    let [anna, bert] = [town.join("anna", &[]).await, town.join("bert", &[]).await];
    let (refused, _) = (town.post(bert, "NEWS").await, town.post(bert, "NEWS").await);
    let (recommender, db) = (town.recommender(), &town.platform.app.db);
    let before = PostRecommendationList::find_current(db, anna, 10).await.unwrap();
    let picks = recommender.pick(anna).await.unwrap();
    let path = format!("{PAGE}/{refused}/not-interested");
    assert_eq!(town.platform.call("POST", &path, Some(&anna.to_string()), None).await.status, 204);
    assert_eq!(before.id, None);
    let mut tx = db.begin().await.unwrap();
    let overtaken = PostRecommendationList::create(&mut tx, anna, before.read_at, &picks).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(town.count("select count(*) from recommendation_list, not_interested where made_at < said_at").await, 1);
    assert_ne!(recommender.current(anna).await.unwrap(), overtaken);
}

/// What a person has seen and refused, and the lists that were made for them, are exported and erased with them.
#[sqlx::test(migrations = false)]
async fn what_recommendations_know_of_a_person_is_exported_and_erased(_: PgPoolOptions, database: PgConnectOptions) {
    let town = Town::start(database, &[]).await;
    let [anna, bert] = [town.join("anna", &[]).await, town.join("bert", &[]).await];
    let (seen, refused, left) =
        (town.post(bert, "NEWS").await, town.post(bert, "NEWS").await, town.post(bert, "NEWS").await);
    for reader in [anna, bert, anna] {
        town.platform.consume(POST_VIEWED, &json!({ "id": seen, "viewed_by": reader })).await;
    }
    let path = format!("{PAGE}/{refused}/not-interested");
    assert_eq!(town.platform.call("POST", &path, Some(&anna.to_string()), None).await.status, 204);
    assert_eq!(posts(&town.recommended(anna).await), [left]);
    let held = town.platform.personal_data_of(anna, "seen_posts").await;
    assert_eq!((held.len(), &held[0]["post_id"]), (1, &json!(seen)));
    town.sql(&format!("insert into post_digest values ('{anna}', now())")).await;
    town.platform.consume("user_deleted", &json!({ "id": anna, "deleted_at": "2026-11-20T12:00:00Z" })).await;
    town.platform.erase(anna).await;
    town.platform.consume(POST_VIEWED, &json!({ "id": left, "viewed_by": anna })).await;
    let places = town.platform.finds(&anna.to_string()).await;
    let ours = ["seen_post", "not_interested", "recommendation_list", "post_digest"];
    assert!(!places.iter().any(|place| ours.iter().any(|table| place.ends_with(table))), "{places:?}");
    assert_eq!(town.platform.personal_data_of(bert, "seen_posts").await.len(), 1);
    // Of what is older than any post that is recommended, nothing is kept.
    town.sql("update seen_post set seen_at = now() - interval '32 days'").await;
    super::super::schedulers::purge(&town.platform.app).await.unwrap();
    assert!(town.platform.personal_data_of(bert, "seen_posts").await.is_empty());
}
