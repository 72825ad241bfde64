//! Sessions in the API: how tokens come in and go out, and what a person sees of their sessions.
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::header;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::cookies::{self, REFRESH_COOKIE, check_origin};
use super::models::{Device, Session};
use crate::app::App;
use crate::core::api::errors::Error;
use crate::core::contract::extract::Json;
use crate::core::contract::fields::{Fields, Input};
use crate::core::contract::timestamp::Timestamp;
use crate::core::doors::client_ip::Client;
use crate::users::schemas::UserOut;

/// The longest name of a device that is kept, in characters.
const DEVICE: usize = 200;
/// The longest refresh token that is looked up, in characters; ours have 43.
const SECRET: usize = 128;

impl FromRequestParts<App> for Device {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Error> {
        let name = parts.headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok());
        let name = name.map(|name| name.chars().take(DEVICE).collect()).filter(|name: &String| !name.is_empty());
        Ok(Self { name, address_prefix: Client::current().map(Client::network) })
    }
}

/// How tokens reach the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenTransport {
    /// In the body of the answer.
    Body,
    /// As cookies, for a browser where the settings say so. A browser is known by headers that no script can set or
    /// remove, so a script cannot ask for the tokens either.
    Cookies,
}

impl FromRequestParts<App> for TokenTransport {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Error> {
        let settings = &app.tokens.settings;
        let is_browser = ["sec-fetch-site", "origin"].iter().any(|name| parts.headers.contains_key(*name));
        if !(settings.token_cookies && is_browser) {
            return Ok(Self::Body);
        }
        // Another site must not sign a user in as another one either.
        check_origin(&parts.headers, settings)?;
        Ok(Self::Cookies)
    }
}

/// A session that is to go on
#[derive(ToSchema)]
#[schema(examples(json!({ "refresh_token": "from-the-last-answer" })))]
pub struct RefreshIn {
    /// The refresh token that was given last
    pub refresh_token: String,
}

impl Input for RefreshIn {
    fn read(fields: &mut Fields) -> Self {
        Self { refresh_token: fields.text("refresh_token", SECRET) }
    }
}

/// A refresh token, from its cookie or from the body.
pub struct PresentedRefreshToken(pub String);

impl FromRequest<App> for PresentedRefreshToken {
    type Rejection = Response;

    async fn from_request(request: Request, app: &App) -> Result<Self, Response> {
        let (parts, body) = request.into_parts();
        let cookie = cookies::read(&parts, &app.tokens.settings, app.settings.environment, REFRESH_COOKIE)
            .map_err(IntoResponse::into_response)?;
        if let Some(secret) = cookie {
            return Ok(Self(secret));
        }
        let Json(input) = Json::<RefreshIn>::from_request(Request::from_parts(parts, body), app).await?;
        Ok(Self(input.refresh_token))
    }
}

/// The tokens of a session
#[derive(Serialize, ToSchema)]
#[schema(as = Token)]
pub struct TokenPair {
    pub access_token: String,
    #[schema(value_type = String, examples("bearer"))]
    pub token_type: &'static str,
    /// After how many seconds the access token ends
    pub expires_in: i64,
    /// What /auth/refresh takes for the next tokens; good once, within 14 days
    pub refresh_token: String,
}

/// That the tokens of a session were set as cookies
#[derive(Serialize, ToSchema)]
pub struct TokenInCookies {
    #[schema(value_type = String, examples("cookie"))]
    pub token_type: &'static str,
    /// After how many seconds the access token ends
    pub expires_in: i64,
}

/// Where a person is signed in
#[derive(Serialize, ToSchema)]
pub struct SessionOut {
    pub id: Uuid,
    /// What the device said of itself at the sign-in (User-Agent), at most 200 characters
    pub device: Option<String>,
    /// The network that it was last used from; the address itself is not kept
    #[schema(examples("192.0.2.0/24"))]
    pub address_prefix: Option<String>,
    pub created_at: Timestamp,
    /// When its tokens were last renewed; exact to the life of an access token
    pub last_used_at: Timestamp,
    /// When it ends, however often it is used
    pub expires_at: Timestamp,
    /// Whether it is the one that asks
    pub current: bool,
}

impl SessionOut {
    /// A session as that session sees it.
    pub fn seen_from(session: Session, current: Option<Uuid>) -> Self {
        Self {
            current: current == Some(session.id),
            id: session.id,
            device: session.device,
            address_prefix: session.address_prefix,
            created_at: session.created_at,
            last_used_at: session.last_used_at,
            expires_at: session.expires_at,
        }
    }
}

/// The caller's account, as other services need it
#[derive(Serialize, ToSchema)]
pub struct VerifiedUser {
    #[serde(flatten)]
    pub user: UserOut,
    /// How many people they are connected to
    pub total_connections: i64,
    /// The session that the token belongs to; null for a token of the original
    pub session_id: Option<Uuid>,
    /// When the token ends; null for a token of the original without an end
    pub expires_at: Option<Timestamp>,
}
