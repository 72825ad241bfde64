//! Tokens that go by mail: one that comes back proves that its user reads the mails of an address. Each is 256 random bits,
//! good for one use and one purpose; the database holds only their SHA-256, so that a reader of the database can use none.
pub mod models;
mod schemas;
pub mod services;
mod views;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;

/// What a token is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Purpose {
    /// Verifies an address.
    Activation,
    /// Sets a password.
    PasswordReset,
}

impl Purpose {
    /// How long a token is good, in seconds; the original's 300 for a reset. An activation has no end, since there is no way
    /// to ask for another one.
    pub fn lifetime(self) -> Option<f64> {
        match self {
            Self::Activation => None,
            Self::PasswordReset => Some(300.0),
        }
    }
}

/// The routes of tokens.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(views::get_tokens))
}
