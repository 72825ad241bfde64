//! Token introspection: returns the account of a token. Recent answers are cached ([`crate::app::verdicts`]).
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use sqlx::PgPool;

use super::schemas::VerifiedUser;
use crate::app::App;
use crate::app::access_tokens::{Claims, count};
use crate::app::verdicts::{CachedVerdict, VerdictCache};
use crate::core::api::errors::Error;
use crate::core::contract::timestamp::Timestamp;
use crate::core::events::follower::Follower;
use crate::users::models::Account;
use crate::users::{ACCOUNT_DELETED, ApiWord};

/// The account that the claims of a token belong to, when they are still good: one query, since every request needs it.
pub async fn find_holder(db: &PgPool, claims: &Claims) -> sqlx::Result<Option<Account>> {
    let held = Account::find_by_claims(db, claims.user, claims.session).await;
    count(match &held {
        Ok(Some(_)) => "valid",
        Ok(None) => "refused",
        Err(_) => "unreachable",
    });
    held
}

/// The account of a token, as verify-token answers it; from the cache, where that is still valid.
pub async fn introspect(app: &App, verdicts: &VerdictCache, token: &str) -> Result<CachedVerdict, Error> {
    let lookup = verdicts.begin(token);
    if let Some(answer) = verdicts.get(&lookup).await {
        count("hit");
        return Ok(answer);
    }
    let claims = app.tokens.claims(token)?;
    let account = find_holder(&app.db, &claims).await?.ok_or(ACCOUNT_DELETED)?;
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

/// A follower that invalidates all answers at every event of a stream, and where it may have missed one.
pub fn follower(app: &App, stream: &'static str) -> Follower {
    let running = app.clone();
    Follower::new(app, stream, move |_| {
        running.verdicts.invalidate_all();
        Ok(())
    })
}
