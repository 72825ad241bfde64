//! Token introspection: returns the account of a token. Recent answers are cached ([`crate::app::verdicts`]).
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use sqlx::PgPool;

use super::schemas::VerifiedUser;
use crate::app::Resources;
use crate::app::verdicts::{CachedVerdict, VerdictCache};
use crate::core::errors::Error;
use crate::core::events::follower::Follower;
use crate::core::security::{self, Claims, Token};
use crate::core::timestamp::Timestamp;
use crate::core::{App, worker};
use crate::users::ACCOUNT_DELETED;
use crate::users::models::Account;

impl Resources {
    /// The account that the claims of a token belong to, when they are still good: one query, since every request needs it.
    pub async fn holder(&self, db: &PgPool, claims: &Claims) -> sqlx::Result<Option<Account>> {
        let held = Account::find_by_claims(db, claims.user, claims.session).await;
        security::count(match &held {
            Ok(Some(_)) => "valid",
            Ok(None) => "refused",
            Err(_) => "unreachable",
        });
        held
    }
}

/// The account of a token, as verify-token answers it; from the cache, where that is still valid.
pub async fn introspect(app: &App, verdicts: &VerdictCache, token: &Token) -> Result<CachedVerdict, Error> {
    let lookup = verdicts.begin(&token.0);
    if let Some(answer) = verdicts.get(&lookup).await {
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
    Ok(verdicts.insert(lookup, claims.expires_at, headers, body).await)
}

/// Starts to follow the streams that invalidate answers.
pub fn start(app: &App, streams: &[&'static str]) {
    for stream in streams {
        app.tasks.spawn(worker::run(app.clone(), follower(app, stream)));
    }
}

/// A follower that invalidates all answers at every event of a stream.
pub fn follower(app: &App, stream: &'static str) -> Follower {
    let heard = |app: &App, _: &str| {
        app.resources.verdicts.invalidate_all();
        Ok(())
    };
    Follower::new(app, stream, heard, |app| app.resources.verdicts.invalidate_all())
}
