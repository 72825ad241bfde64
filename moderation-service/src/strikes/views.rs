//! The route of strikes.
use axum::Json;
use axum::extract::State;
use chrono::Utc;

use super::models::{Strike, sum};
use super::schemas::StrikesOut;
use crate::core::api::errors::{Error, Problem};
use crate::core::app::App;
use crate::core::contract::extract::Path;
use crate::subjects::staff::Moderator;

/// Read the strikes of a user
#[utoipa::path(get, path = "/moderation/users/{id}/strikes", tag = "moderation", params(
    ("id" = Uuid, Path, description = "The user"),
), responses(
    (status = 200, body = StrikesOut),
    (status = 403, body = Problem, description = "Not a moderator"),
))]
pub async fn get_strikes(_: Moderator, State(app): State<App>, Path(id): Path) -> Result<Json<StrikesOut>, Error> {
    let (sum, strikes) = (sum(&app.db, id, Utc::now().into()).await?, Strike::list(&app.db, id).await?);
    Ok(Json(StrikesOut { user_id: id, sum, strikes: strikes.into_iter().map(Into::into).collect() }))
}
