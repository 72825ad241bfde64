//! What a call may ask for, and how rows become messages.
use std::fmt;
use std::str::FromStr;

use anyhow::Context;
use chrono::DateTime;
use tonic::Status;
use uuid::Uuid;

use super::models::{Neighbour, PersonRelation};
use super::proto::{ConnectedPerson, Connection, Relation};
use crate::core::contract::timestamp::Timestamp;
use crate::read_model::models::PairRow;

/// Rows on a page at most, and when the caller does not say: 64 KiB of ids, which one statement reads in milliseconds.
pub const MAX_ROWS: u32 = 4_096;
/// The most people that one call may ask about.
pub const MAX_OTHERS: usize = 1_000;

/// A place in the order in which people connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Since(pub Timestamp, pub Uuid);

impl Default for Since {
    /// Before all.
    fn default() -> Self {
        Self(Timestamp(DateTime::UNIX_EPOCH), Uuid::nil())
    }
}

impl From<&Neighbour> for Since {
    fn from(person: &Neighbour) -> Self {
        Self(person.at, person.id)
    }
}

impl fmt::Display for Since {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", micros(self.0), self.1)
    }
}

impl FromStr for Since {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Self> {
        let (at, id) = text.split_once('.').context("no point")?;
        let at = DateTime::from_timestamp_micros(at.parse()?).context("no time before the point")?;
        // Postgres has no time as early as the earliest that are read here: the caller would be answered as if it were away.
        anyhow::ensure!(at >= DateTime::UNIX_EPOCH, "a time before all");
        Ok(Self(Timestamp(at), Uuid::try_parse(id)?))
    }
}

/// A time as messages have it.
pub fn micros(time: Timestamp) -> i64 {
    time.0.timestamp_micros()
}

/// Where a list goes on: behind a key, or at its beginning.
pub fn after<K: Default + FromStr>(text: &str) -> Result<K, Status> {
    let key = if text.is_empty() { Ok(K::default()) } else { text.parse() };
    key.map_err(|_| Status::invalid_argument("after is not the next of a page"))
}

/// The rows of a page.
pub fn page_size(asked: u32) -> Result<i64, Status> {
    match asked {
        0 => Ok(MAX_ROWS.into()),
        1..=MAX_ROWS => Ok(asked.into()),
        _ => Err(Status::invalid_argument(format!("page_size is more than {MAX_ROWS}"))),
    }
}

/// The id of a person.
pub fn person_id(bytes: &[u8]) -> Result<Uuid, Status> {
    Uuid::from_slice(bytes).map_err(|_| Status::invalid_argument("an id is not the 16 bytes of a UUID"))
}

/// The ids of the people that a call asks about.
pub fn others(given: &[Vec<u8>]) -> Result<Vec<Uuid>, Status> {
    if given.len() > MAX_OTHERS {
        return Err(Status::invalid_argument(format!("others are more than {MAX_OTHERS}")));
    }
    given.iter().map(|id| person_id(id)).collect()
}

fn bytes(id: Uuid) -> Vec<u8> {
    id.as_bytes().to_vec()
}

impl From<PairRow> for Connection {
    fn from(pair: PairRow) -> Self {
        Self { user_id: bytes(pair.user_id), target_id: bytes(pair.target_id), at: micros(pair.at) }
    }
}

impl From<Neighbour> for ConnectedPerson {
    fn from(person: Neighbour) -> Self {
        Self { id: bytes(person.id), at: micros(person.at) }
    }
}

impl From<PersonRelation> for Relation {
    fn from(relation: PersonRelation) -> Self {
        let PersonRelation { id, follows, followed_by, blocks, blocked_by } = relation;
        Self { id: bytes(id), follows, followed_by, blocks, blocked_by }
    }
}
