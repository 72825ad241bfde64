//! The routes of tokens.
use axum::extract::State;
use axum::response::Response;

use super::models::UserToken;
use super::schemas::UserTokenOut;
use crate::app::App;
use crate::core::api::errors::Error;
use crate::core::api::pagination::Page;
use crate::core::app::identity::User;

/// List the caller's mailed tokens that were not used, newest first
#[utoipa::path(get, path = "/auth/all-tokens", tag = "auth", params(
    ("limit" = Option<i64>, Query, description = "Items on a page, 1 to 200; 50 when not given"),
    ("cursor" = Option<String>, Query, description = "From the Link header of the page before"),
), responses(
    (status = 200, body = Vec<UserTokenOut>),
))]
pub async fn get_tokens(user: User, State(app): State<App>, page: Page) -> Result<Response, Error> {
    let tokens = UserToken::list(&app.db, user.id, page.before, page.rows()).await?;
    let tokens: Vec<UserTokenOut> = tokens.into_iter().map(UserTokenOut::from).collect();
    Ok(page.answer(tokens, |token| (token.created_at, token.id)))
}
