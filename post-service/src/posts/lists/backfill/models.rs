//! How far older posts are listed, in the database: all of the SQL of it.
use sqlx::PgTransaction;
use uuid::Uuid;

/// How far the posts from before there were lists are listed. Newer ones are listed by triggers.
pub struct ListingBackfill;

impl ListingBackfill {
    /// Whether all of them are.
    pub async fn is_done(tx: &mut PgTransaction<'_>) -> sqlx::Result<bool> {
        sqlx::query_scalar!(r#"select done_at is not null as "done!" from listing_backfill"#).fetch_one(&mut **tx).await
    }

    /// Takes the next posts, in the order of ids, and locks them, so that what their authors change meanwhile comes before or behind; none
    /// when all are done, or another replica is at it.
    pub async fn take(tx: &mut PgTransaction<'_>, rows: i64) -> sqlx::Result<Option<Vec<Uuid>>> {
        let done_to =
            sqlx::query_scalar!("select done_to from listing_backfill where done_at is null for update skip locked")
                .fetch_optional(&mut **tx)
                .await?;
        let Some(done_to) = done_to else { return Ok(None) };
        let posts =
            sqlx::query_scalar!("select id from post where id > $1 order by id limit $2 for update", done_to, rows);
        posts.fetch_all(&mut **tx).await.map(Some)
    }

    /// Lists posts that this transaction has locked.
    pub async fn save(tx: &mut PgTransaction<'_>, posts: &[Uuid]) -> sqlx::Result<()> {
        sqlx::query!(
            "insert into post_listing (list, created_at, post_id)
            select category, created_at, id from post cross join lateral unnest(types) as category
            where id = any($1) and status = 'POSTED'
            union
            select 'media', created_at, id from post
            where id = any($1) and exists (select from post_media where post_id = post.id)
            on conflict do nothing",
            posts
        )
        .execute(&mut **tx)
        .await?;
        Ok(())
    }

    /// Saves that the posts up to one are done; none: all are.
    pub async fn advance(tx: &mut PgTransaction<'_>, done_to: Option<Uuid>) -> sqlx::Result<()> {
        sqlx::query!(
            "update listing_backfill set done_to = coalesce($1, done_to), done_at = case when $1::uuid is null then now() end",
            done_to
        )
        .execute(&mut **tx)
        .await?;
        Ok(())
    }
}
