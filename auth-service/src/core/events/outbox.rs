//! The outbox: events are written to it with the change that they report, and wait for the relay.
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sqlx::types::Json;
use sqlx::{PgExecutor, PgTransaction};
use uuid::Uuid;

use crate::core::contract::timestamp::Timestamp;
use crate::core::events::Id;
use crate::core::ground::telemetry::{Trace, spans};

/// Events that are numbered, appended or handed out at once.
pub const BATCH: i64 = 500;

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

/// An event of the outbox under the number that it has in Redis, as it is appended there, and as `GET
/// /internal/events/{stream}` hands it out.
#[derive(Serialize, Deserialize)]
pub struct NumberedEvent {
    pub id: String,
    pub prev: String,
    pub event_id: Uuid,
    pub version: i16,
    pub occurred_at: Timestamp,
    pub traceparent: Option<String>,
    pub message: Json<Box<RawValue>>,
}

/// The numbered events of a stream behind an id, in order, at most [`BATCH`] of them.
pub async fn list_numbered(db: impl PgExecutor<'_>, stream: &str, after: Id) -> sqlx::Result<Vec<NumberedEvent>> {
    let query = sqlx::query_as!(
        NumberedEvent,
        r#"select pos || '-0' as "id!", prev as "prev!", event_id, version, occurred_at,
            traceparent, message as "message: Json<Box<RawValue>>"
        from outbox where stream = $1 and pos > $2 order by pos limit $3"#,
        stream,
        after.ms,
        BATCH
    );
    query.fetch_all(db).await
}
