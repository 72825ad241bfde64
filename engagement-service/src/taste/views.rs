//! The routes of tastes.
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;

use super::models::Taste;
use super::schemas::{TasteIn, TasteOut, TopItemOut, TopKind};
use super::{NO_TASTE, NO_TOP_ITEMS, signals};
use crate::core::api::errors::{Error, Problem};
use crate::core::api::pagination::{DEFAULT_LIMIT, MAX_LIMIT};
use crate::core::app::App;
use crate::core::app::identity::User;
use crate::core::contract::extract::{self, Path, Query};
use crate::core::doors::callers::EvenMuted;

/// Read what is known of what the caller listens to, and whether others see it
#[utoipa::path(get, path = "/me/taste", tag = "taste", responses((status = 200, body = TasteOut)))]
pub async fn retrieve_taste(user: User, State(app): State<App>) -> Result<Json<TasteOut>, Error> {
    Ok(Json(Taste::find(&app.db, user.id).await?.into()))
}

/// Share what the caller listens to, or keep it to themselves
#[utoipa::path(patch, path = "/me/taste", tag = "taste", request_body = TasteIn, responses(
    (status = 200, body = TasteOut),
    (status = 404, body = Problem, description = "No account is linked that says what the caller listens to"),
    (status = 422, body = Problem),
))]
pub async fn update_taste(
    EvenMuted(user): EvenMuted,
    State(app): State<App>,
    extract::Json(change): extract::Json<TasteIn>,
) -> Result<Json<TasteOut>, Error> {
    let mut tx = app.db.begin().await?;
    if !signals::shared(&mut tx, user.id, change.shared).await? {
        return Err(NO_TASTE);
    }
    let taste = Taste::find(&mut *tx, user.id).await?;
    app.commit_with_answer(tx).await?;
    Ok(Json(taste.into()))
}

/// Forget what the caller listens to
///
/// It is not fetched again until the account is linked again.
#[utoipa::path(delete, path = "/me/taste", tag = "taste", responses(
    (status = 204, description = "Nothing is known, whether it was or not"),
))]
pub async fn forget_taste(user: User, State(app): State<App>) -> Result<StatusCode, Error> {
    let mut tx = app.db.begin().await?;
    signals::forgotten(&mut tx, user.id).await?;
    app.commit_with_answer(tx).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// List what a user listens to most, as far as they share it
#[utoipa::path(get, path = "/users/{user_id}/top-items", tag = "taste", params(
    ("user_id" = uuid::Uuid, Path),
    ("kind" = Option<String>, Query, description = "tracks, artists or genres; artists when not given",
        pattern = "^(tracks|artists|genres)$", max_length = 7, example = "artists"),
    ("limit" = Option<i64>, Query, description = "Items at most, 1 to 200; 50 when not given"),
), responses(
    (status = 200, body = Vec<TopItemOut>, description = "The weightiest first"),
    (status = 404, body = Problem, description = "No such user for the caller, nothing is known, or they do not share it"),
    (status = 422, body = Problem),
))]
pub async fn list_top_items(
    user: User,
    State(app): State<App>,
    Path(person): Path,
    mut query: Query,
) -> Result<Json<Vec<TopItemOut>>, Error> {
    let kind = TopKind::read(&mut query);
    let limit = query.integer("limit", 1, MAX_LIMIT).unwrap_or(DEFAULT_LIMIT);
    query.check()?;
    let items = kind.of(Taste::find_shown(&app.db, user.id, person).await?.ok_or(NO_TOP_ITEMS)?);
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    Ok(Json(items.into_iter().take(limit).map(TopItemOut::from).collect()))
}
