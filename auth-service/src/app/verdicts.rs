//! A cache of the answers of verify-token. Services and gateways ask it of one token again and again, and an answer costs
//! the check of a signature and a question to the database.
//!
//! An answer is given again for a moment, and never after a change that could make it another one: every commit of this
//! process, which `App::commit` counts, and every event of another replica about a session, a user or a connection
//! ([`VerdictCache::invalidate_all`]) makes all answers void. The cache does not ask which of them the change was about: commits are
//! few beside the questions, and a rule without exceptions cannot forget one.
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::body::Bytes;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use moka::future::Cache;
use sha2::{Digest, Sha256};
use tokio::sync::watch;

/// How long an answer is given again: so long a token may outlive its session where an event of another replica is late.
const TIME_TO_LIVE: Duration = Duration::from_secs(1);
/// Answers held at most; about 1 KiB each.
const CAPACITY: u64 = 10_000;

/// The answers of one process, by the SHA-256 of the token: the tokens themselves are nowhere.
pub struct VerdictCache {
    /// How many commits of this process were there: each makes all answers of before void.
    commits: watch::Receiver<u64>,
    /// How many events of other replicas were there, which do the same.
    invalidations: AtomicU64,
    /// For how long an answer is given again.
    ttl: Duration,
    answers: Cache<[u8; 32], CachedVerdict>,
}

impl VerdictCache {
    /// An empty cache.
    pub fn new(commits: watch::Receiver<u64>) -> Self {
        Self::with_ttl(commits, TIME_TO_LIVE)
    }

    pub fn with_ttl(commits: watch::Receiver<u64>, ttl: Duration) -> Self {
        let answers = Cache::builder().max_capacity(CAPACITY).time_to_live(ttl).build();
        Self { commits, invalidations: AtomicU64::default(), ttl, answers }
    }

    /// Invalidates all answers: no later call returns one that was looked up before.
    pub fn invalidate_all(&self) {
        self.invalidations.fetch_add(1, Ordering::SeqCst);
    }

    /// Begins a look-up. Counts before anything is read: a commit in between may or may not be in the answer.
    pub fn begin(&self, token: &str) -> PendingVerdict {
        PendingVerdict { key: Sha256::digest(token).into(), changes: self.changes(), since: Utc::now() }
    }

    /// The answer of before, if it may be given again.
    pub async fn get(&self, lookup: &PendingVerdict) -> Option<CachedVerdict> {
        let known = self.answers.get(&lookup.key).await;
        known.filter(|answer| answer.holds(lookup.changes, lookup.since, self.ttl))
    }

    /// Keeps an answer that was found after the look-up began.
    pub async fn insert(
        &self,
        lookup: PendingVerdict,
        expires_at: Option<DateTime<Utc>>,
        headers: HeaderMap,
        body: Vec<u8>,
    ) -> CachedVerdict {
        let PendingVerdict { key, changes, since } = lookup;
        let answer = CachedVerdict { changes, since, expires_at, headers, body: body.into() };
        self.answers.insert(key, answer.clone()).await;
        answer
    }

    /// How many things have happened after which answers of before are void.
    pub fn changes(&self) -> u64 {
        *self.commits.borrow() + self.invalidations.load(Ordering::SeqCst)
    }
}

/// The token that a look-up is about, and what had happened when it began.
pub struct PendingVerdict {
    key: [u8; 32],
    changes: u64,
    since: DateTime<Utc>,
}

/// An answer, as it was sent.
#[derive(Clone, Debug, PartialEq)]
pub struct CachedVerdict {
    changes: u64,
    pub since: DateTime<Utc>,
    expires_at: Option<DateTime<Utc>>,
    headers: HeaderMap,
    pub body: Bytes,
}

impl CachedVerdict {
    /// Whether it may be given again, after that number of changes and at that time.
    fn holds(&self, changes: u64, now: DateTime<Utc>, ttl: Duration) -> bool {
        // A clock that was set back makes it older than it can be, and it is looked up again.
        let age = (now - self.since).to_std().unwrap_or(Duration::MAX);
        self.changes == changes && age < ttl && self.expires_at.is_none_or(|expires_at| now < expires_at)
    }
}

impl IntoResponse for CachedVerdict {
    fn into_response(self) -> Response {
        (self.headers, self.body).into_response()
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    #[test]
    fn an_answer_holds_for_a_moment_and_not_beyond_its_token() {
        let since = Utc::now();
        let answer =
            |expires_at| CachedVerdict { changes: 7, since, expires_at, headers: HeaderMap::new(), body: Bytes::new() };
        let after = |milliseconds| since + TimeDelta::milliseconds(milliseconds);
        assert!(answer(None).holds(7, after(999), TIME_TO_LIVE));
        assert!(!answer(None).holds(7, after(1000), TIME_TO_LIVE));
        assert!(!answer(None).holds(7, after(-1), TIME_TO_LIVE), "the clock was set back");
        assert!(!answer(None).holds(8, after(0), TIME_TO_LIVE), "what was looked up while something changed");
        assert!(answer(Some(after(500))).holds(7, after(499), TIME_TO_LIVE));
        assert!(!answer(Some(after(500))).holds(7, after(500), TIME_TO_LIVE));
    }
}
