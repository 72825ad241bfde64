//! Reactions to comments, through their events.
use serde_json::json;
use sqlx::Row;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use uuid::Uuid;

use super::events::{COMMENT_REACTION_CREATED, COMMENT_REACTION_DELETED, COMMENT_REACTION_UPDATED};
use crate::SERVICE;
use crate::core::testing::Platform;

/// The newest version holds, and what is deleted stays so, in whatever order the events come.
#[sqlx::test(migrations = false)]
async fn a_version_is_stored_in_every_order_of_events(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = Platform::start(&SERVICE, database, &[]).await;
    let [one, two, post] = [(); 3].map(|()| Uuid::now_v7());
    let after = async |stream: &str, id: Uuid, second: u8| {
        let at = |second: u8| format!("2026-11-20T12:00:0{second}+00:00");
        let message = json!({ "id": id, "created_at": at(1), "created_by": Uuid::nil(), "updated_at": at(second),
            "updated_by": null, "comment_id": Uuid::nil(), "post_id": post, "type": "LOVE" });
        platform.consume(stream, &message).await;
        let rows = "select id, extract(second from version)::int from comment_reaction_card where deleted_at is null";
        let rows = sqlx::raw_sql(rows).fetch_all(&platform.app.db).await.unwrap();
        rows.iter().map(|row| (row.get::<Uuid, _>(0), row.get::<i32, _>(1))).collect::<Vec<_>>()
    };
    assert_eq!(after(COMMENT_REACTION_UPDATED, one, 2).await, [(one, 2)]);
    assert_eq!(after(COMMENT_REACTION_CREATED, one, 1).await, [(one, 2)], "the older version is not the stored one");
    assert_eq!(after(COMMENT_REACTION_DELETED, two, 1).await, [(one, 2)], "a deletion overtook its creation");
    assert_eq!(after(COMMENT_REACTION_CREATED, two, 1).await, [(one, 2)]);
    assert_eq!(after(COMMENT_REACTION_DELETED, one, 2).await, []);
    assert_eq!(after(COMMENT_REACTION_UPDATED, one, 3).await, []);
}
