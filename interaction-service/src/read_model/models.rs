//! What other services copy, in the database: all of the SQL of this feature.
use serde::Serialize;
use sqlx::{PgPool, PgTransaction};
use uuid::Uuid;

use crate::core::contract::timestamp::Timestamp;
use crate::reactions::Type;

/// Begins a transaction all of whose statements see one moment, and returns when that is.
pub async fn begin_snapshot(db: &PgPool) -> sqlx::Result<(PgTransaction<'static>, Timestamp)> {
    let mut tx = db.begin_with("begin isolation level repeatable read read only").await?;
    let as_of = sqlx::query_scalar!(r#"select now() as "now!""#).fetch_one(&mut *tx).await?;
    Ok((tx, as_of))
}

/// A comment without its words.
#[derive(Serialize)]
pub struct CommentRow {
    pub id: Uuid,
    pub created_at: Timestamp,
    /// The author.
    pub created_by: Uuid,
    pub updated_at: Timestamp,
    pub post_id: Uuid,
    /// The first comment of the thread that it replies in.
    pub reply_to: Option<Uuid>,
    pub hidden_at: Option<Timestamp>,
}

impl CommentRow {
    /// Comments behind an id, in the order of ids.
    pub async fn list(tx: &mut PgTransaction<'_>, after: Uuid, rows: i64) -> sqlx::Result<Vec<Self>> {
        sqlx::query_as!(
            Self,
            "select id, created_at, created_by, updated_at, post_id, reply_to, hidden_at from comment
            where id > $1 order by id limit $2",
            after,
            rows
        )
        .fetch_all(&mut **tx)
        .await
    }
}

/// A reaction.
#[derive(Serialize)]
pub struct ReactionRow {
    pub id: Uuid,
    pub created_at: Timestamp,
    /// Its owner.
    pub created_by: Uuid,
    pub updated_at: Timestamp,
    pub post_id: Uuid,
    pub r#type: Type,
}

impl ReactionRow {
    /// Reactions behind an id, in the order of ids.
    pub async fn list(tx: &mut PgTransaction<'_>, after: Uuid, rows: i64) -> sqlx::Result<Vec<Self>> {
        sqlx::query_as!(
            Self,
            "select id, created_at, created_by, updated_at, post_id, type from reaction
            where id > $1 order by id limit $2",
            after,
            rows
        )
        .fetch_all(&mut **tx)
        .await
    }
}

/// A reaction to a comment.
#[derive(Serialize)]
pub struct CommentReactionRow {
    pub id: Uuid,
    pub created_at: Timestamp,
    /// Its owner.
    pub created_by: Uuid,
    pub updated_at: Timestamp,
    pub comment_id: Uuid,
    pub post_id: Uuid,
    pub r#type: Type,
}

impl CommentReactionRow {
    /// Reactions to comments behind an id, in the order of ids.
    pub async fn list(tx: &mut PgTransaction<'_>, after: Uuid, rows: i64) -> sqlx::Result<Vec<Self>> {
        sqlx::query_as!(
            Self,
            "select id, created_at, created_by, updated_at, comment_id, post_id, type from comment_reaction
            where id > $1 order by id limit $2",
            after,
            rows
        )
        .fetch_all(&mut **tx)
        .await
    }
}
