//! What other services copy, in the database: all of the SQL of this feature.
use serde::Serialize;
use sqlx::{PgPool, PgTransaction};
use uuid::Uuid;

use crate::core::app::identity::Status;
use crate::core::contract::timestamp::Timestamp;

/// Begins a transaction all of whose statements see one moment, and returns when that is.
pub async fn begin_snapshot(db: &PgPool) -> sqlx::Result<(PgTransaction<'static>, Timestamp)> {
    let mut tx = db.begin_with("begin isolation level repeatable read read only").await?;
    let as_of = sqlx::query_scalar!(r#"select now() as "now!""#).fetch_one(&mut *tx).await?;
    Ok((tx, as_of))
}

/// An account, with what others see of it.
#[derive(Serialize)]
pub struct PublicAccount {
    pub id: Uuid,
    pub username: Option<String>,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub avatar_url: Option<String>,
    pub interests: Vec<String>,
    pub status: Status,
    pub updated_at: Timestamp,
}

impl PublicAccount {
    /// Accounts behind an id, in the order of ids.
    pub async fn list(tx: &mut PgTransaction<'_>, after: Uuid, rows: i64) -> sqlx::Result<Vec<Self>> {
        sqlx::query_as!(
            Self,
            "select id, username, first_name, last_name, avatar_url, interests, status, updated_at from account
            where id > $1 order by id limit $2",
            after,
            rows
        )
        .fetch_all(&mut **tx)
        .await
    }
}

/// A connection or a block of two users, and since when.
#[derive(Serialize)]
pub struct PairRow {
    pub user_id: Uuid,
    pub target_id: Uuid,
    pub at: Timestamp,
}

impl PairRow {
    /// Connections behind a pair, in the order of pairs.
    pub async fn list_connections(
        tx: &mut PgTransaction<'_>,
        after: (Uuid, Uuid),
        rows: i64,
    ) -> sqlx::Result<Vec<Self>> {
        sqlx::query_as!(
            Self,
            "select user_id, target_id, connected_at as at from connection where (user_id, target_id) > ($1, $2)
            order by user_id, target_id limit $3",
            after.0,
            after.1,
            rows
        )
        .fetch_all(&mut **tx)
        .await
    }

    /// Blocks behind a pair, in the order of pairs.
    pub async fn list_blocks(tx: &mut PgTransaction<'_>, after: (Uuid, Uuid), rows: i64) -> sqlx::Result<Vec<Self>> {
        sqlx::query_as!(
            Self,
            "select user_id, target_id, blocked_at as at from block where (user_id, target_id) > ($1, $2)
            order by user_id, target_id limit $3",
            after.0,
            after.1,
            rows
        )
        .fetch_all(&mut **tx)
        .await
    }
}
