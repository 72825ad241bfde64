//! What waits for its document, in the database.
use sqlx::{PgExecutor, PgTransaction};
use uuid::Uuid;

use crate::posts::models::Post;

/// Lets the document of a post that this transaction has locked be written.
pub async fn enqueue(tx: &mut PgTransaction<'_>, post: Uuid) -> sqlx::Result<()> {
    sqlx::query!("insert into search_pending (post_id) values ($1) on conflict do nothing", post)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Lets the documents of those among these posts be written that all users may read and that have none; how many they are.
pub async fn enqueue_missing(tx: &mut PgTransaction<'_>, ids: &[Uuid]) -> sqlx::Result<u64> {
    let missing = sqlx::query!(
        "insert into search_pending (post_id)
        select id from post where id = any($1) and status = 'POSTED' and hidden_at is null
            and not exists (select from post_search where post_id = id)
        on conflict do nothing",
        ids
    );
    Ok(missing.execute(&mut **tx).await?.rows_affected())
}

/// Locks the posts whose documents have been to be written for longest, but those that another transaction has locked, and returns them as
/// they are now.
pub async fn lock_pending(tx: &mut PgTransaction<'_>, rows: i64) -> sqlx::Result<Vec<Post>> {
    sqlx::query_as!(
        Post,
        r#"select id, created_at, created_by, updated_at,
            edited_at, publish_at, publish_refused,
            updated_by, title, content, types, status, comments, total_views, total_comments,
            total_reactions, score, popularity, published_at, hidden_at, hidden_reason, restored_at, labels,
            false as "truncated!"
        from search_pending join post on id = post_id order by search_pending.at limit $1
        for no key update of post skip locked"#,
        rows
    )
    .fetch_all(&mut **tx)
    .await
}

/// Lets these posts wait no longer. Returns for how many seconds each has waited.
pub async fn finish(tx: &mut PgTransaction<'_>, posts: &[Uuid]) -> sqlx::Result<Vec<f64>> {
    sqlx::query_scalar!(
        r#"delete from search_pending where post_id = any($1)
        returning extract(epoch from clock_timestamp() - at)::float8 as "seconds!""#,
        posts
    )
    .fetch_all(&mut **tx)
    .await
}

/// Lets a post wait behind all others, and so be tried last.
pub async fn postpone(db: impl PgExecutor<'_>, post: Uuid) -> sqlx::Result<()> {
    sqlx::query!("update search_pending set at = clock_timestamp() where post_id = $1", post).execute(db).await?;
    Ok(())
}

/// Takes out up to `rows` of what waits of posts that are gone; how many they were.
pub async fn delete_gone(db: impl PgExecutor<'_>, rows: i64) -> sqlx::Result<u64> {
    let gone = sqlx::query!(
        "delete from search_pending where post_id in (
            select post_id from (select post_id from search_pending order by at limit $1) as first
            where not exists (select from post where id = post_id))",
        rows
    );
    Ok(gone.execute(db).await?.rows_affected())
}

/// How many posts wait for their documents, as far as they are counted, and for how many seconds the first one has.
pub struct Pending {
    pub posts: i64,
    pub age: f64,
}

impl Pending {
    /// Counts them up to `most`.
    pub async fn count(db: impl PgExecutor<'_>, most: i64) -> sqlx::Result<Self> {
        sqlx::query_as!(
            Self,
            r#"select count(*) as "posts!", coalesce(extract(epoch from clock_timestamp() - min(at)), 0)::float8 as "age!"
            from (select at from search_pending order by at limit $1) as first"#,
            most
        )
        .fetch_one(db)
        .await
    }
}
