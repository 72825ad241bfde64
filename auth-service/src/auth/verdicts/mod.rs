//! What verify-token has answered lately. Services and gateways ask it of one token again and again, and an answer costs
//! the check of a signature and a question to the database.
//!
//! An answer is given again for a moment, and never after something has happened that could make it another one: every
//! commit of this process ([`Verdicts::forget`], which no change can pass by), and every event of another replica about a
//! session, a person or a connection, makes all answers void. Which of them it was about does not matter: commits
//! here are few beside the questions, and a rule without exceptions cannot forget one.
#[cfg(test)]
mod tests;

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use moka::future::Cache;
use sha2::{Digest, Sha256};

use super::schemas::VerifiedUser;
use crate::accounts::events::USER_DELETED;
use crate::connections::events::{USER_CONNECTED, USER_DISCONNECTED};
use crate::core::App;
use crate::core::errors::Error;
use crate::core::events::follower::Follower;
use crate::core::security::{self, Token};
use crate::core::timestamp::Timestamp;
use crate::core::worker;
use crate::profiles::events::USER_UPDATED;
use crate::sessions::events::SESSION_REVOKED;
use crate::users::ACCOUNT_DELETED;

/// How long an answer is given again: so long a token may outlive its session where an event of another replica is late.
const BELIEVED: Duration = Duration::from_secs(1);
/// Answers held at most; about 1 KiB each.
const CAPACITY: u64 = 10_000;

/// What another replica tells that may make an answer another one.
const TELLING: [&str; 5] = [SESSION_REVOKED, USER_UPDATED, USER_DELETED, USER_CONNECTED, USER_DISCONNECTED];

/// The answers of one process, by the SHA-256 of the token: the tokens themselves are nowhere.
pub struct Verdicts {
    /// How many things have happened that make all answers of before void.
    changes: AtomicU64,
    /// For how long an answer is given again.
    believed: Duration,
    answers: Cache<[u8; 32], Answer>,
}

impl Verdicts {
    /// Nothing was asked yet.
    pub fn new() -> Self {
        Self::lasting(BELIEVED)
    }

    fn lasting(believed: Duration) -> Self {
        let answers = Cache::builder().max_capacity(CAPACITY).time_to_live(believed).build();
        Self { changes: AtomicU64::default(), believed, answers }
    }

    /// Makes all answers void: of whoever asks from now on, none gets one that was looked up before.
    pub fn forget(&self) {
        self.changes.fetch_add(1, Ordering::SeqCst);
    }

    /// Whose token it is.
    pub async fn of(&self, app: &App, token: &Token) -> Result<Answer, Error> {
        let key: [u8; 32] = Sha256::digest(&token.0).into();
        // Counted before it is looked up: of what is committed meanwhile nobody knows whether the answer has it.
        let (changes, since) = (self.changes.load(Ordering::SeqCst), Utc::now());
        let known = self.answers.get(&key).await;
        if let Some(answer) = known.filter(|answer| answer.holds(changes, since, self.believed)) {
            security::count("hit");
            return Ok(answer);
        }
        let claims = app.verifier.claims(&token.0)?;
        let account = app.resources.holder(&app.db, &claims).await?.ok_or(ACCOUNT_DELETED)?;
        let identity = HeaderValue::from_str(&account.id.to_string()).map_err(|cause| Error::Internal(cause.into()))?;
        let headers = HeaderMap::from_iter([
            (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
            (HeaderName::from_static("x-user-id"), identity),
            (HeaderName::from_static("x-user-role"), HeaderValue::from_static(account.role.word())),
            (HeaderName::from_static("x-user-status"), HeaderValue::from_static(account.status.word())),
        ]);
        let user = VerifiedUser {
            total_connections: account.total_connections,
            session_id: claims.session,
            expires_at: claims.expires_at.map(Timestamp),
            user: account.into(),
        };
        let body = serde_json::to_vec(&user).map_err(|cause| Error::Internal(cause.into()))?;
        let answer = Answer { changes, since, expires_at: claims.expires_at, headers, body: body.into() };
        self.answers.insert(key, answer.clone()).await;
        Ok(answer)
    }
}

/// An answer, as it was sent.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    changes: u64,
    since: DateTime<Utc>,
    expires_at: Option<DateTime<Utc>>,
    headers: HeaderMap,
    body: Bytes,
}

impl Answer {
    /// Whether it may be given again, after so many changes and so much time.
    fn holds(&self, changes: u64, now: DateTime<Utc>, believed: Duration) -> bool {
        // A clock that was set back makes it older than it can be, and it is looked up again.
        let age = (now - self.since).to_std().unwrap_or(Duration::MAX);
        self.changes == changes && age < believed && self.expires_at.is_none_or(|expires_at| now < expires_at)
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        (self.headers, self.body).into_response()
    }
}

/// Starts to follow what other replicas tell.
pub fn start(app: &App) {
    for stream in TELLING {
        app.tasks.spawn(worker::run(app.clone(), follower(app, stream)));
    }
}

fn follower(app: &App, stream: &'static str) -> Follower {
    let heard = |app: &App, _: &str| {
        app.resources.verdicts.forget();
        Ok(())
    };
    Follower::new(app, stream, heard, |app| app.resources.verdicts.forget())
}
