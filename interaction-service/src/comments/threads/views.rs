//! The route of the replies in a thread.
use axum::extract::State;
use axum::response::Response;

use super::models::Thread;
use super::services::tallied;
use crate::app::App;
use crate::comments::NOT_FOUND;
use crate::comments::models::Comment;
use crate::comments::schemas::CommentOut;
use crate::core::api::errors::{Error, Problem};
use crate::core::api::pagination::Page;
use crate::core::app::identity::User;
use crate::core::contract::extract::Path;

/// List the replies to a comment, newest first; of a content of more than 500 characters the beginning
#[utoipa::path(get, path = "/comments/{comment_id}/replies", tag = "comment", params(
    ("comment_id" = uuid::Uuid, Path),
    ("limit" = Option<i64>, Query, description = "Items on a page, 1 to 200; 50 when not given"),
    ("cursor" = Option<String>, Query, description = "From the Link header of the page before"),
), responses(
    (status = 200, body = Vec<CommentOut>),
    (status = 404, body = Problem),
    (status = 422, body = Problem),
))]
pub async fn list_replies(user: User, State(app): State<App>, Path(id): Path, page: Page) -> Result<Response, Error> {
    let comment = Comment::find_visible(&app.db, id, user.id).await?.ok_or(NOT_FOUND)?;
    let replies = Thread { id: comment.id }.list_replies(&app.db, user.id, page.before, page.rows()).await?;
    let replies: Vec<CommentOut> = tallied(&app.db, replies, user.id).await?;
    Ok(page.answer(replies, |reply| (reply.created_at, reply.id)))
}
