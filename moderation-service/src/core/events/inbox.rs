//! How far each stream was applied, and what of it was put aside: what a consumer writes beside the effects.
use sqlx::{PgPool, PgTransaction};

use crate::core::contract::timestamp::Timestamp;
use crate::core::events::{Event, Failure, Id};

/// The id of the last entry of a stream that was applied; 0-0 before the first.
pub async fn watermark(db: &PgPool, stream: &str) -> sqlx::Result<Id> {
    sqlx::query!("insert into inbox (stream) values ($1) on conflict do nothing", stream).execute(db).await?;
    sqlx::query_as!(Id, "select ms, seq from inbox where stream = $1", stream).fetch_one(db).await
}

/// Moves the watermark from one place to another; false when it was not there.
pub async fn move_watermark(tx: &mut PgTransaction<'_>, stream: &str, from: Id, to: Id) -> sqlx::Result<bool> {
    let moved = sqlx::query!(
        "update inbox set ms = $4, seq = $5, moved_at = now() where stream = $1 and ms = $2 and seq = $3",
        stream,
        from.ms,
        from.seq,
        to.ms,
        to.seq
    )
    .execute(&mut **tx)
    .await?;
    Ok(moved.rows_affected() == 1)
}

/// Puts an event aside, with the reason.
pub async fn park(tx: &mut PgTransaction<'_>, stream: &str, event: &Event, failure: &Failure) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into dead_letter (id, stream, entry_id, event_id, occurred_at, version, traceparent, message, error)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        uuid::Uuid::now_v7(),
        stream,
        event.id.to_string(),
        event.event_id,
        Timestamp(event.occurred_at),
        event.version,
        event.traceparent,
        event.message.replace('\0', "\u{fffd}"),
        failure.to_string()
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}
