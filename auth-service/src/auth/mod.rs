//! Ways in: signing up, signing in, and what to do about a password.
mod forms;
mod models;
pub mod schedulers;
mod schemas;
mod views;

#[cfg(test)]
mod tests;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::core::app::limits::Limit;
use crate::core::ground::settings::Rate;

/// How often sign-ins may be tried from one address.
pub const SIGN_IN_LIMIT: Limit = Limit {
    name: "sign_in",
    routes: &["POST /api/v1/auth/signin", "POST /api/v1/auth/token"],
    rate: Rate::new(5, 60).burst(10),
    burst_in_development: None,
    strict: true,
};

/// How often sign-ups are accepted from one address.
pub const SIGN_UP_LIMIT: Limit = Limit {
    name: "sign_up",
    routes: &["POST /api/v1/auth/signup"],
    rate: Rate::new(3, 3600),
    burst_in_development: Some(20),
    strict: true,
};

/// How often mails may be asked for from one address; who may be mailed how often is decided by account and mailbox.
pub const FORGOT_PASSWORD_LIMIT: Limit = Limit {
    name: "forgot_password",
    routes: &["POST /api/v1/auth/forgot-password", "POST /api/v1/auth/resend-verification"],
    rate: Rate::new(20, 3600),
    burst_in_development: None,
    strict: true,
};

/// How often a password change, or a token that was mailed, may be tried from one address.
pub const NEW_PASSWORD_LIMIT: Limit = Limit {
    name: "new_password",
    routes: &[
        "POST /api/v1/auth/change-password",
        "POST /api/v1/auth/reset-password",
        "POST /api/v1/auth/undo-change",
        "POST /api/v1/users/activate",
    ],
    rate: Rate::new(5, 60).burst(10),
    burst_in_development: None,
    strict: true,
};

/// The routes of signing up and in.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(views::sign_up))
        .routes(routes!(views::sign_in))
        .routes(routes!(views::generate_token))
        .routes(routes!(views::change_password))
        .routes(routes!(views::forgot_password))
        .routes(routes!(views::resend_verification))
        .routes(routes!(views::reset_password))
        .routes(routes!(views::activate_user))
}
