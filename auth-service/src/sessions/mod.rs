//! Sessions: what a sign-in begins on one device, what goes on by refresh tokens, and what can be ended from elsewhere.
//!
//! An access token lives for minutes and names its session, so ending the session ends the token. A refresh token is 256
//! random bits, stored as SHA-256 and good for one exchange, which gives the next one: the tokens of a session are a
//! family. One that comes back long after its exchange means that two have it, the person and a thief, and nobody can tell
//! who asks: the session ends for both (RFC 9700, section 4.14.2). One that comes back at once is the same request again, of
//! a client whose connection broke, or another window of one browser, and gets the same answer ([`succession`]).
pub mod authentication;
mod cookies;
pub mod events;
pub mod introspection;
mod known_devices;
pub mod models;
pub mod schedulers;
pub mod schemas;
pub mod services;
pub mod signals;
mod succession;
mod views;

#[cfg(test)]
mod tests;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;

/// Why a session was ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Reason {
    /// On the device itself.
    SignedOut,
    /// On all devices at once.
    SignedOutEverywhere,
    /// From another device.
    Revoked,
    PasswordChanged,
    PasswordReset,
    /// A refresh token came back that had been exchanged before.
    Replayed,
    /// By a moderator.
    Banned,
}

impl Reason {
    /// The word of the event and of the audit.
    pub fn word(self) -> &'static str {
        match self {
            Self::SignedOut => "SIGNED_OUT",
            Self::SignedOutEverywhere => "SIGNED_OUT_EVERYWHERE",
            Self::Revoked => "REVOKED",
            Self::PasswordChanged => "PASSWORD_CHANGED",
            Self::PasswordReset => "PASSWORD_RESET",
            Self::Replayed => "REPLAYED",
            Self::Banned => "BANNED",
        }
    }

    /// Whether the person did it themselves.
    pub fn is_their_own(self) -> bool {
        !matches!(self, Self::Replayed | Self::Banned)
    }
}

/// The routes of sessions.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(views::verify_token))
        .routes(routes!(views::refresh))
        .routes(routes!(views::sign_out))
        .routes(routes!(views::sign_out_everywhere))
        .routes(routes!(views::get_sessions))
        .routes(routes!(views::revoke_session))
}

/// The routes that are not under /api/v1.
pub fn root() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(views::get_keys))
}
