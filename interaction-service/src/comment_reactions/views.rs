//! The routes of reactions to comments.
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;

use super::models::{CommentReaction, LockedComment};
use super::schemas::{CommentReactionIn, CommentReactionOut};
use super::signals;
use crate::app::App;
use crate::comments::NOT_FOUND as COMMENT_NOT_FOUND;
use crate::comments::models::Comment;
use crate::core::api::errors::{Error, Problem};
use crate::core::api::pagination::Page;
use crate::core::app::identity::User;
use crate::core::contract::extract::{Json as Body, Path};
use crate::reactions::Type;

const NOT_FOUND: Error = Error::Refused(StatusCode::NOT_FOUND, "Comment reaction not found");

/// List the reactions to a comment, newest first
#[utoipa::path(get, path = "/comments/{comment_id}/reactions", tag = "reaction", params(
    ("comment_id" = uuid::Uuid, Path),
    ("limit" = Option<i64>, Query, description = "Items on a page, 1 to 200; 50 when not given"),
    ("cursor" = Option<String>, Query, description = "From the Link header of the page before"),
), responses(
    (status = 200, body = Vec<CommentReactionOut>),
    (status = 404, body = Problem),
    (status = 422, body = Problem),
))]
pub async fn list_comment_reactions(
    user: User,
    State(app): State<App>,
    Path(id): Path,
    page: Page,
) -> Result<Response, Error> {
    let comment = Comment::find_visible(&app.db, id, user.id).await?.ok_or(COMMENT_NOT_FOUND)?;
    let reactions = CommentReaction::list(&app.db, comment.id, user.id, page.before, page.rows()).await?;
    let reactions: Vec<CommentReactionOut> = reactions.into_iter().map(CommentReactionOut::from).collect();
    Ok(page.answer(reactions, |reaction| (reaction.created_at, reaction.id)))
}

/// React to a comment, or change the caller's reaction to it
#[utoipa::path(put, path = "/comments/{comment_id}/reactions", tag = "reaction", params(
    ("comment_id" = uuid::Uuid, Path),
), request_body = CommentReactionIn, responses(
    (status = 200, body = CommentReactionOut),
    (status = 404, body = Problem),
))]
pub async fn put_comment_reaction(
    user: User,
    State(app): State<App>,
    Path(id): Path,
    Body(reaction): Body<CommentReactionIn>,
) -> Result<Json<CommentReactionOut>, Error> {
    let mut tx = app.db.begin().await?;
    let comment = LockedComment::find(&mut tx, id, user.id).await?.ok_or(COMMENT_NOT_FOUND)?;
    let kind = reaction.r#type.unwrap_or(Type::Like);
    let reaction = match CommentReaction::save(&mut tx, &comment, user.id, kind).await? {
        Some(saved) => {
            signals::saved(&mut tx, &saved).await?;
            saved
        }
        None => CommentReaction::find(&mut *tx, id, user.id).await?.ok_or(NOT_FOUND)?,
    };
    app.commit_with_answer(tx).await?;
    Ok(Json(reaction.into()))
}

/// Take the caller's reaction to a comment back
#[utoipa::path(delete, path = "/comments/{comment_id}/reactions", tag = "reaction", params(
    ("comment_id" = uuid::Uuid, Path),
), responses(
    (status = 204),
    (status = 404, body = Problem),
    (status = 422, body = Problem),
))]
pub async fn delete_comment_reaction(user: User, State(app): State<App>, Path(id): Path) -> Result<StatusCode, Error> {
    let mut tx = app.db.begin().await?;
    let reaction = CommentReaction::delete(&mut tx, id, user.id).await?.ok_or(NOT_FOUND)?;
    signals::deleted(&mut tx, &reaction).await?;
    app.commit_with_answer(tx).await?;
    Ok(StatusCode::NO_CONTENT)
}
