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
            on conflict (user_id) do update set revision = feed_drop.revision + 1,
                asked_at = least(feed_drop.asked_at, excluded.asked_at)",
            readers
        )
        .execute(&mut **tx)
        .await?;
        Ok(())
    }

    /// Has all feeds dropped, behind those that readers wait for. It may be a row for each person, which takes as long as it takes.
    pub async fn create_for_all(tx: &mut PgTransaction<'_>) -> sqlx::Result<()> {
        sqlx::query!("select set_config('statement_timeout', '0', true)").fetch_one(&mut **tx).await?;
        sqlx::query!(
            "insert into feed_drop (user_id, asked_at)
            select id, now() + interval '1 hour' from (
                select id from person union select user_id from follow where stands union select user_id from post_card
            ) as reader (id) order by id
            on conflict (user_id) do update set revision = feed_drop.revision + 1"
        )
        .execute(&mut **tx)
        .await?;
        Ok(())
    }

    /// Saves the run of the Redis that holds the feeds; true when there was another one before.
    pub async fn save_run(tx: &mut PgTransaction<'_>, run: &str) -> sqlx::Result<bool> {
        let changed =
            sqlx::query!("update feed_redis set run_id = $1 where run_id <> $1", run).execute(&mut **tx).await?;
        sqlx::query!("insert into feed_redis (run_id) values ($1) on conflict do nothing", run)
            .execute(&mut **tx)
            .await?;
        Ok(changed.rows_affected() > 0)
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
