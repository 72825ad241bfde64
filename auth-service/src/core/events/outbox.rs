//! The outbox: events are written to it with the change that they report, and wait for the relay.
use serde::Serialize;
use sqlx::PgTransaction;
use uuid::Uuid;

use crate::core::ground::telemetry::{Trace, spans};

/// Publishes an event with the change that it follows from. **Lock or change the entity's row first**: then the order of the
/// outbox is the order of commits for one entity.
pub async fn publish(tx: &mut PgTransaction<'_>, stream: &str, message: &impl Serialize) -> sqlx::Result<()> {
    publish_all(tx, stream, std::slice::from_ref(message)).await
}

/// Publishes events of one stream, in this order and in one statement: for changes that have many of them. What holds for
/// [`publish`] holds for each.
pub async fn publish_all(tx: &mut PgTransaction<'_>, stream: &str, messages: &[impl Serialize]) -> sqlx::Result<()> {
    if messages.is_empty() {
        return Ok(());
    }
    let ids: Vec<Uuid> = messages.iter().map(|_| Uuid::now_v7()).collect();
    let messages: Vec<String> = messages
        .iter()
        .map(serde_json::to_string)
        .collect::<Result<_, _>>()
        .map_err(|e| sqlx::Error::Encode(e.into()))?;
    let trace = Trace::within(|| spans::create(stream, messages.len()));
    let query = sqlx::query!(
        "insert into outbox (event_id, stream, message, traceparent)
        select event_id, $1, message::json, $4
        from unnest($2::uuid[], $3::text[]) with ordinality as told (event_id, message, place) order by place",
        stream,
        &ids,
        &messages,
        trace.traceparent()
    );
    let written = query.execute(&mut **tx).await;
    trace.end([], written.as_ref().err().map(ToString::to_string));
    written.map(drop)
}
