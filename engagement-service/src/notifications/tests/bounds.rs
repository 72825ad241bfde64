//! What is bounded: how old causes are, from how many a group is built at once, and how long notifications are kept.
use std::collections::BTreeSet;

use chrono::{TimeDelta, Utc};
use serde_json::json;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, Executor, Row};
use uuid::{Builder, Uuid};

use super::Scene;
use crate::core::contract::timestamp::Timestamp;
use crate::notifications::causes::pairs::models::list_interactions;
use crate::notifications::causes::{Pair, PostActor};
use crate::notifications::kept_since;
use crate::notifications::models::Notification;
use crate::notifications::schedulers::purge;
use crate::posts::events::POST_UPDATED;
use crate::reactions::events::REACTION_CREATED;

const DAY: i64 = 86_400;

/// A reaction that is older than what is kept stands behind no group, in whatever order reactions are consumed.
#[sqlx::test(migrations = false)]
async fn a_cause_of_long_ago_adds_no_person(_: PgPoolOptions, database: PgConnectOptions) {
    let scene = Scene::start(database).await;
    let [ann, bert, carl] = [scene.person("Ann").await, scene.person("Bert").await, scene.person("Carl").await];
    for order in [[0, 1], [1, 0]] {
        let post = scene.publish(&ann).await;
        let reactions = [scene.made(&bert, post, -91 * DAY), scene.made(&carl, post, 1)];
        for n in order {
            scene.consume(REACTION_CREATED, &reactions[n]).await;
        }
        let all = scene.notifications(&ann).await;
        let group = all.iter().find(|one| one["post"]["id"] == json!(post)).unwrap();
        let seen = (&group["total_actors"], &group["text"]);
        assert_eq!(seen, (&json!(1), &json!("Carl reacted to your post")), "{order:?}");
    }
}

/// A group that begins with more people than one statement takes has all of them, each once.
#[sqlx::test(migrations = false)]
async fn a_large_group_is_counted_exactly_from_its_beginning(_: PgPoolOptions, database: PgConnectOptions) {
    let scene = Scene::start(database).await;
    let (ann, bert) = (scene.person("Ann").await, scene.person("Bert").await);
    let post = scene.publish(&ann).await;
    let many = format!(
        "insert into reaction_card (id, post_id, user_id, type, created_at, version)
        select gen_random_uuid(), '{post}', gen_random_uuid(), 'LIKE', now() - n * interval '1 hour', now()
        from generate_series(3, 4502) as n"
    );
    scene.app.db.execute(AssertSqlSafe(many)).await.unwrap();
    let reaction = scene.react(&bert, post, 1).await;
    let all = scene.notifications(&ann).await;
    // One of each of the hours after the third, up to the ninetieth day; and Bert.
    let recent = 90 * 24 - 3;
    assert_eq!((all.len(), &all[0]["total_actors"]), (1, &json!(recent + 1)));
    assert_eq!(all[0]["text"], format!("Bert and {recent} others reacted to your post"));
    scene.take_back(&reaction).await;
    assert_eq!(scene.notifications(&ann).await[0]["total_actors"], recent);
}

/// What is viewed stays for 90 days and what is not for 180, also where its reader cannot view it.
#[sqlx::test(migrations = false)]
async fn what_is_never_looked_at_is_deleted_in_the_end(_: PgPoolOptions, database: PgConnectOptions) {
    let scene = Scene::start(database).await;
    let ann = scene.person("Ann").await;
    let unlisted = json!({ "types": { "PROFILE_ACTIVITY": { "in_app": false } } });
    let reply = scene.call("PATCH", "/me/notification-preferences", Some(&ann.token), Some(unlisted)).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    let mut kept = BTreeSet::new();
    let rows = [
        ("SYSTEM_MESSAGE", 181, 181, "null", false),
        ("PROFILE_ACTIVITY", 181, 181, "null", false),
        ("PROFILE_ACTIVITY", 179, 179, "null", true),
        ("SYSTEM_MESSAGE", 400, 179, "null", true),
        ("SYSTEM_MESSAGE", 91, 91, "now()", false),
        ("SYSTEM_MESSAGE", 91, 91, "null", true),
        ("SYSTEM_MESSAGE", 400, 89, "now()", true),
    ];
    for (byte, (kind, written, newest, viewed_at, is_kept)) in (1_u8..).zip(rows) {
        let written = (Utc::now() - TimeDelta::days(written)).timestamp_millis();
        let id = Builder::from_unix_timestamp_millis(written.try_into().unwrap(), &[byte; 10]).into_uuid();
        let row = format!(
            "insert into notification (id, user_id, type, subject_id, causes, created_at, updated_at, viewed_at)
            values ('{id}', '{}', '{kind}', '{id}', 1, now() - interval '{newest} days', now() - interval '{newest} days',
                {viewed_at})",
            ann.id
        );
        scene.app.db.execute(AssertSqlSafe(row)).await.unwrap();
        if is_kept {
            kept.insert(id);
        }
    }
    purge(&scene.app).await.unwrap();
    let left = scene.app.db.fetch_all("select id from notification").await.unwrap();
    assert_eq!(left.iter().map(|row| row.get::<Uuid, _>(0)).collect::<BTreeSet<_>>(), kept);
}

/// Notifications of a type that is written for others, each of another reader or all of one, with as many people behind each.
async fn insert(scene: &Scene, kind: &str, reader: &str, subject: &str, groups: i64, people: i64) {
    let rows = format!(
        "with written as (
            insert into notification (id, user_id, type, subject_id, causes, created_at, updated_at)
            select gen_random_uuid(), {reader}, '{kind}', {subject}, {people}, now(), now() from generate_series(1, {groups})
            returning id, user_id
        ), reader as (
            insert into notification_reader (user_id) select distinct user_id from written on conflict do nothing
        )
        insert into notification_actor (notification_id, actor_id, stands, at, newest)
        select id, gen_random_uuid(), true, now(), now() from written cross join generate_series(1, {people})"
    );
    scene.app.db.execute(AssertSqlSafe(rows)).await.unwrap();
}

async fn count(scene: &Scene, rows: &str) -> i64 {
    scene.app.db.fetch_one(AssertSqlSafe(format!("select count(*) from {rows}"))).await.unwrap().get(0)
}

/// One who was away for long, or was flooded, marks all as viewed; each has a number of its own then.
#[sqlx::test(migrations = false)]
async fn very_many_are_viewed_at_once(_: PgPoolOptions, database: PgConnectOptions) {
    let scene = Scene::start(database).await;
    let ann = scene.person("Ann").await;
    insert(&scene, "SYSTEM_MESSAGE", &format!("'{}'::uuid", ann.id), "gen_random_uuid()", 4_500, 0).await;
    scene.app.db.execute("update notification set causes = 1").await.unwrap();
    assert_eq!(scene.unread(&ann).await, json!(4_500));
    scene.view_all(&ann).await;
    assert_eq!(scene.unread(&ann).await, json!(0));
    assert_eq!(
        count(&scene, "(select distinct change from notification where change between 1 and 4500) as number").await,
        4_500
    );
}

/// A post in which thousands are mentioned is archived and published again in one event each.
#[sqlx::test(migrations = false)]
async fn the_notifications_of_very_many_readers_are_withheld_with_their_post(
    _: PgPoolOptions,
    database: PgConnectOptions,
) {
    let scene = Scene::start(database).await;
    let ann = scene.person("Ann").await;
    let post = scene.publish(&ann).await;
    insert(&scene, "USER_MENTIONED", "gen_random_uuid()", &format!("'{post}'::uuid"), 4_500, 1).await;
    for (second, status, shown) in [(1, "ARCHIVED", 0), (2, "POSTED", 4_500)] {
        scene.consume(POST_UPDATED, &scene.post(&ann, post, status, second)).await;
        assert_eq!(count(&scene, "notification where shown").await, shown, "{status}");
    }
    let numbers = "notification_reader where last_change = 2";
    assert_eq!(count(&scene, numbers).await, 4_500, "each of them is a change for its reader");
}

/// A group with more people than one statement deletes, when it is old and when its reader leaves.
#[sqlx::test(migrations = false)]
async fn a_group_of_very_many_people_is_deleted_in_pages(_: PgPoolOptions, database: PgConnectOptions) {
    let scene = Scene::start(database).await;
    let (ann, bert) = (scene.person("Ann").await, scene.person("Bert").await);
    for reader in [&ann, &bert] {
        insert(&scene, "USER_MENTIONED", &format!("'{}'::uuid", reader.id), "gen_random_uuid()", 2, 4_500).await;
    }
    let old = format!(
        "update notification set updated_at = now() - interval '91 days', viewed_at = now() where user_id = '{}'",
        ann.id
    );
    scene.app.db.execute(AssertSqlSafe(old)).await.unwrap();
    purge(&scene.app).await.unwrap();
    let left = (count(&scene, "notification").await, count(&scene, "notification_actor").await);
    assert_eq!(left, (2, 9_000), "those of another reader, which are not old");
    scene.erase(bert.id).await;
    let left = (count(&scene, "notification").await, count(&scene, "notification_actor").await);
    assert_eq!(left, (0, 0));
}

/// A group that gets a person between two pages of its deletion goes on, and counts those who are left and no others.
#[sqlx::test(migrations = false)]
async fn a_group_that_has_news_while_it_is_deleted_counts_who_is_left(_: PgPoolOptions, database: PgConnectOptions) {
    let scene = Scene::start(database).await;
    let (ann, bert) = (scene.person("Ann").await, scene.person("Bert").await);
    let post = scene.publish(&ann).await;
    let (reader, subject) = (format!("'{}'::uuid", ann.id), format!("'{post}'::uuid"));
    insert(&scene, "POST_REACTION_RECEIVED", &reader, &subject, 1, 2_500).await;
    for column in ["notification_actor set (at, newest)", "notification set (updated_at, viewed_at)"] {
        let old = format!("update {column} = (now() - interval '91 days', now() - interval '91 days')");
        scene.app.db.execute(AssertSqlSafe(old)).await.unwrap();
    }
    let [before, unseen_before] = [90, 180].map(|days| Timestamp(Utc::now() - TimeDelta::days(days)));
    let page = async || {
        let mut tx = scene.app.db.begin().await.unwrap();
        let found = Notification::purge(&mut tx, before, unseen_before, 10).await.unwrap();
        tx.commit().await.unwrap();
        found
    };
    assert_eq!(page().await, 1);
    let left = count(&scene, "notification_actor").await;
    assert!((1..2_500).contains(&left), "{left}");
    scene.react(&bert, post, 1).await;
    assert_eq!(page().await, 0, "it is new again");
    let all = scene.notifications(&ann).await;
    assert_eq!((&all[0]["total_actors"], &all[0]["viewed_at"]), (&json!(left + 1), &json!(null)));
    assert_eq!(count(&scene, "notification_actor where stands").await, left + 1);
}

/// Where a block ends, what happened meanwhile is looked up from the newest on, and only so much of it, however much there is.
#[sqlx::test(migrations = false)]
async fn the_end_of_a_block_looks_up_the_newest_of_each_kind(_: PgPoolOptions, database: PgConnectOptions) {
    let scene = Scene::start(database).await;
    let (ann, bert) = (scene.person("Ann").await, scene.person("Bert").await);
    let post = scene.publish(&bert).await;
    let said = scene.comment(&ann, post, 1).await["id"].as_str().unwrap().to_owned();
    let (reader, other) = (ann.id, bert.id);
    // The oldest are stored first.
    for rows in [
        format!(
            "insert into mention (source_id, name, post_id, author_id, person_id, at)
            select gen_random_uuid(), 'ann', lpad(n::text, 32, '0')::uuid, '{other}', '{reader}', now() - (9 - n) * interval '1 hour'
            from generate_series(1, 4) as n"
        ),
        format!(
            "insert into comment_card (id, post_id, user_id, created_at, version, reply_to)
            select gen_random_uuid(), '{post}', lpad(n::text, 32, '0')::uuid, now() - (99 - n) * interval '1 hour', now(), '{said}'
            from generate_series(11, 14) as n"
        ),
        format!(
            "insert into comment_reaction_card (id, post_id, user_id, created_at, version, comment_id)
            select gen_random_uuid(), '{post}', lpad(n::text, 32, '0')::uuid, now() - (99 - n) * interval '1 hour', now(), '{said}'
            from generate_series(21, 24) as n"
        ),
    ] {
        scene.app.db.execute(AssertSqlSafe(rows)).await.unwrap();
    }
    let mut tx = scene.app.db.begin().await.unwrap();
    let pairs = [Pair { user_id: reader, actor_id: other }];
    let found = list_interactions(&mut tx, &pairs, kept_since(), 2).await.unwrap();
    let named = [3, 4].map(|n| PostActor { post_id: Uuid::from_u128(n), actor_id: other });
    let there = [0x13, 0x14, 0x23, 0x24].map(|n| PostActor { post_id: post, actor_id: Uuid::from_u128(n) });
    let expected: BTreeSet<PostActor> = named.into_iter().chain(there).collect();
    assert_eq!(found.into_iter().collect::<BTreeSet<_>>(), expected);
}
