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

    /// Has all feeds dropped, page by page and behind those that readers wait for: see [`FullDrop`].
    pub async fn create_for_all(tx: &mut PgTransaction<'_>) -> sqlx::Result<()> {
        sqlx::query!("update feed_drop_all set done_to = $1, revision = revision + 1, asked_at = now()", Uuid::nil())
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

/// The order to drop all feeds, and how far it was carried out. There is one at a time; a newer one begins anew.
pub struct FullDrop {
    /// The last reader whose feed is dropped; nil before the first page.
    pub done_to: Uuid,
    /// Which order it is.
    pub revision: i64,
}

impl FullDrop {
    /// The order, where there is something to do.
    pub async fn find(db: impl PgExecutor<'_>) -> sqlx::Result<Option<Self>> {
        sqlx::query_as!(Self, r#"select done_to as "done_to!", revision from feed_drop_all where done_to is not null"#)
            .fetch_optional(db)
            .await
    }

    /// The next readers who may have a feed: people, and users who are not known but for their connections or posts. Each is looked up
    /// by itself, so that one with very many posts costs no more than another.
    pub async fn list_readers(&self, db: impl PgExecutor<'_>, rows: i64) -> sqlx::Result<Vec<Uuid>> {
        sqlx::query_scalar!(
            r#"with recursive reader (id, place) as (
                select $1::uuid, 0::bigint
                union all
                select least(
                    (select person.id from person where person.id > reader.id order by person.id limit 1),
                    (select follow.user_id from follow where follow.stands and follow.user_id > reader.id
                        order by follow.user_id limit 1),
                    (select post_card.user_id from post_card
                        where post_card.user_id > reader.id and deleted_at is null and not hidden and status = 'POSTED'
                        order by post_card.user_id limit 1)
                ), reader.place + 1
                from reader where reader.id is not null and reader.place < $2::bigint
            )
            select id as "id!" from reader where place > 0 and id is not null order by id"#,
            self.done_to,
            rows
        )
        .fetch_all(db)
        .await
    }

    /// Saves that a page is done, unless another worker has or the order was given anew.
    pub async fn advance(&self, db: impl PgExecutor<'_>, done_to: Uuid) -> sqlx::Result<()> {
        sqlx::query!(
            "update feed_drop_all set done_to = $3 where done_to = $1 and revision = $2",
            self.done_to,
            self.revision,
            done_to
        )
        .execute(db)
        .await?;
        Ok(())
    }

    /// Ends the order after its last page, unless it was given anew.
    pub async fn finish(&self, db: impl PgExecutor<'_>) -> sqlx::Result<()> {
        sqlx::query!(
            "update feed_drop_all set done_to = null where done_to = $1 and revision = $2",
            self.done_to,
            self.revision
        )
        .execute(db)
        .await?;
        Ok(())
    }
}
