//! What other services copy, in the database: all of the SQL of this feature.
use serde::Serialize;
use sqlx::{PgPool, PgTransaction};
use uuid::Uuid;

use crate::core::contract::timestamp::Timestamp;
use crate::subjects::Visibility;

/// Begins a transaction all of whose statements see one moment, and returns when that is.
pub async fn begin_snapshot(db: &PgPool) -> sqlx::Result<(PgTransaction<'static>, Timestamp)> {
    let mut tx = db.begin_with("begin isolation level repeatable read read only").await?;
    let as_of = sqlx::query_scalar!(r#"select now() as "now!""#).fetch_one(&mut *tx).await?;
    Ok((tx, as_of))
}

/// What the decisions in force make of a post, as its events have it.
#[derive(Serialize)]
pub struct ModeratedPostRow {
    pub id: Uuid,
    pub author: Uuid,
    /// The number of the entries about it: an event with a higher one is newer than this row.
    pub version: i64,
    pub visibility: Visibility,
    pub labels: Vec<String>,
}

impl ModeratedPostRow {
    /// The posts behind an id that anything has happened to, in the order of ids. Those without a decision in force are among them: that one
    /// has ended is to be known as well.
    pub async fn list(tx: &mut PgTransaction<'_>, after: Uuid, rows: i64) -> sqlx::Result<Vec<Self>> {
        sqlx::query_as!(
            Self,
            "select id, author, version, visibility, labels from subject
            where type = 'POST' and id > $1 order by id limit $2",
            after,
            rows
        )
        .fetch_all(&mut **tx)
        .await
    }
}
