//! The export and the erasure of a user's data.
use serde_json::json;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, Executor, Row};
use uuid::Uuid;

use super::USER_ERASED;
use crate::SERVICE;
use crate::core::testing::{Platform, new_user};
use crate::digests::models::Digest;
use crate::profiles::events::COMMENT_CREATED;
use crate::push::models::Delivery;

#[sqlx::test(migrations = false)]
async fn a_deleted_users_data_is_exported_before_and_gone_after(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = Platform::start(&SERVICE, database, &[]).await;
    let ((anna, her), (bert, him)) = (new_user(), new_user());
    for author in [her, him] {
        let at = chrono::Utc::now();
        let comment = json!({ "id": Uuid::now_v7(), "created_at": at, "created_by": author, "updated_at": at,
            "updated_by": null, "post_id": Uuid::now_v7(), "content": "x" });
        platform.consume(COMMENT_CREATED, &comment).await;
    }
    let held = platform.personal_data_of(her, "profiles").await;
    assert_eq!((held.len(), &held[0]["user_id"], &held[0]["total_post_comments"]), (1, &json!(her), &json!(1)));
    assert_eq!((&held[0]["activity"][0]["kind"], &held[0]["activity"][0]["total"]), (&json!("COMMENT"), &json!(1)));

    platform.consume("user_deleted", &json!({ "id": her, "deleted_at": "2026-11-20T12:00:00+00:00" })).await;
    platform.erase(her).await;
    assert_eq!(platform.personal_data_of(her, "profiles").await, [json!(null); 0]);
    let left = platform.finds(&her.to_string()).await;
    assert!(
        !left.iter().any(|place| ["profile", "summary", "activity"].iter().any(|table| place.ends_with(table))),
        "{left:?}"
    );
    assert_eq!(platform.published(USER_ERASED).await, [json!({ "user_id": her })]);
    let reply = platform.call("GET", "/me/activity-profile", Some(&anna), None).await;
    assert_eq!(reply.status, 404);
    assert_eq!(platform.call("GET", "/me/activity-profile", Some(&bert), None).await.status, 200);
}

#[sqlx::test(migrations = false)]
async fn that_an_author_had_many_followers_is_erased(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = Platform::start(&SERVICE, database, &[]).await;
    let (her, him) = (new_user().1, new_user().1);
    let big = format!("insert into big_author (user_id) values ('{her}'), ('{him}')");
    platform.app.db.execute(AssertSqlSafe(big)).await.unwrap();
    platform.erase(her).await;
    let has_big_author =
        async |user: Uuid| platform.finds(&user.to_string()).await.iter().any(|place| place.ends_with("big_author"));
    assert!(!has_big_author(her).await);
    assert!(has_big_author(him).await, "another author stays one");
}

/// However much waits for a person or names them, one step of their erasure deletes a page of it.
#[sqlx::test(migrations = false)]
async fn what_waits_for_an_erased_person_is_deleted_in_pages(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = Platform::start(&SERVICE, database, &[]).await;
    let (her, him) = (new_user().1, new_user().1);
    for user in [her, him] {
        let entries = format!(
            "insert into digest_entry (notification_id, user_id, type, actor_ids, people, at)
            select gen_random_uuid(), '{user}', 'USER_MENTIONED', array[]::uuid[], 1, now() from generate_series(1, 3)"
        );
        platform.app.db.execute(AssertSqlSafe(entries)).await.unwrap();
    }
    for (user, named) in [(her, Uuid::nil()), (him, her), (him, Uuid::nil())] {
        let deliveries = format!(
            "insert into push_delivery (id, notification_id, user_id, device_id, provider, named, due_at, expires_at)
            select gen_random_uuid(), gen_random_uuid(), '{user}', gen_random_uuid(), 'FCM', array['{named}'::uuid], now(), now()
            from generate_series(1, 3)"
        );
        platform.app.db.execute(AssertSqlSafe(deliveries)).await.unwrap();
    }
    let mut tx = platform.app.db.begin().await.unwrap();
    for (more, entries, deliveries) in [(true, 4, 5), (true, 3, 3), (false, 3, 3)] {
        assert_eq!(Digest::erase(&mut tx, her, 2).await.unwrap(), more);
        assert_eq!(Delivery::erase(&mut tx, her, 2).await.unwrap(), more);
        for (rows, left) in [("digest_entry", entries), ("push_delivery", deliveries)] {
            let count = format!("select count(*) from {rows}");
            assert_eq!(tx.fetch_one(AssertSqlSafe(count)).await.unwrap().get::<i64, _>(0), left, "{rows}");
        }
    }
}
