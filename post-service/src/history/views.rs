//! The route of histories.
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;

use super::models::PostVersion;
use super::schemas::PostVersionOut;
use crate::core::api::errors::{Error, Problem};
use crate::core::api::pagination::Page;
use crate::core::app::App;
use crate::core::app::identity::{Role, User};
use crate::core::contract::extract::Path;
use crate::posts::models::Post;

/// List what a post said before it was edited, the last version first
///
/// What was replaced within a minute is listed to its author and to moderators alone, since moderation may not have read it.
#[utoipa::path(get, path = "/posts/{post_id}/history", tag = "post", params(
    ("post_id" = uuid::Uuid, Path),
    ("limit" = Option<i64>, Query, description = "Items on a page, 1 to 200; 50 when not given"),
    ("cursor" = Option<String>, Query, description = "From the Link header of the page before"),
), responses(
    (status = 200, body = Vec<PostVersionOut>),
    (status = 304, description = "The reader has it, as `If-None-Match` says"),
    (status = 404, body = Problem),
    (status = 422, body = Problem),
))]
pub async fn get_history(user: User, State(app): State<App>, Path(id): Path, page: Page) -> Result<Response, Error> {
    let post = Post::find_visible(&app.db, id, user.id).await?;
    let post = post.ok_or(Error::Refused(StatusCode::NOT_FOUND, "Post object not found"))?;
    let with_brief = post.created_by == user.id || user.role >= Role::Moderator;
    let versions = PostVersion::list(&app.db, id, with_brief, page.before, page.rows()).await?;
    let versions: Vec<PostVersionOut> = versions.into_iter().map(PostVersionOut::from).collect();
    Ok(page.answer(versions, |version| (version.replaced_at, version.id)))
}
