//! Leftovers: rows in the read model that their owner does not have any more, and whose deletion was never consumed. A restored
//! backup of either service leaves them, and so does an outage that is longer than events are kept.
pub mod models;

use anyhow::Context;
use chrono::TimeDelta;
use uuid::Uuid;

use crate::core::contract::timestamp::Timestamp;

/// How much older than a page's snapshot a row must be for its absence to mean that it was deleted, in minutes. The version of a row
/// is when its transaction began, which may have been committed behind the snapshot. None lasts that long: a statement ends after
/// 5 s, and a transaction in which none runs after 30 s.
const LONGEST_WRITE: i64 = 5;

/// Leftovers deleted in one transaction at most.
pub const BATCH: u16 = 1_000;

/// The keys that a page answers for, and the age from which on its answer is complete.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyRange {
    /// Keys behind this one; of an id, the second half is nil.
    pub after: (Uuid, Uuid),
    /// Up to and with this one.
    pub until: (Uuid, Uuid),
    /// Only rows whose version is older.
    pub before: Timestamp,
}

impl KeyRange {
    /// What a page as of a moment answers for, which was read behind a cursor and ends at the next one.
    pub fn of(cursor: Option<&str>, next: Option<&str>, as_of: Timestamp) -> anyhow::Result<Self> {
        Ok(Self {
            after: cursor.map_or(Ok((Uuid::nil(), Uuid::nil())), parse)?,
            until: next.map_or(Ok((Uuid::max(), Uuid::max())), parse)?,
            before: Timestamp(as_of.0 - TimeDelta::minutes(LONGEST_WRITE)),
        })
    }
}

/// An id, or two of them with a point between.
fn parse(text: &str) -> anyhow::Result<(Uuid, Uuid)> {
    let (first, second) = text.split_once('.').map_or((text, None), |(first, second)| (first, Some(second)));
    let id = |text: &str| Uuid::try_parse(text).with_context(|| format!("{text} is no key of a row"));
    Ok((id(first)?, second.map_or(Ok(Uuid::nil()), id)?))
}
