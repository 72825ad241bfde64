//! Comments in the database: all of the SQL of this feature.
use sqlx::PgTransaction;
use uuid::Uuid;

use crate::core::contract::timestamp::Timestamp;

/// One version of a comment.
#[derive(Clone, Debug, PartialEq)]
pub struct CommentCard {
    pub id: Uuid,
    pub post_id: Uuid,
    /// The author.
    pub user_id: Uuid,
    pub created_at: Timestamp,
    pub version: Timestamp,
    /// Whether moderation has it hidden.
    pub hidden: bool,
    pub deleted: bool,
    /// The usernames that it mentions, in lower case; none: it is not known.
    pub mentions: Option<Vec<String>>,
    /// The first comment of the thread that it replies in.
    pub reply_to: Option<Uuid>,
}

impl CommentCard {
    /// The stored ones of these comments; this transaction has locked the counts of their posts.
    pub async fn list(tx: &mut PgTransaction<'_>, ids: &[Uuid]) -> sqlx::Result<Vec<Self>> {
        sqlx::query_as!(
            Self,
            r#"select id, post_id, user_id, created_at, version, hidden, deleted_at is not null as "deleted!",
                mentions, reply_to
            from comment_card where id = any($1)"#,
            ids
        )
        .fetch_all(&mut **tx)
        .await
    }

    /// Saves comments.
    pub async fn save(tx: &mut PgTransaction<'_>, comments: &[Self]) -> sqlx::Result<()> {
        sqlx::query!(
            "insert into comment_card (id, post_id, user_id, created_at, version, hidden, deleted_at, mentions, reply_to)
            select id, post_id, user_id, created_at, version, hidden, case when deleted then now() end,
                case when jsonb_typeof(mentions) = 'array' then array(select jsonb_array_elements_text(mentions)) end, reply_to
            from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::timestamptz[], $5::timestamptz[], $6::boolean[], $7::boolean[],
                $8::jsonb[], $9::uuid[])
                as seen (id, post_id, user_id, created_at, version, hidden, deleted, mentions, reply_to)
            on conflict (id) do update
            set version = excluded.version, hidden = excluded.hidden, deleted_at = excluded.deleted_at,
                mentions = excluded.mentions, reply_to = excluded.reply_to",
            &comments.iter().map(|comment| comment.id).collect::<Vec<_>>(),
            &comments.iter().map(|comment| comment.post_id).collect::<Vec<_>>(),
            &comments.iter().map(|comment| comment.user_id).collect::<Vec<_>>(),
            &comments.iter().map(|comment| comment.created_at).collect::<Vec<_>>() as &[Timestamp],
            &comments.iter().map(|comment| comment.version).collect::<Vec<_>>() as &[Timestamp],
            &comments.iter().map(|comment| comment.hidden).collect::<Vec<_>>(),
            &comments.iter().map(|comment| comment.deleted).collect::<Vec<_>>(),
            &comments.iter().map(|comment| serde_json::json!(comment.mentions)).collect::<Vec<_>>(),
            &comments.iter().map(|comment| comment.reply_to).collect::<Vec<_>>() as &[Option<Uuid>]
        )
        .execute(&mut **tx)
        .await?;
        Ok(())
    }
}
