//! The route of drafts.
use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::response::Response;

use super::models;
use crate::core::api::errors::Error;
use crate::core::api::pagination::Page;
use crate::core::app::App;
use crate::core::app::identity::User;
use crate::media::library::MediaLibrary;
use crate::posts::schemas::PostOut;
use crate::posts::shown;

/// List the caller's drafts, the last first; those that will be published have `publish_at`
#[utoipa::path(get, path = "/me/drafts", tag = "post", params(
    ("limit" = Option<i64>, Query, description = "Items on a page, 1 to 200; 50 when not given"),
    ("cursor" = Option<String>, Query, description = "From the Link header of the page before"),
), responses(
    (status = 200, body = Vec<PostOut>),
    (status = 304, description = "The reader has it, as `If-None-Match` says"),
))]
pub async fn list_drafts(
    user: User,
    State(app): State<App>,
    Extension(library): Extension<Arc<MediaLibrary>>,
    page: Page,
) -> Result<Response, Error> {
    let drafts = models::list_drafts(&app.db, user.id, page.before, page.rows()).await?;
    let drafts = shown::to_reader(&mut *app.db.acquire().await?, &library.urls, drafts).await?;
    Ok(page.answer(drafts, |post| (post.created_at, post.id)))
}
