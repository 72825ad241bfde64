//! Hidden posts in the database: all of the SQL of hiding.
use sqlx::{PgExecutor, PgTransaction};
use uuid::Uuid;

use crate::core::api::pagination::Cursor;
use crate::core::contract::timestamp::Timestamp;
use crate::posts::models::{EXCERPT, Post};

impl Post {
    /// Hides a post that is not hidden, as a new version; none when there is nothing to hide: it does not exist, is hidden, or
    /// was restored at or after a time, where one is given: that of the version that moderation read.
    pub async fn hide(
        tx: &mut PgTransaction<'_>,
        id: Uuid,
        reason: Option<&str>,
        analysed: Option<Timestamp>,
    ) -> sqlx::Result<Option<Self>> {
        sqlx::query_as!(
            Self,
            r#"update post set hidden_at = now(), hidden_reason = $2, restored_at = null,
                updated_at = greatest(now(), updated_at + interval '1 microsecond')
            where id = $1 and hidden_at is null and ($3::timestamptz is null or restored_at is null or restored_at < $3)
            returning id, created_at, created_by, updated_at,
                edited_at, publish_at, publish_refused,
                updated_by, title, content, types, status, comments, total_views, total_comments,
                total_reactions, score, popularity, published_at, hidden_at, hidden_reason, restored_at, labels,
                false as "truncated!""#,
            id,
            reason,
            analysed as Option<Timestamp>
        )
        .fetch_optional(&mut **tx)
        .await
    }

    /// Restores a hidden post as a new version; none when it is not hidden, or does not exist. A decision that hid it is done with, and
    /// comes to no effect again, however late its event is.
    pub async fn restore(tx: &mut PgTransaction<'_>, id: Uuid) -> sqlx::Result<Option<Self>> {
        sqlx::query_as!(
            Self,
            r#"update post set hidden_at = null, hidden_reason = null, decision_requested = false,
                visibility = case when visibility in ('HELD', 'HIDDEN') then 'VISIBLE' else visibility end,
                restored_at = greatest(now(), updated_at + interval '1 microsecond'),
                updated_at = greatest(now(), updated_at + interval '1 microsecond')
            where id = $1 and hidden_at is not null
            returning id, created_at, created_by, updated_at,
                edited_at, publish_at, publish_refused,
                updated_by, title, content, types, status, comments, total_views, total_comments,
                total_reactions, score, popularity, published_at, hidden_at, hidden_reason, restored_at, labels,
                false as "truncated!""#,
            id
        )
        .fetch_optional(&mut **tx)
        .await
    }

    /// Hidden posts, of an author or of all, newest first; of a long content the beginning.
    pub async fn list_hidden(
        db: impl PgExecutor<'_>,
        author: Option<Uuid>,
        before: Cursor,
        rows: i64,
    ) -> sqlx::Result<Vec<Self>> {
        sqlx::query_as!(
            Self,
            r#"select id, created_at, created_by, updated_at, updated_by,
                edited_at, publish_at, publish_refused, title, left(content, $5) as "content!", types,
                status, comments, total_views, total_comments, total_reactions, score, popularity, published_at, hidden_at,
                hidden_reason, restored_at, labels, char_length(content) > $5 as "truncated!"
            from post where hidden_at is not null and ($1::uuid is null or created_by = $1)
                and (created_at, id) < ($2, $3)
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
}
