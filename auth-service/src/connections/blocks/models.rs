//! Blocks in the database: all of the SQL of this feature. A change needs the lock of both accounts
//! ([`crate::connections::models::Pair`]).
use sqlx::{PgExecutor, PgTransaction};
use uuid::Uuid;

use crate::core::api::pagination::Cursor;
use crate::core::contract::timestamp::Timestamp;

/// A block that began or ended, and when.
#[derive(Clone, Copy)]
pub struct Block {
    pub user_id: Uuid,
    pub target_id: Uuid,
    pub at: Timestamp,
}

impl Block {
    /// Blocks a user; none when they are blocked already.
    pub async fn create(tx: &mut PgTransaction<'_>, user_id: Uuid, target_id: Uuid) -> sqlx::Result<Option<Self>> {
        sqlx::query_as!(
            Self,
            r#"insert into block (user_id, target_id) values ($1, $2) on conflict do nothing
            returning user_id, target_id, blocked_at as at"#,
            user_id,
            target_id
        )
        .fetch_optional(&mut **tx)
        .await
    }

    /// Ends a block and returns it with the time of its end; none when there is none.
    pub async fn delete(tx: &mut PgTransaction<'_>, user_id: Uuid, target_id: Uuid) -> sqlx::Result<Option<Self>> {
        sqlx::query_as!(
            Self,
            r#"delete from block where user_id = $1 and target_id = $2
            returning user_id, target_id, now() as "at!""#,
            user_id,
            target_id
        )
        .fetch_optional(&mut **tx)
        .await
    }

    /// The blocks of a user, last first.
    pub async fn list(db: impl PgExecutor<'_>, user_id: Uuid, before: Cursor, rows: i64) -> sqlx::Result<Vec<Self>> {
        sqlx::query_as!(
            Self,
            r#"select user_id, target_id, blocked_at as at from block
            where user_id = $1 and (blocked_at, target_id) < ($2, $3)
            order by blocked_at desc, target_id desc limit $4"#,
            user_id,
            before.at,
            before.id,
            rows
        )
        .fetch_all(db)
        .await
    }
}
