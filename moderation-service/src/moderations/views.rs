//! The routes of moderations.
use axum::extract::State;
use axum::response::Response;

use super::models::Moderation;
use super::schemas::ModerationOut;
use crate::core::api::errors::Error;
use crate::core::api::pagination::Page;
use crate::core::app::App;
use crate::core::app::identity::User;

/// List the decisions about the caller's posts and comments, newest first
#[utoipa::path(get, path = "/me/moderations", tag = "moderation", params(
    ("limit" = Option<i64>, Query, description = "Items on a page, 1 to 200; 50 when not given"),
    ("cursor" = Option<String>, Query, description = "From the Link header of the page before"),
), responses(
    (status = 200, body = Vec<ModerationOut>),
))]
pub async fn get_my_moderations(user: User, State(app): State<App>, page: Page) -> Result<Response, Error> {
    let cases = Moderation::list(&app.db, user.id, page.before, page.rows()).await?;
    let cases: Vec<ModerationOut> = cases.into_iter().map(ModerationOut::from).collect();
    Ok(page.answer(cases, |case| (case.created_at, case.id)))
}
