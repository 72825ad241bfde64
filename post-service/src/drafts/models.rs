//! Drafts in the database: all of the SQL of this feature.
use sqlx::{PgExecutor, PgTransaction};
use uuid::Uuid;

use super::Refusal;
use crate::core::api::pagination::Cursor;
use crate::core::contract::timestamp::Timestamp;
use crate::posts::models::{EXCERPT, Post};

/// The drafts of a user, the last first; of a long content the beginning.
pub async fn list_drafts(db: impl PgExecutor<'_>, author: Uuid, before: Cursor, rows: i64) -> sqlx::Result<Vec<Post>> {
    sqlx::query_as!(
        Post,
        r#"select id, created_at, created_by, updated_at,
            edited_at, publish_at, publish_refused,
            updated_by, title, left(content, $5) as "content!", types, status, comments, total_views, total_comments,
            total_reactions, score, popularity, published_at, hidden_at, hidden_reason, restored_at, labels,
            char_length(content) > $5 as "truncated!"
        from post where created_by = $1 and status = 'DRAFT' and visible(post, $1) and (created_at, id) < ($2, $3)
        order by created_at desc, id desc limit $4"#,
        author,
        before.at,
        before.id,
        rows,
        EXCERPT
    )
    .fetch_all(db)
    .await
}

/// The drafts that are due, the longest first.
pub async fn list_due(db: impl PgExecutor<'_>, rows: i64) -> sqlx::Result<Vec<Post>> {
    sqlx::query_as!(
        Post,
        r#"select id, created_at, created_by, updated_at,
            edited_at, publish_at, publish_refused,
            updated_by, title, content, types, status, comments, total_views, total_comments,
            total_reactions, score, popularity, published_at, hidden_at, hidden_reason, restored_at, labels,
            false as "truncated!"
        from post where publish_at <= now() and hidden_at is null order by publish_at, id limit $1"#,
        rows
    )
    .fetch_all(db)
    .await
}

/// The seconds until the next draft is due, by the clock of the database; none: there is none.
pub async fn seconds_to_next(db: impl PgExecutor<'_>) -> sqlx::Result<Option<f64>> {
    let query = sqlx::query_scalar!(
        "select extract(epoch from min(publish_at) - clock_timestamp())::double precision from post
        where publish_at > now()"
    );
    query.fetch_one(db).await
}

/// Publishes a draft that is due in the version that was checked; none when it has changed, or another replica was first.
pub async fn publish_draft(tx: &mut PgTransaction<'_>, id: Uuid, checked: Timestamp) -> sqlx::Result<Option<Post>> {
    sqlx::query_as!(
        Post,
        r#"update post set status = 'POSTED', publish_at = null, publish_refused = null,
            published_at = coalesce(published_at, now()), worded_at = now(), updated_by = created_by,
            updated_at = greatest(now(), updated_at + interval '1 microsecond')
        where id = $1 and updated_at = $2 and publish_at <= now() and hidden_at is null
        returning id, created_at, created_by, updated_at,
            edited_at, publish_at, publish_refused,
            updated_by, title, content, types, status, comments, total_views, total_comments,
            total_reactions, score, popularity, published_at, hidden_at, hidden_reason, restored_at, labels,
            false as "truncated!""#,
        id,
        checked as Timestamp
    )
    .fetch_optional(&mut **tx)
    .await
}

/// Leaves a draft that was due unpublished; none when it has changed, or another replica was first.
pub async fn refuse_draft(
    tx: &mut PgTransaction<'_>,
    id: Uuid,
    checked: Timestamp,
    refusal: Refusal,
) -> sqlx::Result<Option<Post>> {
    sqlx::query_as!(
        Post,
        r#"update post set publish_at = null, publish_refused = $3,
            updated_at = greatest(now(), updated_at + interval '1 microsecond')
        where id = $1 and updated_at = $2 and publish_at <= now() and hidden_at is null
        returning id, created_at, created_by, updated_at,
            edited_at, publish_at, publish_refused,
            updated_by, title, content, types, status, comments, total_views, total_comments,
            total_reactions, score, popularity, published_at, hidden_at, hidden_reason, restored_at, labels,
            false as "truncated!""#,
        id,
        checked as Timestamp,
        refusal as Refusal
    )
    .fetch_optional(&mut **tx)
    .await
}
