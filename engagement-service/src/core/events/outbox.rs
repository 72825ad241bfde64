//! The outbox: events that are written with the change they tell of, and wait there to be carried to Redis.
use serde::Serialize;
use sqlx::PgTransaction;

use crate::core::telemetry;

/// Tells an event with the change that it follows from. **Lock or change the entity's row first**: then the order of the
/// outbox is the order of commits for one entity.
pub async fn publish(tx: &mut PgTransaction<'_>, stream: &str, message: &impl Serialize) -> sqlx::Result<()> {
    let message = serde_json::to_string(message).map_err(|cause| sqlx::Error::Encode(cause.into()))?;
    sqlx::query!(
        "insert into outbox (event_id, stream, message, traceparent) values ($1, $2, $3::text::json, $4)",
        uuid::Uuid::now_v7(),
        stream,
        message,
        telemetry::traceparent()
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}
