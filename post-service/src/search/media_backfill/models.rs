//! How far the documents from before note pictures, in the database: all of the SQL of it.
use sqlx::PgTransaction;
use uuid::Uuid;

/// How far the documents from before note pictures. Newer ones are noted by triggers.
pub struct MediaBackfill;

impl MediaBackfill {
    /// Whether all of them do.
    pub async fn is_done(tx: &mut PgTransaction<'_>) -> sqlx::Result<bool> {
        let done = sqlx::query_scalar!(r#"select media_done_at is not null as "done!" from search_backfill"#);
        done.fetch_one(&mut **tx).await
    }

    /// The next posts with pictures in the order of ids.
    pub async fn list_next(tx: &mut PgTransaction<'_>, rows: i64) -> sqlx::Result<Vec<Uuid>> {
        sqlx::query_scalar!(
            "select distinct post_id from post_media where post_id > (select media_after from search_backfill)
            order by post_id limit $1",
            rows
        )
        .fetch_all(&mut **tx)
        .await
    }

    /// Notes the pictures of these posts, and how far that is; none: there are no more.
    pub async fn save(tx: &mut PgTransaction<'_>, posts: &[Uuid]) -> sqlx::Result<()> {
        // Locked like by all that write documents, so that none waits for another that waits for it.
        sqlx::query!("select id from post where id = any($1) order by id for no key update", posts)
            .fetch_all(&mut **tx)
            .await?;
        sqlx::query!("update post_search set has_media = true where post_id = any($1) and not has_media", posts)
            .execute(&mut **tx)
            .await?;
        sqlx::query!(
            "update search_backfill set media_after = coalesce($1, media_after),
                media_done_at = case when $1::uuid is null then now() end",
            posts.last().copied()
        )
        .execute(&mut **tx)
        .await?;
        Ok(())
    }
}
