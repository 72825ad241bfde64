//! Feeds that are to be dropped, in the database.
use sqlx::{PgExecutor, PgTransaction};
use uuid::Uuid;

/// A reader whose feed is to be dropped, and for the how manieth reason.
pub struct FeedDrop {
    pub user_id: Uuid,
    pub revision: i32,
}

impl FeedDrop {
    /// Has the feeds of readers dropped, once this transaction is committed.
    pub async fn create(tx: &mut PgTransaction<'_>, readers: &[Uuid]) -> sqlx::Result<()> {
        sqlx::query!(
            "insert into feed_drop (user_id) select distinct id from unnest($1::uuid[]) as reader (id) order by id
            on conflict (user_id) do update set revision = feed_drop.revision + 1",
            readers
        )
        .execute(&mut **tx)
        .await?;
        Ok(())
    }

    /// Those that wait longest.
    pub async fn list(db: impl PgExecutor<'_>, rows: i64) -> sqlx::Result<Vec<Self>> {
        sqlx::query_as!(Self, "select user_id, revision from feed_drop order by asked_at limit $1", rows)
            .fetch_all(db)
            .await
    }

    /// Ends those that were carried out; one that was asked for again meanwhile stays.
    pub async fn finish(db: impl PgExecutor<'_>, done: &[Self]) -> sqlx::Result<()> {
        sqlx::query!(
            "delete from feed_drop where user_id in (
                select user_id from feed_drop join unnest($1::uuid[], $2::integer[]) as done (id, seen)
                    on user_id = id and revision = seen
                order by user_id for update of feed_drop
            )",
            &done.iter().map(|drop| drop.user_id).collect::<Vec<_>>(),
            &done.iter().map(|drop| drop.revision).collect::<Vec<_>>()
        )
        .execute(db)
        .await?;
        Ok(())
    }
}
