//! The routes of mutes and hidden posts.
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;

use super::models::{Mute, PostHide};
use super::schemas::MuteOut;
use super::{POST_NOT_FOUND, TARGET_NOT_FOUND};
use crate::core::api::errors::{Error, Problem};
use crate::core::api::pagination::Page;
use crate::core::app::App;
use crate::core::app::identity::User;
use crate::core::contract::extract::Path;
use crate::core::doors::callers::EvenMuted;
use crate::feeds::drops::models::FeedDrop;

/// List the users that the caller has muted, the latest first
#[utoipa::path(get, path = "/me/mutes", tag = "mutes", params(
    ("limit" = Option<i64>, Query, description = "Items on a page, 1 to 200; 50 when not given"),
    ("cursor" = Option<String>, Query, description = "From the Link header of the page before"),
), responses(
    (status = 200, body = Vec<MuteOut>),
))]
pub async fn list_mutes(user: User, State(app): State<App>, page: Page) -> Result<Response, Error> {
    let mutes = Mute::list(&app.db, user.id, page.before, page.rows()).await?;
    let shown = mutes.into_iter().map(MuteOut::from).collect();
    Ok(page.answer(shown, |mute: &MuteOut| (mute.muted_at, mute.user.id)))
}

/// Mute a user: nothing of theirs is in the caller's feeds and notifications, and they do not get to know
#[utoipa::path(post, path = "/me/mutes/{user_id}", tag = "mutes", params(("user_id" = uuid::Uuid, Path)), responses(
    (status = 204),
    (status = 400, body = Problem, description = "The user is the caller"),
    (status = 404, body = Problem),
))]
pub async fn mute_user(
    EvenMuted(user): EvenMuted,
    State(app): State<App>,
    Path(target): Path,
) -> Result<StatusCode, Error> {
    if target == user.id {
        return Err(Error::Refused(StatusCode::BAD_REQUEST, "Can not self mute"));
    }
    let mut tx = app.db.begin().await?;
    if Mute::create(&mut tx, user.id, target).await?.ok_or(TARGET_NOT_FOUND)? {
        FeedDrop::create(&mut tx, &[user.id]).await?;
    }
    app.commit_with_answer(tx).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// End a mute
#[utoipa::path(delete, path = "/me/mutes/{user_id}", tag = "mutes", params(("user_id" = uuid::Uuid, Path)), responses(
    (status = 204, description = "The user is not muted, whether they were or not"),
))]
pub async fn unmute_user(user: User, State(app): State<App>, Path(target): Path) -> Result<StatusCode, Error> {
    let mut tx = app.db.begin().await?;
    if Mute::delete(&mut tx, user.id, target).await? {
        FeedDrop::create(&mut tx, &[user.id]).await?;
    }
    app.commit_with_answer(tx).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Hide a post from the caller's own feeds
#[utoipa::path(post, path = "/posts/{post_id}/hide", tag = "mutes", params(("post_id" = uuid::Uuid, Path)), responses(
    (status = 204),
    (status = 404, body = Problem),
))]
pub async fn hide_post(
    EvenMuted(user): EvenMuted,
    State(app): State<App>,
    Path(post): Path,
) -> Result<StatusCode, Error> {
    let mut tx = app.db.begin().await?;
    PostHide::create(&mut tx, user.id, post).await?.ok_or(POST_NOT_FOUND)?;
    app.commit_with_answer(tx).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Show a hidden post again
#[utoipa::path(delete, path = "/posts/{post_id}/hide", tag = "mutes", params(("post_id" = uuid::Uuid, Path)), responses(
    (status = 204, description = "The post is not hidden from the caller, whether it was or not"),
))]
pub async fn show_post(user: User, State(app): State<App>, Path(post): Path) -> Result<StatusCode, Error> {
    let mut tx = app.db.begin().await?;
    if PostHide::delete(&mut tx, user.id, post).await? {
        FeedDrop::create(&mut tx, &[user.id]).await?;
    }
    app.commit_with_answer(tx).await?;
    Ok(StatusCode::NO_CONTENT)
}
