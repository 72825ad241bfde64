//! Pages of rows in the order of their keys, for another service's read model: what is asked for, and how it is answered.
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use anyhow::Context;
use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::request::Parts;
use serde::Serialize;
use tokio::sync::{Semaphore, SemaphorePermit};
use uuid::Uuid;

use crate::core::api::errors::Error;
use crate::core::contract::extract::Query;
use crate::core::contract::fields::invalid;
use crate::core::contract::timestamp::Timestamp;

/// Rows on a page at most, and when the caller does not say: what one statement reads in milliseconds.
pub const MAX_ROWS: i64 = 1_000;
/// Pages read at once by all callers of this process: its connections to Postgres, and its threads, are for people's requests first.
static TURNS: Semaphore = Semaphore::const_new(2);
/// How long a page waits for its turn. A caller that has waited longer comes again, and holds nothing meanwhile.
const TURN_TIMEOUT: Duration = Duration::from_secs(1);
/// The answer to a page whose turn did not come; it says when to come again, as any 503.
const BUSY: Error = Error::Refused(StatusCode::SERVICE_UNAVAILABLE, "Other pages are being read at the moment");

/// The key of a row: an id, or the two ids of a pair; then the second is not nil.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RowKey(pub Uuid, pub Uuid);

impl From<Uuid> for RowKey {
    fn from(id: Uuid) -> Self {
        Self(id, Uuid::nil())
    }
}

impl fmt::Display for RowKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.1.is_nil() { write!(f, "{}", self.0) } else { write!(f, "{}.{}", self.0, self.1) }
    }
}

impl FromStr for RowKey {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Self> {
        let (first, second) = text.split_once('.').map_or((text, None), |(first, second)| (first, Some(second)));
        let second = second.map(Uuid::try_parse).transpose().context("no id behind the point")?;
        Ok(Self(Uuid::try_parse(first).context("no id")?, second.unwrap_or_default()))
    }
}

/// Which rows a request asks for: at most `limit` of them, behind the key `cursor`, or from the first one on. It is also the turn to
/// read them, which ends with it.
pub struct RowRange {
    pub after: RowKey,
    pub limit: i64,
    _turn: SemaphorePermit<'static>,
}

async fn take_turn(turns: &'static Semaphore, timeout: Duration) -> Result<SemaphorePermit<'static>, Error> {
    match tokio::time::timeout(timeout, turns.acquire()).await {
        Ok(Ok(turn)) => Ok(turn),
        _ => Err(BUSY),
    }
}

impl<S: Send + Sync> FromRequestParts<S> for RowRange {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Error> {
        let mut query = Query::from_request_parts(parts, state).await?;
        let limit = query.integer("limit", 1, MAX_ROWS).unwrap_or(MAX_ROWS);
        let after = query.get("cursor").map_or(Ok(RowKey::default()), str::parse).unwrap_or_else(|_| {
            query.errors.push(invalid(&["query", "cursor"], "value is not a valid cursor", "value_error.cursor", None));
            RowKey::default()
        });
        query.check()?;
        Ok(Self { after, limit, _turn: take_turn(&TURNS, TURN_TIMEOUT).await? })
    }
}

/// A page of rows as of one moment.
#[derive(Serialize)]
pub struct RowPage<T> {
    /// When the snapshot began that the page is read from. What was committed before is in it.
    pub as_of: Timestamp,
    /// By stream, the id of the last event whose effect is in the rows, where a count among them depends on it.
    pub watermarks: BTreeMap<&'static str, String>,
    pub items: Vec<T>,
    /// The key of the last item, which is the cursor of the next page. Null on an empty page: nothing is behind the cursor.
    pub next: Option<String>,
}

impl<T> RowPage<T> {
    /// A page of these rows, which are in the order of their keys.
    pub fn new(as_of: Timestamp, items: Vec<T>, key: impl Fn(&T) -> RowKey) -> Self {
        let next = items.last().map(|last| key(last).to_string());
        Self { as_of, watermarks: BTreeMap::new(), items, next }
    }
}

#[cfg(test)]
mod tests {
    use axum::http::header;
    use axum::response::IntoResponse;

    use super::*;

    #[tokio::test]
    async fn a_page_whose_turn_does_not_come_is_asked_for_again() {
        static ONE: Semaphore = Semaphore::const_new(1);
        let first = take_turn(&ONE, Duration::ZERO).await.unwrap();
        let refusal = take_turn(&ONE, Duration::ZERO).await.unwrap_err().into_response();
        assert_eq!(refusal.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert!(refusal.headers().contains_key(header::RETRY_AFTER), "{refusal:?}");
        drop(first);
        assert!(take_turn(&ONE, Duration::ZERO).await.is_ok(), "a turn ends with its page");
    }
}
