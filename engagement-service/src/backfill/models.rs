//! The progress of the backfill and the log of views: their SQL. `backfill_source` has the rows of `backfill` and its own.
use serde::Serialize;
use sqlx::{PgConnection, PgExecutor, PgPool, PgTransaction};
use uuid::Uuid;

use super::Source;
use super::reviews::models::NotificationReview;
use crate::core::contract::timestamp::Timestamp;
use crate::core::events::Id;
use crate::posts::events::POST_VIEWED;
use crate::posts::models::CountedView;

/// How far a source was copied.
#[derive(Clone, Debug, Serialize)]
pub struct Progress {
    pub source: Source,
    /// The key of the last row that was copied; none: it is at the beginning.
    #[serde(skip)]
    pub cursor: Option<String>,
    /// Rows that were copied, and rows that were deleted because the owner does not have them.
    pub rows: i64,
    pub removed: i64,
    pub started_at: Option<Timestamp>,
    pub finished_at: Option<Timestamp>,
    pub due_at: Timestamp,
    /// Whether there is work to do now.
    pub is_due: bool,
    #[serde(skip)]
    pub log_ms: i64,
    #[serde(skip)]
    pub log_seq: i64,
}

impl Progress {
    /// That of all sources, in the order in which they are copied, and at last that of the review of notifications: its rows are those that
    /// were compared, and the removed ones those that were not true any more.
    pub async fn list(db: impl PgExecutor<'_>) -> sqlx::Result<Vec<Self>> {
        let mut all = sqlx::query_as!(
            Self,
            r#"select source as "source!: Source", cursor, rows as "rows!", removed as "removed!", started_at, finished_at,
                due_at as "due_at!", finished_at is null and due_at <= now() as "is_due!", log_ms as "log_ms!",
                log_seq as "log_seq!"
            from (
                select source, cursor, rows, removed, started_at, finished_at, due_at, log_ms, log_seq
                from backfill_source
                union all
                select 'notifications', null, compared, corrected, started_at, finished_at, due_at, 0, 0
                from notification_review
            ) as part"#
        )
        .fetch_all(db)
        .await?;
        all.sort_by_key(|progress| progress.source);
        Ok(all)
    }

    /// Orders that all sources are copied anew, and notifications reviewed then.
    pub async fn begin_anew(db: &PgPool) -> sqlx::Result<()> {
        let mut tx = db.begin().await?;
        sqlx::query!(
            "update backfill_source set cursor = null, rows = 0, removed = 0, started_at = null, finished_at = null,
                due_at = now()"
        )
        .execute(&mut *tx)
        .await?;
        NotificationReview::order(&mut tx).await?;
        tx.commit().await
    }

    /// Begins a source, unless another replica has; of posts with an empty log of views.
    pub async fn begin(&self, tx: &mut PgTransaction<'_>) -> sqlx::Result<()> {
        let begun = sqlx::query!(
            "update backfill_source set started_at = now(), cursor = null, rows = 0, removed = 0
            where source = $1 and started_at is null",
            self.source as Source
        )
        .execute(&mut **tx)
        .await?;
        if begun.rows_affected() > 0 && self.source == Source::Posts {
            let watermark = lock_view_watermark(tx).await?;
            sqlx::query!("delete from view_log").execute(&mut **tx).await?;
            sqlx::query!(
                "update backfill_source set log_ms = $2, log_seq = $3 where source = $1",
                self.source as Source,
                watermark.ms,
                watermark.seq
            )
            .execute(&mut **tx)
            .await?;
        }
        Ok(())
    }

    /// Locks the stored progress; false when it is not this one any more: another replica has gone on, or it is begun anew.
    pub async fn lock(&self, tx: &mut PgTransaction<'_>) -> sqlx::Result<bool> {
        let held = sqlx::query!(
            "select source from backfill_source
            where source = $1 and started_at = $2 and cursor is not distinct from $3 and finished_at is null for update",
            self.source as Source,
            self.started_at as Option<Timestamp>,
            self.cursor
        )
        .fetch_optional(&mut **tx)
        .await?;
        Ok(held.is_some())
    }

    /// Adds to what was copied and deleted, and moves on to a key, or stays. This transaction has locked it.
    pub async fn advance(
        &self,
        tx: &mut PgTransaction<'_>,
        cursor: Option<&str>,
        rows: usize,
        removed: usize,
    ) -> sqlx::Result<()> {
        sqlx::query!(
            "update backfill_source set cursor = coalesce($2, cursor), rows = rows + $3, removed = removed + $4
            where source = $1",
            self.source as Source,
            cursor,
            i64::try_from(rows).unwrap_or(i64::MAX),
            i64::try_from(removed).unwrap_or(i64::MAX)
        )
        .execute(&mut **tx)
        .await?;
        Ok(())
    }

    /// Ends a source, which this transaction has locked, and with it the log of views; true when none is left to do now.
    pub async fn finish(&self, tx: &mut PgTransaction<'_>) -> sqlx::Result<bool> {
        sqlx::query!(
            "update backfill_source set finished_at = clock_timestamp() where source = $1",
            self.source as Source
        )
        .execute(&mut **tx)
        .await?;
        if self.source == Source::Posts {
            sqlx::query!("delete from view_log").execute(&mut **tx).await?;
        }
        sqlx::query_scalar!(
            r#"select not exists (select from backfill_source where finished_at is null and due_at <= now()) as "done!""#
        )
        .fetch_one(&mut **tx)
        .await
    }

    /// Puts a source off by some hours, from its beginning.
    pub async fn put_off(&self, db: &PgPool, hours: i32) -> sqlx::Result<()> {
        sqlx::query!(
            "update backfill_source set due_at = now() + make_interval(hours => $3), started_at = null, cursor = null
            where source = $1 and started_at = $2",
            self.source as Source,
            self.started_at as Option<Timestamp>,
            hours
        )
        .execute(db)
        .await?;
        Ok(())
    }
}

/// Takes the lock of the replica that works, which lasts as long as this connection; false when another one has it.
pub async fn try_lock(connection: &mut PgConnection) -> sqlx::Result<bool> {
    sqlx::query_scalar!(
        r#"select pg_try_advisory_lock(hashtextextended(current_schema() || '/backfill', 0)) as "ours!""#
    )
    .fetch_one(connection)
    .await
}

/// The last view that was counted, locked: the consumer stands still until the transaction ends.
pub async fn lock_view_watermark(tx: &mut PgTransaction<'_>) -> sqlx::Result<Id> {
    sqlx::query!("insert into inbox (stream) values ($1) on conflict do nothing", POST_VIEWED)
        .execute(&mut **tx)
        .await?;
    sqlx::query_as!(Id, "select ms, seq from inbox where stream = $1 for update", POST_VIEWED)
        .fetch_one(&mut **tx)
        .await
}

/// Logs views with their places in the stream, if posts are being copied.
pub async fn log_views(tx: &mut PgTransaction<'_>, views: &[CountedView]) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into view_log (post_id, ms, seq, repeated)
        select post_id, ms, seq, repeated
        from unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::boolean[]) as seen (post_id, ms, seq, repeated)
        where exists (
            select from backfill_source where source = 'posts' and started_at is not null and finished_at is null
        )
        on conflict do nothing",
        &views.iter().map(|view| view.post_id).collect::<Vec<_>>(),
        &views.iter().map(|view| view.place.ms).collect::<Vec<_>>(),
        &views.iter().map(|view| view.place.seq).collect::<Vec<_>>(),
        &views.iter().map(|view| view.repeated).collect::<Vec<_>>()
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// The views of a post, as its owner has counted them.
#[derive(Clone, Copy, Debug)]
pub struct ViewSum {
    pub post_id: Uuid,
    pub views: i64,
    /// How many of them were repeated; none: its owner does not count these.
    pub repeated: Option<i64>,
}

/// Takes over the sums of views up to an entry, and adds the logged ones behind it. This transaction has locked the watermark and
/// the counts of these posts.
pub async fn take_over_views(tx: &mut PgTransaction<'_>, sums: &[ViewSum], up_to: Id) -> sqlx::Result<()> {
    sqlx::query!(
        "update post_count set views_ms = $4, views_seq = $5, views = owner.views + logged.views,
            repeated_views = coalesce(owner.repeated + logged.repeated, post_count.repeated_views)
        from unnest($1::uuid[], $2::bigint[], $3::bigint[]) as owner (post_id, views, repeated)
        cross join lateral (
            select count(*) as views, count(*) filter (where view_log.repeated) as repeated
            from view_log where view_log.post_id = owner.post_id and (ms, seq) > ($4, $5)
        ) as logged
        where post_count.post_id = owner.post_id",
        &sums.iter().map(|sum| sum.post_id).collect::<Vec<_>>(),
        &sums.iter().map(|sum| sum.views).collect::<Vec<_>>(),
        &sums.iter().map(|sum| sum.repeated).collect::<Vec<_>>() as &[Option<i64>],
        up_to.ms,
        up_to.seq
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Those of these users whose data are erased, or are being.
pub async fn list_erased(tx: &mut PgTransaction<'_>, users: &[Uuid]) -> sqlx::Result<Vec<Uuid>> {
    sqlx::query_scalar!("select person from erasure where person = any($1)", users).fetch_all(&mut **tx).await
}
