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
    /// Takes back a change of an account's address or password.
    Undo,
}

impl Purpose {
    /// How long a token is good, in seconds. A reset has the original's 300. A mail of verification may wait over a holiday;
    /// not longer, since a mailbox gets another owner at times. A change can be taken back as long as its address is kept
    /// (`UNDO_HOURS`).
    pub fn lifetime(self) -> f64 {
        match self {
            Self::Activation => 7.0 * 86_400.0,
            Self::PasswordReset => 300.0,
            Self::Undo => 72.0 * 3_600.0,
        }
    }
}

/// The routes of tokens.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(views::get_tokens))
}
