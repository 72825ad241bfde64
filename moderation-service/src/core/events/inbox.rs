//! The inbox of a consumer: what it reads from a stream, how far the stream was applied, and which events were parked.
use std::collections::HashMap;

use chrono::{DateTime, Datelike, Utc};
use sqlx::{PgPool, PgTransaction};

use crate::core::contract::timestamp::Timestamp;
use crate::core::events::{Event, Failure, Id, VERSION};
use crate::core::ground::telemetry::trace;

/// What a read returns: ids and fields; no fields when the entry was deleted from the stream while it was pending. Fields
/// are bytes: any program that may write to Redis can write anything, and none of it may stop a reader.
pub type Entries = Vec<(String, Option<EntryFields>)>;
pub type EntryFields = HashMap<Vec<u8>, Vec<u8>>;

/// How much of a message is parked, in bytes; the largest event is a tenth of it.
const MAX_PARKED: usize = 1024 * 1024;

/// How many events from the first on follow each other, beginning behind the watermark, without a hole. What lies between
/// an event and the one that it names as the one before was not published by its producer, and is no hole.
pub fn consecutive(watermark: Id, events: &[Event]) -> usize {
    let mut before = watermark;
    events
        .iter()
        .take_while(|event| {
            let follows = event.prev.is_none_or(|prev| prev <= before);
            before = event.id;
            follows
        })
        .count()
}

/// Whether an entry needs no more than an acknowledgement: it was applied, it is not in the stream any more (then the
/// entry behind it shows the gap), or it has an id that neither the relay nor the original's producers can make.
pub fn is_done((id, fields): &(String, Option<EntryFields>), watermark: Id) -> bool {
    fields.is_none() || id.parse::<Id>().map_or(true, |id| id <= watermark)
}

/// The event of an entry; none when the entry was deleted from the stream while it was pending. What cannot be understood
/// of it is left out, so that an entry which is no event at all fails where it is applied, and is parked.
pub fn decode(id: &str, fields: Option<&EntryFields>) -> Option<Event> {
    let (id, fields) = (id.parse::<Id>().ok()?, fields?);
    let get = |name| field(fields, name);
    let time = DateTime::from_timestamp_millis(id.ms).filter(|time| is_storable(*time)).unwrap_or_default();
    Some(Event {
        id,
        prev: get("prev").and_then(|prev| prev.parse().ok()),
        occurred_at: get("occurred_at").and_then(|at| at.parse().ok()).filter(|at| is_storable(*at)).unwrap_or(time),
        source: get("source").map(str::to_owned),
        event_id: get("event_id").and_then(|id| id.parse().ok()),
        version: get("version").and_then(|version| version.parse().ok()).unwrap_or(VERSION),
        traceparent: get("traceparent").filter(|text| trace::id_of(text).is_some()).map(str::to_owned),
        message: fields
            .get(b"message".as_slice())
            .map(|message| String::from_utf8_lossy(message).into_owned())
            .unwrap_or_default(),
    })
}

/// The value of a field, where it is there and a text.
pub fn field<'a>(fields: &'a EntryFields, name: &str) -> Option<&'a str> {
    fields.get(name.as_bytes()).and_then(|value| std::str::from_utf8(value).ok())
}

/// Whether Postgres can hold a time; it knows fewer years than chrono.
fn is_storable(time: DateTime<Utc>) -> bool {
    (0..10_000).contains(&time.year())
}

/// The id of the last entry of a stream that was applied; 0-0 before the first.
pub async fn watermark(db: &PgPool, stream: &str) -> sqlx::Result<Id> {
    sqlx::query!("insert into inbox (stream) values ($1) on conflict do nothing", stream).execute(db).await?;
    sqlx::query_as!(Id, "select ms, seq from inbox where stream = $1", stream).fetch_one(db).await
}

/// Moves the watermark from one place to another; fails when another reader was faster.
pub async fn move_watermark(tx: &mut PgTransaction<'_>, stream: &str, from: Id, to: Id) -> Result<(), Failure> {
    let query = sqlx::query!(
        "update inbox set ms = $4, seq = $5, moved_at = now() where stream = $1 and ms = $2 and seq = $3",
        stream,
        from.ms,
        from.seq,
        to.ms,
        to.seq
    );
    match query.execute(&mut **tx).await?.rows_affected() {
        0 => Err(Failure::Transient("the watermark was moved by another reader".into())),
        _ => Ok(()),
    }
}

/// Parks an event, with the reason.
pub async fn park(tx: &mut PgTransaction<'_>, stream: &str, event: &Event, failure: &Failure) -> sqlx::Result<()> {
    let message = &event.message[..event.message.floor_char_boundary(MAX_PARKED)];
    let query = sqlx::query!(
        "insert into dead_letter (id, stream, entry_id, event_id, occurred_at, version, traceparent, message, error)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        uuid::Uuid::now_v7(),
        stream,
        event.id.to_string(),
        event.event_id,
        Timestamp(event.occurred_at),
        event.version,
        event.traceparent,
        message.replace('\0', "\u{fffd}"),
        failure.to_string()
    );
    query.execute(&mut **tx).await.map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(ms: i64, prev: Option<i64>) -> Event {
        let id = |ms| Id { ms, seq: 0 };
        let (message, occurred_at) = (String::new(), DateTime::UNIX_EPOCH);
        Event {
            id: id(ms),
            prev: prev.map(id),
            event_id: None,
            occurred_at,
            source: None,
            version: 1,
            traceparent: None,
            message,
        }
    }

    #[test]
    fn a_chain_ends_where_an_entry_is_missing_and_the_originals_entries_chain_to_anything() {
        let watermark = Id { ms: 2, seq: 0 };
        assert_eq!(consecutive(watermark, &[event(3, Some(2)), event(4, Some(3)), event(6, Some(5))]), 2);
        assert_eq!(consecutive(watermark, &[event(4, Some(3))]), 0);
        assert_eq!(consecutive(Id { ms: 2, seq: 7 }, &[event(3, Some(2))]), 1, "an entry that is not the producer's");
        assert_eq!(consecutive(watermark, &[event(7, None), event(9, None), event(10, Some(9))]), 3);
    }
}
