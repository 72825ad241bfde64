//! The routes of blocks.
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use chrono::Utc;

use super::models::Block;
use super::schemas::BlockOut;
use crate::app::App;
use crate::connections::models::Pair;
use crate::connections::signals;
use crate::core::api::errors::{Error, Problem};
use crate::core::api::pagination::Page;
use crate::core::app::identity::User;
use crate::core::contract::extract::Path;
use crate::core::doors::callers::EvenMuted;
use crate::profiles::models::{Profile, begin_snapshot};

/// List the caller's blocks, the latest first
#[utoipa::path(get, path = "/users/me/blocks", tag = "user", params(
    ("limit" = Option<i64>, Query, description = "Items on a page, 1 to 200; 50 when not given"),
    ("cursor" = Option<String>, Query, description = "From the Link header of the page before"),
), responses(
    (status = 200, body = Vec<BlockOut>),
))]
pub async fn list_blocks(user: User, State(app): State<App>, page: Page) -> Result<Response, Error> {
    let mut tx = begin_snapshot(&app.db).await?;
    let blocks = Block::list(&mut *tx, user.id, page.before, page.rows()).await?;
    let ids: Vec<_> = blocks.iter().map(|block| block.target_id).collect();
    let profiles = Profile::load(&mut *tx, user.id, &ids).await?;
    let people = BlockOut::list(&blocks, &profiles, Utc::now().date_naive());
    Ok(page.answer(people, |person| (person.blocked_at, person.profile.user.id)))
}

/// Block a user: it ends the connections between the two and hides the caller from them
#[utoipa::path(post, path = "/users/{user_id}/block", tag = "user", params(("user_id" = uuid::Uuid, Path)), responses(
    (status = 204),
    (status = 400, body = Problem, description = "The user is the caller"),
    (status = 404, body = Problem),
    (status = 422, body = Problem),
))]
pub async fn block_user(
    EvenMuted(user): EvenMuted,
    State(app): State<App>,
    Path(target): Path,
) -> Result<StatusCode, Error> {
    if target == user.id {
        return Err(Error::Refused(StatusCode::BAD_REQUEST, "Can not self block"));
    }
    let mut tx = app.db.begin().await?;
    let pair = Pair::lock(&mut tx, user.id, target).await??;
    if let Some(block) = Block::create(&mut tx, user.id, target).await? {
        let ended = pair.disconnect_both(&mut tx).await?;
        signals::disconnected(&mut tx, &ended).await?;
        signals::blocked(&mut tx, block).await?;
    }
    app.commit_with_answer(tx).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// End a block; it brings no connection back
#[utoipa::path(delete, path = "/users/{user_id}/block", tag = "user", params(("user_id" = uuid::Uuid, Path)), responses(
    (status = 204),
    (status = 404, body = Problem),
    (status = 422, body = Problem),
))]
pub async fn unblock_user(user: User, State(app): State<App>, Path(target): Path) -> Result<StatusCode, Error> {
    let mut tx = app.db.begin().await?;
    Pair::lock(&mut tx, user.id, target).await??;
    if let Some(block) = Block::delete(&mut tx, user.id, target).await? {
        signals::unblocked(&mut tx, block).await?;
    }
    app.commit_with_answer(tx).await?;
    Ok(StatusCode::NO_CONTENT)
}
