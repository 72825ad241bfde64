//! What is one notification, who is behind it, and when it is withdrawn and comes back.
use std::collections::BTreeSet;

use chrono::Utc;
use serde_json::{Value, json};
use sqlx::Executor;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use uuid::Uuid;

use super::{Scene, Someone};
use crate::blocks::events::USER_BLOCKED;
use crate::comments::events::{COMMENT_CREATED, COMMENT_DELETED};
use crate::core::testing::{self, Platform};
use crate::follows::events::{USER_CONNECTED, USER_DISCONNECTED};
use crate::notifications::causes::Pair;
use crate::notifications::schedulers::purge;
use crate::notifications::signals;
use crate::people::events::USER_UPDATED;
use crate::posts::events::{POST_CREATED, POST_DELETED, POST_UPDATED};
use crate::profiles::events::LEVEL_CHANGED;
use crate::reactions::events::{REACTION_CREATED, REACTION_DELETED, REACTION_UPDATED};

#[sqlx::test(migrations = false)]
async fn reactions_to_a_post_are_one_notification_with_an_exact_count(_: PgPoolOptions, database: PgConnectOptions) {
    let scene = Scene::start(database).await;
    let ann = scene.person("Ann").await;
    let post = scene.publish(&ann).await;
    let mut people = Vec::new();
    for (second, name) in (1..).zip(["Bert", "Carl", "Dora", "Emil"]) {
        let person = scene.person(name).await;
        scene.react(&person, post, second).await;
        people.push(person);
    }
    // One more reaction of one of them, and a changed one: no further person.
    let again = scene.react(&people[0], post, 5).await;
    scene.consume(REACTION_UPDATED, &again).await;
    let all = scene.notifications(&ann).await;
    assert_eq!(all.len(), 1, "{all:?}");
    let group = &all[0];
    assert_eq!(
        (&group["type"], &group["status"], &group["total_actors"], &group["text"]),
        (
            &json!("POST_REACTION_RECEIVED"),
            &json!("GENERATED"),
            &json!(4),
            &json!("Bert and 3 others reacted to your post")
        )
    );
    let newest: Vec<&Value> = group["actors"].as_array().unwrap().iter().map(|actor| &actor["first_name"]).collect();
    assert_eq!(newest, ["Bert", "Emil", "Dora"]);
    assert_eq!(group["post"], json!({ "id": post, "title": "Autumn", "excerpt": "The leaves are falling." }));
    assert_eq!((&group["viewed_at"], scene.unread(&ann).await), (&Value::Null, json!(1)));
    let time = |name: &str| group[name].as_str().unwrap().parse::<chrono::DateTime<Utc>>().unwrap().timestamp();
    assert_eq!(time("created_at") - scene.at(0).timestamp(), 2, "the oldest that stands");
    assert_eq!(time("updated_at") - scene.at(0).timestamp(), 5, "the newest");
}

#[sqlx::test(migrations = false)]
async fn a_comment_has_its_own_group_and_two_names_are_named(_: PgPoolOptions, database: PgConnectOptions) {
    let scene = Scene::start(database).await;
    let (ann, bert, carl) = (scene.person("Ann").await, scene.person("Bert").await, scene.person("Carl").await);
    let post = scene.publish(&ann).await;
    scene.react(&bert, post, 1).await;
    scene.comment(&bert, post, 2).await;
    scene.comment(&carl, post, 3).await;
    scene.comment(&bert, post, 4).await;
    assert_eq!(scene.texts(&ann).await, ["Bert and Carl commented on your post", "Bert reacted to your post"]);
}

#[sqlx::test(migrations = false)]
async fn what_a_user_did_on_their_own_post_notifies_no_user(_: PgPoolOptions, database: PgConnectOptions) {
    let scene = Scene::start(database).await;
    let (ann, bert) = (scene.person("Ann").await, scene.person("Bert").await);
    let post = scene.publish(&ann).await;
    scene.react(&ann, post, 1).await;
    scene.comment(&ann, post, 2).await;
    assert_eq!(scene.texts(&ann).await, [""; 0]);
    scene.react(&bert, post, 3).await;
    assert_eq!(scene.texts(&ann).await, ["Bert reacted to your post"]);
    assert_eq!(scene.texts(&bert).await, [""; 0]);
}

#[sqlx::test(migrations = false)]
async fn connections_of_one_day_are_one_notification(_: PgPoolOptions, database: PgConnectOptions) {
    let scene = Scene::start(database).await;
    let (ann, bert, carl) = (scene.person("Ann").await, scene.person("Bert").await, scene.person("Carl").await);
    scene.connect(&bert, &ann, 0).await;
    scene.connect(&carl, &ann, -86_400).await;
    assert_eq!(scene.texts(&ann).await, ["Bert connected to you", "Carl connected to you"]);
    // Carl ends it, and connects again today.
    scene.consume(USER_DISCONNECTED, &scene.link(&carl, &ann, -5)).await;
    assert_eq!(scene.texts(&ann).await, ["Bert connected to you"]);
    scene.connect(&carl, &ann, 0).await;
    assert_eq!(scene.notifications(&ann).await[0]["total_actors"], 2);
    assert_eq!(scene.notifications(&ann).await.len(), 1);
}

#[sqlx::test(migrations = false)]
async fn a_notification_goes_with_its_last_cause_and_comes_back_with_a_new_one(
    _: PgPoolOptions,
    database: PgConnectOptions,
) {
    let scene = Scene::start(database).await;
    let (ann, bert, carl) = (scene.person("Ann").await, scene.person("Bert").await, scene.person("Carl").await);
    let post = scene.publish(&ann).await;
    let (one, other) = (scene.react(&bert, post, 1).await, scene.react(&carl, post, 2).await);
    scene.view_all(&ann).await;
    scene.take_back(&other).await;
    assert_eq!(scene.texts(&ann).await, ["Bert reacted to your post"]);
    assert_eq!(scene.unread(&ann).await, json!(0), "taking back makes nothing unread");
    scene.take_back(&one).await;
    assert_eq!(scene.texts(&ann).await, [""; 0]);
    scene.react(&bert, post, 3).await;
    let all = scene.notifications(&ann).await;
    assert_eq!((&all[0]["text"], &all[0]["status"]), (&json!("Bert reacted to your post"), &json!("GENERATED")));
    assert_eq!(scene.unread(&ann).await, json!(1));
    // A comment that is hidden, and one that is deleted.
    let comment = scene.comment(&carl, post, 4).await;
    let mut hidden = comment.clone();
    hidden["hidden_at"] = json!(scene.at(5));
    hidden["updated_at"] = json!(scene.at(5));
    scene.consume(COMMENT_DELETED, &hidden).await;
    assert_eq!(scene.notifications(&ann).await.len(), 1);
    let mut restored = comment.clone();
    restored["updated_at"] = json!(scene.at(6));
    scene.consume(COMMENT_CREATED, &restored).await;
    assert_eq!(scene.notifications(&ann).await.len(), 2);
    scene.consume(COMMENT_DELETED, &restored).await;
    assert_eq!(scene.notifications(&ann).await.len(), 1);
}

#[sqlx::test(migrations = false)]
async fn what_was_said_of_a_post_is_withheld_while_it_is_not_to_be_seen(_: PgPoolOptions, database: PgConnectOptions) {
    let scene = Scene::start(database).await;
    let (ann, bert) = (scene.person("Ann").await, scene.person("Bert").await);
    let post = scene.publish(&ann).await;
    scene.react(&bert, post, 1).await;
    scene.comment(&bert, post, 1).await;
    scene.view_all(&ann).await;
    let mut hidden = scene.post(&ann, post, "POSTED", 3);
    hidden["hidden_at"] = json!(scene.at(3));
    let steps = [
        (POST_UPDATED, scene.post(&ann, post, "ARCHIVED", 1), 0),
        (POST_UPDATED, scene.post(&ann, post, "POSTED", 2), 2),
        (POST_DELETED, hidden, 0),
        (POST_CREATED, scene.post(&ann, post, "POSTED", 4), 2),
        (POST_DELETED, scene.post(&ann, post, "POSTED", 4), 0),
    ];
    for (stream, event, shown) in steps {
        scene.consume(stream, &event).await;
        assert_eq!(scene.notifications(&ann).await.len(), shown, "{stream} {event}");
        assert_eq!(scene.unread(&ann).await, json!(0), "it was viewed, and nothing new happened");
    }
}

#[sqlx::test(migrations = false)]
async fn no_user_is_notified_of_a_blocked_or_muted_one(_: PgPoolOptions, database: PgConnectOptions) {
    let scene = Scene::start(database).await;
    let (ann, bert, carl) = (scene.person("Ann").await, scene.person("Bert").await, scene.person("Carl").await);
    let post = scene.publish(&ann).await;
    scene.react(&bert, post, 1).await;
    scene.react(&carl, post, 2).await;
    scene.connect(&bert, &ann, 3).await;
    scene.connect(&ann, &bert, 3).await;
    scene.view_all(&ann).await;
    scene.block(&bert, &ann, 4).await;
    assert_eq!(scene.texts(&ann).await, ["Carl reacted to your post"]);
    assert_eq!(scene.texts(&bert).await, [""; 0], "in both directions");
    scene.comment(&bert, post, 5).await;
    assert_eq!(scene.texts(&ann).await, ["Carl reacted to your post"]);
    scene.unblock(&bert, &ann, 6).await;
    assert_eq!(
        scene.texts(&ann).await,
        ["Bert commented on your post", "Bert connected to you", "Carl and Bert reacted to your post"]
    );
    assert_eq!(scene.unread(&ann).await, json!(1), "only the comment is new");

    // A mute, as the route of mutes writes one.
    let mute = async |sql: &str| {
        let mut tx = scene.app.db.begin().await.unwrap();
        tx.execute(sqlx::AssertSqlSafe(sql.to_owned())).await.unwrap();
        signals::pairs_changed(&mut tx, &[Pair { user_id: ann.id, actor_id: carl.id }]).await.unwrap();
        tx.commit().await.unwrap();
    };
    let (id, one, other) = (Uuid::now_v7(), ann.id, carl.id);
    mute(&format!("insert into mute (id, user_id, target_id) values ('{id}', '{one}', '{other}')")).await;
    scene.comment(&carl, post, 7).await;
    assert_eq!(
        scene.texts(&ann).await,
        ["Bert commented on your post", "Bert connected to you", "Bert reacted to your post"]
    );
    mute("delete from mute").await;
    assert_eq!(scene.texts(&ann).await[0], "Carl and Bert commented on your post");
}

/// All orders of `items`.
fn orders<T: Clone>(items: &[T]) -> Vec<Vec<T>> {
    if items.is_empty() {
        return vec![Vec::new()];
    }
    let first = |place: usize| {
        let mut rest = items.to_vec();
        let first = rest.remove(place);
        orders(&rest).into_iter().map(move |rest| [vec![first.clone()], rest].concat())
    };
    (0..items.len()).flat_map(first).collect()
}

/// What a reader sees, without ids of notifications and numbers of changes.
async fn seen(scene: &Scene, reader: &Someone) -> Vec<Value> {
    let seen = scene.notifications(reader).await.into_iter().map(|mut notification| {
        for of_the_row in ["id", "change"] {
            notification.as_object_mut().unwrap().remove(of_the_row);
        }
        notification["post"]["id"].take();
        for actor in notification["actors"].as_array_mut().unwrap() {
            actor["id"].take();
        }
        notification
    });
    seen.collect()
}

/// Events, of the people and the post that they are given.
type History = fn(&Scene, [&Someone; 4], Uuid) -> Vec<(&'static str, Value)>;

/// Delivers a history in all of its orders, to people of their own each: first the first events of all, then the second ones.
async fn compare_orders(scene: &Scene, length: usize, history: History, expected: &[&str]) {
    let mut runs = Vec::new();
    for order in orders(&(0..length).collect::<Vec<_>>()) {
        let people = [(); 4].map(|()| testing::new_user()).map(|(token, id)| Someone { id, token });
        let events = history(scene, people.each_ref(), Uuid::now_v7());
        assert_eq!(events.len(), length);
        let [reader, ..] = people.clone();
        for (person, name) in people.iter().zip(["Ann", "Bert", "Carl", "Dora"]) {
            scene.put(USER_UPDATED, &scene.user(person.id, name)).await;
        }
        runs.push((reader, order, events));
    }
    scene.consume_waiting(USER_UPDATED).await;
    for turn in 0..length {
        let mut streams = BTreeSet::new();
        for (_, order, events) in &runs {
            let (stream, event) = &events[order[turn]];
            // What is delivered twice counts once.
            for _ in 0..=(order[0] + turn) % 2 {
                scene.put(stream, event).await;
            }
            streams.insert(*stream);
        }
        for stream in streams {
            scene.consume_waiting(stream).await;
        }
    }
    let mut first: Option<Vec<Value>> = None;
    for (reader, order, _) in &runs {
        let seen = seen(scene, reader).await;
        let texts: Vec<&str> = seen.iter().map(|notification| notification["text"].as_str().unwrap()).collect();
        assert_eq!(texts, expected, "{order:?}");
        assert_eq!(*first.get_or_insert_with(|| seen.clone()), seen, "{order:?}");
    }
}

#[sqlx::test(migrations = false)]
async fn every_order_of_events_ends_in_the_same_notifications(_: PgPoolOptions, database: PgConnectOptions) {
    let scene = Scene::start(database).await;
    let blocked: History = |scene, [ann, bert, carl, _], post| {
        vec![
            (POST_CREATED, scene.post(ann, post, "POSTED", 0)),
            (REACTION_CREATED, scene.made(bert, post, 1)),
            (REACTION_CREATED, scene.made(carl, post, 2)),
            (USER_BLOCKED, scene.link(carl, ann, 3)),
            (USER_CONNECTED, scene.link(carl, ann, 2)),
        ]
    };
    compare_orders(&scene, 5, blocked, &["Bert reacted to your post"]).await;
    let taken_back: History = |scene, [ann, bert, carl, _], post| {
        let first = scene.made(bert, post, 1);
        vec![
            (POST_CREATED, scene.post(ann, post, "POSTED", 0)),
            (REACTION_CREATED, first.clone()),
            (REACTION_DELETED, first),
            (COMMENT_CREATED, scene.made(carl, post, 3)),
        ]
    };
    compare_orders(&scene, 4, taken_back, &["Carl commented on your post"]).await;
    let restored: History = |scene, [ann, bert, _, dora], post| {
        let mut hidden = scene.post(ann, post, "POSTED", 1);
        hidden["hidden_at"] = json!(scene.at(1));
        vec![
            (POST_DELETED, hidden),
            (POST_CREATED, scene.post(ann, post, "POSTED", 2)),
            (REACTION_CREATED, scene.made(dora, post, 3)),
            (COMMENT_CREATED, scene.made(bert, post, 4)),
        ]
    };
    compare_orders(&scene, 4, restored, &["Bert commented on your post", "Dora reacted to your post"]).await;
}

#[sqlx::test(migrations = false)]
async fn a_new_level_is_notified_once(_: PgPoolOptions, database: PgConnectOptions) {
    let scene = Scene::start(database).await;
    let ann = scene.person("Ann").await;
    // Twenty comments of one day change the level; the event is the service's own.
    let post = Uuid::now_v7();
    for second in 0..20 {
        scene.comment(&ann, post, second).await;
    }
    let levels = scene.published(LEVEL_CHANGED).await;
    assert_eq!((levels.len(), &levels[0]["status"]), (1, &json!("LESS_ACTIVE")));
    scene.consume_waiting(LEVEL_CHANGED).await;
    let back: Result<(), _> = redis::cmd("XGROUP")
        .arg(&["SETID", LEVEL_CHANGED, scene.service.group, "0"])
        .query_async(&mut scene.app.redis.clone())
        .await;
    back.unwrap();
    scene
        .app
        .db
        .execute("update inbox set ms = 0, seq = 0 where stream = 'user_engagement_level_changed'")
        .await
        .unwrap();
    scene.consume_waiting(LEVEL_CHANGED).await;
    let all = scene.notifications(&ann).await;
    assert_eq!(all.len(), 1, "{all:?}");
    assert_eq!(
        (&all[0]["type"], &all[0]["level"], &all[0]["text"], &all[0]["total_actors"]),
        (
            &json!("PROFILE_ACTIVITY"),
            &json!("LESS_ACTIVE"),
            &json!("Your level of activity is now: less active"),
            &json!(0)
        )
    );
}

#[sqlx::test(migrations = false)]
async fn what_is_old_is_forgotten_once_it_is_settled_and_does_not_come_back(
    _: PgPoolOptions,
    database: PgConnectOptions,
) {
    let scene = Scene::start(database).await;
    let (ann, bert, carl) = (scene.person("Ann").await, scene.person("Bert").await, scene.person("Carl").await);
    let [viewed, unread] = [scene.publish(&ann).await, scene.publish(&ann).await];
    scene.react(&bert, viewed, 1).await;
    scene.view_all(&ann).await;
    scene.react(&bert, unread, 2).await;
    let left = async |platform: &Platform| {
        purge(&platform.app).await.unwrap();
        scene.notifications(&ann).await.len()
    };
    assert_eq!(left(&scene).await, 2, "it is not old");
    let old = "update notification set updated_at = updated_at - interval '91 days';
        update reaction_card set created_at = created_at - interval '91 days'";
    scene.app.db.execute(old).await.unwrap();
    assert_eq!(left(&scene).await, 1, "what is unread stays");
    scene.consume(POST_UPDATED, &scene.post(&ann, viewed, "POSTED", 3)).await;
    assert_eq!(scene.notifications(&ann).await.len(), 1, "91 days are too long for a new one");
    scene.react(&carl, viewed, 4).await;
    assert_eq!(scene.notifications(&ann).await.len(), 2);
}
