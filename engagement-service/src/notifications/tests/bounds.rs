//! What is bounded: how old causes are, from how many a group is built at once, and how long notifications are kept.
use std::collections::BTreeSet;

use chrono::{TimeDelta, Utc};
use serde_json::json;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, Executor, Row};
use uuid::{Builder, Uuid};

use super::Scene;
use crate::notifications::schedulers::purge;
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
