//! The routes of notifications, and what is held of a person.
use serde_json::{Value, json};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use uuid::Uuid;

use super::Scene;
use crate::reactions::events::REACTION_CREATED;

#[sqlx::test(migrations = false)]
async fn pages_are_newest_first_and_filtered(_: PgPoolOptions, database: PgConnectOptions) {
    let scene = Scene::start(database).await;
    let (ann, bert) = (scene.person("Ann").await, scene.person("Bert").await);
    for second in 1..=4 {
        let post = scene.publish(&ann).await;
        scene.react(&bert, post, second).await;
        scene.comment(&bert, post, 10 + second).await;
    }
    let times = |page: &[Value]| page.iter().map(|one| one["updated_at"].clone()).collect::<Vec<_>>();
    let all = scene.notifications(&ann).await;
    let mut sorted = times(&all);
    sorted.sort_by_key(|time| std::cmp::Reverse(time.as_str().unwrap().to_owned()));
    assert_eq!((all.len(), times(&all)), (8, sorted));

    let mut path = "/me/notifications?limit=3&type=POST_REACTION_RECEIVED".to_owned();
    let mut paged = Vec::new();
    loop {
        let reply = scene.call("GET", &path, Some(&ann.token), None).await;
        paged.extend(reply.body.as_array().unwrap().clone());
        let Some(link) = reply.headers.get("link") else { break };
        path = link.to_str().unwrap().split(['<', '>']).nth(1).unwrap().trim_start_matches("/api/v1").to_owned();
    }
    assert_eq!(paged, all[4..], "the reactions are the older half");

    let ids: Vec<&Value> = all[..2].iter().map(|one| &one["id"]).collect();
    let body = Some(json!({ "ids": ids }));
    let reply = scene.call("POST", "/me/notifications/view", Some(&ann.token), body).await;
    assert_eq!((reply.status.as_u16(), reply.body), (200, json!({ "unread": 6 })));
    assert_eq!(scene.listed(&ann, "?unread=true").await, all[2..]);
    for (query, name) in [("?type=LIKES", "type"), ("?unread=perhaps", "unread"), ("?limit=0", "limit")] {
        let reply = scene.call("GET", &format!("/me/notifications{query}"), Some(&ann.token), None).await;
        assert_eq!((reply.status.as_u16(), &reply.body["detail"][0]["loc"][1]), (422, &json!(name)));
    }
}

#[sqlx::test(migrations = false)]
async fn viewed_notifications_become_unread_only_by_news(_: PgPoolOptions, database: PgConnectOptions) {
    let scene = Scene::start(database).await;
    let (ann, bert, carl) = (scene.person("Ann").await, scene.person("Bert").await, scene.person("Carl").await);
    let [post, other] = [scene.publish(&ann).await, scene.publish(&ann).await];
    let reaction = scene.react(&bert, post, 1).await;
    scene.react(&bert, other, 5).await;
    let all = scene.notifications(&ann).await;
    // All up to the older one.
    let body = Some(json!({ "up_to": all[1]["updated_at"] }));
    let reply = scene.call("POST", "/me/notifications/view", Some(&ann.token), body).await;
    assert_eq!(reply.body, json!({ "unread": 1 }));
    let seen = scene.notifications(&ann).await;
    assert_eq!((&seen[0]["status"], &seen[1]["status"]), (&json!("GENERATED"), &json!("VIEWED")));
    assert!(seen[1]["viewed_at"].is_string());
    // One by its id, twice.
    let path = format!("/me/notifications/{}/view", seen[0]["id"].as_str().unwrap());
    for _ in 0..2 {
        let reply = scene.call("POST", &path, Some(&ann.token), None).await;
        assert_eq!((reply.status.as_u16(), reply.body), (200, json!({ "unread": 0 })));
    }
    scene.consume(REACTION_CREATED, &reaction).await;
    assert_eq!(scene.unread(&ann).await, json!(0), "it is known");
    scene.react(&carl, post, 2).await;
    assert_eq!(scene.unread(&ann).await, json!(1));
}

/// What is consumed after a reader has read the list stays unread, also where it happened before what they have seen.
#[sqlx::test(migrations = false)]
async fn what_arrives_late_is_not_viewed_unseen(_: PgPoolOptions, database: PgConnectOptions) {
    let scene = Scene::start(database).await;
    let (ann, bert, carl) = (scene.person("Ann").await, scene.person("Bert").await, scene.person("Carl").await);
    let [post, other] = [scene.publish(&ann).await, scene.publish(&ann).await];
    scene.react(&bert, post, 5).await;
    let shown = scene.notifications(&ann).await;
    scene.react(&carl, other, 2).await;
    let view = async |body: Value| {
        scene.call("POST", "/me/notifications/view", Some(&ann.token), Some(body)).await.body["unread"].clone()
    };
    assert_eq!(view(json!({ "up_to_change": shown[0]["change"] })).await, json!(1));
    let unread = scene.listed(&ann, "?unread=true").await;
    assert_eq!((unread.len(), &unread[0]["post"]["id"]), (1, &json!(other)));
    assert_eq!(view(json!({ "up_to_change": unread[0]["change"] })).await, json!(0));
}

#[sqlx::test(migrations = false)]
async fn a_deleted_notification_stays_away_until_there_is_a_new_cause(_: PgPoolOptions, database: PgConnectOptions) {
    let scene = Scene::start(database).await;
    let (ann, bert, carl) = (scene.person("Ann").await, scene.person("Bert").await, scene.person("Carl").await);
    let post = scene.publish(&ann).await;
    let reaction = scene.react(&bert, post, 1).await;
    let other = scene.react(&carl, post, 2).await;
    let path = format!("/me/notifications/{}", scene.notifications(&ann).await[0]["id"].as_str().unwrap());
    assert_eq!(scene.call("DELETE", &path, Some(&bert.token), None).await.status, 404, "it is not his");
    assert_eq!(scene.call("DELETE", &path, Some(&ann.token), None).await.status, 204);
    assert_eq!(scene.call("DELETE", &path, Some(&ann.token), None).await.status, 404);
    assert_eq!(scene.call("POST", &format!("{path}/view"), Some(&ann.token), None).await.status, 404);
    scene.consume(REACTION_CREATED, &reaction).await;
    scene.take_back(&other).await;
    assert_eq!((scene.texts(&ann).await.len(), scene.unread(&ann).await), (0, json!(0)));
    scene.react(&carl, post, 3).await;
    assert_eq!(scene.texts(&ann).await, ["Carl and Bert reacted to your post"]);
}

#[sqlx::test(migrations = false)]
async fn a_body_that_says_nothing_or_too_much_is_refused(_: PgPoolOptions, database: PgConnectOptions) {
    let scene = Scene::start(database).await;
    let ann = scene.person("Ann").await;
    let refusals = [
        (json!({}), "value_error.either"),
        (json!({ "ids": [], "up_to": "2026-11-20T12:00:00Z" }), "value_error.either"),
        (json!({ "ids": "all" }), "type_error.list"),
        (json!({ "ids": ["x"] }), "type_error.uuid"),
        (json!({ "ids": vec![Uuid::nil(); 201] }), "value_error.list.max_items"),
        (json!({ "up_to": "yesterday" }), "value_error.datetime"),
        (json!({ "up_to": 5 }), "value_error.datetime"),
        (json!({ "up_to_change": -1 }), "type_error.integer"),
        (json!({ "up_to_change": "5" }), "type_error.integer"),
        (json!({ "up_to": "2026-11-20T12:00:00Z", "up_to_change": 5 }), "value_error.either"),
        (json!({ "ids": [], "all": true }), "value_error.extra"),
    ];
    for (body, kind) in refusals {
        let reply = scene.call("POST", "/me/notifications/view", Some(&ann.token), Some(body.clone())).await;
        assert_eq!((reply.status.as_u16(), &reply.body["detail"][0]["type"]), (422, &json!(kind)), "{body}");
    }
}

#[sqlx::test(migrations = false)]
async fn notifications_are_exported_and_erased_on_both_sides(_: PgPoolOptions, database: PgConnectOptions) {
    let scene = Scene::start(database).await;
    let (ann, bert, carl) = (scene.person("Ann").await, scene.person("Bert").await, scene.person("Carl").await);
    let [hers, his] = [scene.publish(&ann).await, scene.publish(&bert).await];
    scene.react(&bert, hers, 1).await;
    scene.react(&carl, hers, 2).await;
    scene.react(&ann, his, 3).await;
    scene.connect(&bert, &ann, 4).await;
    let held = scene.personal_data_of(ann.id, "notifications").await;
    let held: Vec<_> = held.iter().map(|one| (&one["type"], &one["causes"])).collect();
    assert_eq!(held, [(&json!("USER_CONNECTED"), &json!(1)), (&json!("POST_REACTION_RECEIVED"), &json!(2))]);

    scene.erase(bert.id).await;
    assert_eq!(scene.texts(&ann).await, ["Carl reacted to your post"]);
    let left = scene.finds(&bert.id.to_string()).await;
    assert!(!left.iter().any(|place| place.contains("notification")), "{left:?}");
    scene.react(&bert, hers, 5).await;
    assert_eq!(scene.texts(&ann).await, ["Carl reacted to your post"], "an event that came late");
    scene.erase(ann.id).await;
    let left = scene.finds(&ann.id.to_string()).await;
    assert!(!left.iter().any(|place| place.contains("notification")), "{left:?}");
}
