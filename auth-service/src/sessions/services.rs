//! How a session begins, and what its person gets: tokens in the body of an answer, or as cookies.
use axum::Json;
use axum::http::header;
use axum::response::{AppendHeaders, IntoResponse, Response};
use chrono::{DateTime, Utc};
use sqlx::PgTransaction;

use super::cookies;
use super::models::{Device, Session};
use super::schemas::{TokenInCookies, TokenPair, TokenTransport};
use crate::app::App;
use crate::core::api::errors::Error;
use crate::core::doors::audit::{self, Entry};
use crate::tokens::services::{generate_secret, hash_secret};
use crate::users::models::Account;

/// A new session, and its refresh token, which only the client gets.
pub struct StartedSession {
    pub session: Session,
    pub refresh_token: String,
}

/// Starts a session of an account whose owner has authenticated; none when the password of the account that was read is not
/// its password any more.
pub async fn start_session(
    tx: &mut PgTransaction<'_>,
    account: &Account,
    device: &Device,
) -> sqlx::Result<Option<StartedSession>> {
    let refresh_token = generate_secret();
    let session = Session::create(tx, account, device, &hash_secret(&refresh_token)).await?;
    let Some(session) = session else { return Ok(None) };
    let entry = Entry { who: Some(account.id), action: "signed_in", target: Some(session.id), result: "done" };
    audit::record(&mut **tx, entry).await?;
    Ok(Some(StartedSession { session, refresh_token }))
}

impl StartedSession {
    /// The answer to the person, at `now`, which no cache on the way may keep (RFC 6749, section 5.1).
    pub fn answer(self, app: &App, transport: TokenTransport, now: DateTime<Utc>) -> Result<Response, Error> {
        let Self { session, refresh_token } = self;
        let ends = session.expires_at.0;
        let (access_token, expires_in) = app.tokens.issue(session.user_id, session.id, ends, now)?;
        let fresh = [(header::CACHE_CONTROL, "no-store")];
        Ok(match transport {
            TokenTransport::Body => {
                let token = TokenPair { access_token, token_type: "bearer", expires_in, refresh_token };
                (fresh, Json(token)).into_response()
            }
            TokenTransport::Cookies => {
                let set = cookies::set(app, &access_token, expires_in, &refresh_token, ends, now);
                let set = AppendHeaders(set.map(|cookie| (header::SET_COOKIE, cookie)));
                (fresh, set, Json(TokenInCookies { token_type: "cookie", expires_in })).into_response()
            }
        })
    }
}
