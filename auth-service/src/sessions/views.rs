//! The routes of sessions, and the public keys of access tokens.
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderName, StatusCode, header};
use axum::response::{AppendHeaders, IntoResponse, Response};
use chrono::Utc;
use jsonwebtoken::jwk::JwkSet;

use super::authentication::PresentedToken;
use super::introspection::introspect;
use super::models::{Device, Session};
use super::schemas::{PresentedRefreshToken, RefreshIn, SessionOut, TokenPair, TokenTransport, VerifiedUser};
use super::succession::{Exchange, exchange};
use super::{Reason, cookies, signals};
use crate::app::App;
use crate::app::verdicts::CachedVerdict;
use crate::core::api::errors::{Error, Problem};
use crate::core::api::pagination::Page;
use crate::core::app::identity::User;
use crate::core::app::identity::{Role, Status};
use crate::core::contract::extract::Path;
use crate::core::doors::callers::EvenMuted;

/// How long others may keep the public keys; a new key is published before it signs.
const KEYS_KEPT: &str = "public, max-age=300";

const INVALID: Error = Error::Refused(StatusCode::UNAUTHORIZED, "Invalid refresh token");

/// Exchange a refresh token for the next tokens of its session
///
/// Within 30 s the same token gets the same next one again; after that it ends the session.
#[utoipa::path(post, path = "/auth/refresh", tag = "auth", security(()), request_body = RefreshIn, responses(
    (status = 200, body = TokenPair, description = "Tokens; a browser that uses cookies gets them as cookies"),
    (status = 401, body = Problem, description = "Not good, or not any more"),
    (status = 403, body = Problem, description = "A cookie that does not come from a page of ours"),
))]
pub async fn refresh(
    State(app): State<App>,
    transport: TokenTransport,
    device: Device,
    PresentedRefreshToken(presented): PresentedRefreshToken,
) -> Result<Response, Error> {
    let mut tx = app.db.begin().await?;
    match exchange(&mut tx, &app.tokens.settings, &device, &presented).await? {
        Exchange::Done(session) => {
            app.commit_with_answer(tx).await?;
            session.answer(&app, transport, Utc::now())
        }
        Exchange::Replayed { session, user } => {
            signals::end(&mut tx, user, session, Reason::Replayed).await?;
            // At once and not with its answer: under an Idempotency-Key only what is answered with success is committed.
            app.commit(tx).await?;
            tracing::warn!(%session, "a refresh token came back that had been exchanged; its session was ended");
            Err(INVALID)
        }
        Exchange::Refused => Err(INVALID),
    }
}

/// What makes a browser forget its tokens, where they are cookies.
type Forget = Option<AppendHeaders<[(HeaderName, String); 2]>>;

fn forget(app: &App) -> Forget {
    let cookies = app.tokens.settings.token_cookies.then(|| cookies::clear(app));
    cookies.map(|cookies| AppendHeaders(cookies.map(|cookie| (header::SET_COOKIE, cookie))))
}

/// Sign out: end this session
#[utoipa::path(post, path = "/auth/signout", tag = "auth", responses(
    (status = 204),
    (status = 400, body = Problem, description = "A token of the original, which belongs to no session"),
))]
pub async fn sign_out(EvenMuted(user): EvenMuted, State(app): State<App>) -> Result<(Forget, StatusCode), Error> {
    let none = Error::Refused(StatusCode::BAD_REQUEST, "This token belongs to no session");
    let mut tx = app.db.begin().await?;
    signals::end(&mut tx, user.id, user.session.ok_or(none)?, Reason::SignedOut).await?;
    app.commit_with_answer(tx).await?;
    Ok((forget(&app), StatusCode::NO_CONTENT))
}

/// Sign out everywhere: end all of the caller's sessions, this one too
#[utoipa::path(post, path = "/auth/signout-everywhere", tag = "auth", responses(
    (status = 204),
))]
pub async fn sign_out_everywhere(
    EvenMuted(user): EvenMuted,
    State(app): State<App>,
) -> Result<(Forget, StatusCode), Error> {
    let mut tx = app.db.begin().await?;
    signals::end_all(&mut tx, user.id, Reason::SignedOutEverywhere).await?;
    app.commit_with_answer(tx).await?;
    Ok((forget(&app), StatusCode::NO_CONTENT))
}

/// List the caller's sessions, newest first
#[utoipa::path(get, path = "/auth/sessions", tag = "auth", params(
    ("limit" = Option<i64>, Query, description = "Items on a page, 1 to 200; 50 when not given"),
    ("cursor" = Option<String>, Query, description = "From the Link header of the page before"),
), responses(
    (status = 200, body = Vec<SessionOut>),
))]
pub async fn get_sessions(user: User, State(app): State<App>, page: Page) -> Result<Response, Error> {
    let sessions = Session::list(&app.db, user.id, page.before, page.rows()).await?;
    let seen = sessions.into_iter().map(|session| SessionOut::seen_from(session, user.session)).collect();
    Ok(page.answer(seen, |session: &SessionOut| (session.created_at, session.id)))
}

/// Sign out another device: end one of the caller's sessions
#[utoipa::path(delete, path = "/auth/sessions/{session_id}", tag = "auth", params(("session_id" = uuid::Uuid, Path)),
    responses(
    (status = 204),
    (status = 404, body = Problem, description = "No current session of the caller"),
    (status = 422, body = Problem),
))]
pub async fn revoke_session(user: User, State(app): State<App>, Path(id): Path) -> Result<StatusCode, Error> {
    let mut tx = app.db.begin().await?;
    if !signals::end(&mut tx, user.id, id, Reason::Revoked).await? {
        return Err(Error::Refused(StatusCode::NOT_FOUND, "Session not found"));
    }
    app.commit_with_answer(tx).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Return the caller's account
///
/// The same in the headers `X-User-Id`, `X-User-Role` and `X-User-Status`, which a gateway can hand on without reading bodies.
#[utoipa::path(get, path = "/auth/verify-token", tag = "auth", responses(
    (status = 200, body = VerifiedUser, headers(
        ("X-User-Id" = uuid::Uuid, description = "Who it is"),
        ("X-User-Role" = Role, description = "What they may do"),
        ("X-User-Status" = Status, description = "Whether they may write"),
    )),
))]
pub async fn verify_token(
    PresentedToken(token): PresentedToken,
    State(app): State<App>,
) -> Result<CachedVerdict, Error> {
    introspect(&app, &app.verdicts, &token).await
}

/// The public keys of access tokens, as a JWK Set (RFC 7517)
#[utoipa::path(get, path = "/.well-known/jwks.json", tag = "auth", security(()), responses(
    (status = 200, body = Object, description = "May be kept for 5 minutes; ask again for a `kid` that is not in it"),
))]
pub async fn get_keys(State(app): State<App>) -> impl IntoResponse {
    ([(header::CACHE_CONTROL, KEYS_KEPT)], Json::<JwkSet>(app.tokens.published.clone()))
}
