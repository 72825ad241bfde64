//! Ways in: signing up, signing in, and what to do about a password.
mod models;
pub mod schedulers;
mod schemas;
mod views;

#[cfg(test)]
mod tests;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::core::App;

/// The routes of signing up and in.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(views::sign_up))
        .routes(routes!(views::sign_in))
        .routes(routes!(views::generate_token))
        .routes(routes!(views::verify_token))
        .routes(routes!(views::change_password))
        .routes(routes!(views::forgot_password))
        .routes(routes!(views::reset_password))
        .routes(routes!(views::activate_user))
}
