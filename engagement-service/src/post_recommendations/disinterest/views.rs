//! The routes of what users are not interested in.
use axum::extract::State;
use axum::http::StatusCode;

use super::models::Disinterest;
use super::{POST_NOT_FOUND, signals};
use crate::core::api::errors::{Error, Problem};
use crate::core::app::App;
use crate::core::app::identity::User;
use crate::core::contract::extract::Path;
use crate::core::doors::callers::EvenMuted;

/// Say that the caller is not interested in a post: it is recommended to them no more, and its author and posts like it are less
#[utoipa::path(post, path = "/me/recommendations/posts/{post_id}/not-interested", tag = "recommendations",
    params(("post_id" = uuid::Uuid, Path)), responses(
    (status = 204),
    (status = 404, body = Problem),
))]
pub async fn refuse_post(
    EvenMuted(user): EvenMuted,
    State(app): State<App>,
    Path(post): Path,
) -> Result<StatusCode, Error> {
    let mut tx = app.db.begin().await?;
    if Disinterest::create(&mut tx, user.id, post).await?.ok_or(POST_NOT_FOUND)? {
        signals::changed(&mut tx, user.id).await?;
    }
    app.commit_with_answer(tx).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Take back that the caller is not interested in a post
#[utoipa::path(delete, path = "/me/recommendations/posts/{post_id}/not-interested", tag = "recommendations",
    params(("post_id" = uuid::Uuid, Path)), responses(
    (status = 204, description = "The post may be recommended again, whether it was refused or not"),
))]
pub async fn take_back_refusal(user: User, State(app): State<App>, Path(post): Path) -> Result<StatusCode, Error> {
    let mut tx = app.db.begin().await?;
    if Disinterest::delete(&mut tx, user.id, post).await? {
        signals::changed(&mut tx, user.id).await?;
    }
    app.commit_with_answer(tx).await?;
    Ok(StatusCode::NO_CONTENT)
}
