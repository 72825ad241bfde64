//! The routes of the blocklist of pictures.
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use axum::{Extension, Json};

use super::models::BlockedPicture;
use super::schemas::{BlockedPictureIn, BlockedPictureOut};
use super::services::PictureSettings;
use super::signals;
use crate::core::api::errors::{Error, Problem};
use crate::core::api::pagination::Page;
use crate::core::app::App;
use crate::core::contract::extract::{Json as Body, Path};
use crate::core::doors::audit::{self, Entry};
use crate::subjects::staff::Admin;

/// List the pictures whose copies are recognised, newest first
#[utoipa::path(get, path = "/moderation/pictures/blocked", tag = "policies", params(
    ("limit" = Option<i64>, Query, description = "Items on a page, 1 to 200; 50 when not given"),
    ("cursor" = Option<String>, Query, description = "From the Link header of the page before"),
), responses(
    (status = 200, body = Vec<BlockedPictureOut>),
    (status = 403, body = Problem, description = "Not an administrator"),
))]
pub async fn list_blocked_pictures(_: Admin, State(app): State<App>, page: Page) -> Result<Response, Error> {
    let blocked = BlockedPicture::list(&app.db, page.before, page.rows()).await?;
    let blocked: Vec<BlockedPictureOut> = blocked.into_iter().map(BlockedPictureOut::from).collect();
    Ok(page.answer(blocked, |entry| (entry.created_at, entry.id)))
}

/// Let the copies of a picture be recognised, those that are there already among them
///
/// By its perceptual hash, or as a picture of the platform. What follows for a copy is a matter of policies; the default hides it.
#[utoipa::path(post, path = "/moderation/pictures/blocked", tag = "policies", request_body = BlockedPictureIn, responses(
    (status = 201, body = BlockedPictureOut),
    (status = 403, body = Problem, description = "Not an administrator"),
    (status = 404, body = Problem, description = "There is no such picture"),
    (status = 409, body = Problem, description = "The picture is blocked"),
))]
pub async fn block_picture(
    Admin(user): Admin,
    State(app): State<App>,
    Extension(settings): Extension<PictureSettings>,
    Body(body): Body<BlockedPictureIn>,
) -> Result<(StatusCode, Json<BlockedPictureOut>), Error> {
    let mut tx = app.db.begin().await?;
    let blocked = signals::block(&mut tx, settings, &body, user.id).await?;
    let entry = Entry {
        who: Some(user.id),
        action: "picture_blocked",
        target: Some(blocked.id),
        result: blocked.reason.word(),
    };
    audit::record(&mut *tx, entry).await?;
    app.commit_with_answer(tx).await?;
    Ok((StatusCode::CREATED, Json(blocked.into())))
}

/// Recognise the copies of a picture no more; what was decided about them by that ends
#[utoipa::path(delete, path = "/moderation/pictures/blocked/{id}", tag = "policies", params(
    ("id" = uuid::Uuid, Path, description = "The entry of the blocklist"),
), responses(
    (status = 204),
    (status = 403, body = Problem, description = "Not an administrator"),
    (status = 404, body = Problem, description = "There is no such entry"),
))]
pub async fn unblock_picture(
    Admin(user): Admin,
    State(app): State<App>,
    Extension(settings): Extension<PictureSettings>,
    Path(id): Path,
) -> Result<StatusCode, Error> {
    let mut tx = app.db.begin().await?;
    signals::unblock(&mut tx, settings, id).await?;
    let entry = Entry { who: Some(user.id), action: "picture_unblocked", target: Some(id), result: "deleted" };
    audit::record(&mut *tx, entry).await?;
    app.commit(tx).await?;
    Ok(StatusCode::NO_CONTENT)
}
