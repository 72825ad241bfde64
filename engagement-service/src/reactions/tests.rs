//! Reactions and their count, through their events.
use serde_json::{Value, json};
use sqlx::Row;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use uuid::Uuid;

use super::events::{REACTION_CREATED, REACTION_DELETED, REACTION_UPDATED};
use crate::SERVICE;
use crate::core::testing::Platform;

#[sqlx::test(migrations = false)]
async fn the_count_of_a_post_is_that_of_its_reactions_in_every_order(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = Platform::start(&SERVICE, database, &[]).await;
    let [one, two, post] = [(); 3].map(|()| Uuid::now_v7());
    let version = |id: Uuid, second: u8, word: &str| {
        json!({ "id": id, "created_at": "2026-11-20T12:00:01+00:00", "created_by": Uuid::nil(),
            "updated_at": format!("2026-11-20T12:00:0{second}+00:00"), "updated_by": null, "post_id": post, "type": word })
    };
    let after = async |stream: &str, message: Value| {
        platform.consume(stream, &message).await;
        let row = sqlx::raw_sql(
            "select reactions, (select string_agg(type, ',') from reaction_card where deleted_at is null)
            from post_count",
        );
        let row = row.fetch_one(&platform.app.db).await.unwrap();
        (row.get::<i64, _>(0), row.get::<Option<String>, _>(1))
    };
    let love = Some("LOVE".to_owned());
    assert_eq!(after(REACTION_UPDATED, version(one, 2, "LOVE")).await, (1, love.clone()));
    assert_eq!(
        after(REACTION_CREATED, version(one, 1, "LIKE")).await,
        (1, love),
        "the older type is not the stored one"
    );
    assert_eq!(after(REACTION_DELETED, version(two, 1, "SAD")).await.0, 1, "a deletion overtook its creation");
    assert_eq!(after(REACTION_CREATED, version(two, 1, "SAD")).await.0, 1);
    assert_eq!(after(REACTION_DELETED, version(one, 2, "LOVE")).await, (0, None));
}
