//! The partitions of reactions in the database: all of the SQL of them. What a cut does is in functions there (migration 0081), since each of
//! its steps is one transaction of statements that name tables of their own.
use sqlx::{PgExecutor, PgPool};

/// The last partition.
pub struct LastPartition {
    /// Its size with its indexes.
    pub bytes: i64,
    /// Whether a cut of it was begun and is not finished.
    pub is_cut: bool,
    /// Whether that has to be given up: posts of the month behind it are about to be written, or there are some, whose ids say no time.
    pub is_void: bool,
}

impl LastPartition {
    /// As it is now.
    pub async fn find(db: impl PgExecutor<'_>) -> sqlx::Result<Self> {
        sqlx::query_as!(
            Self,
            r#"select bytes as "bytes!", ends_at is not null as "is_cut!",
                coalesce(ends_at < first_id_of(now() + interval '7 days') or exists (select from post where id >= ends_at), false)
                    as "is_void!"
            from last_reaction_partition"#
        )
        .fetch_one(db)
        .await
    }

    /// Begins a cut at the beginning of the month after next (UTC), which is at least four weeks away; false when there is one already, or
    /// posts have ids that say no time.
    pub async fn begin_cut(db: impl PgExecutor<'_>) -> sqlx::Result<bool> {
        sqlx::query_scalar!(
            r#"select begin_reaction_cut(
                (date_trunc('month', now() at time zone 'UTC') + interval '2 months') at time zone 'UTC') as "begun!""#
        )
        .fetch_one(db)
        .await
    }

    /// Reads the partition, so that its bounds can be set without; false when that is done, or another replica does it.
    pub async fn validate_cut(db: &PgPool) -> sqlx::Result<bool> {
        let mut tx = db.begin().await?;
        // It takes as long as the partition is large, and nothing waits for it.
        sqlx::query!("select set_config('statement_timeout', '0', true)").fetch_one(&mut *tx).await?;
        let validated =
            sqlx::query_scalar!(r#"select validate_reaction_cut() as "validated!""#).fetch_one(&mut *tx).await?;
        tx.commit().await?;
        Ok(validated)
    }

    /// Sets the bounds and makes the next partition; false when there is nothing to finish.
    pub async fn finish_cut(db: impl PgExecutor<'_>) -> sqlx::Result<bool> {
        sqlx::query_scalar!(r#"select finish_reaction_cut() as "finished!""#).fetch_one(db).await
    }

    /// Gives up a cut that was begun; false when there is none.
    pub async fn abandon_cut(db: impl PgExecutor<'_>) -> sqlx::Result<bool> {
        sqlx::query_scalar!(r#"select abandon_reaction_cut() as "abandoned!""#).fetch_one(db).await
    }
}
