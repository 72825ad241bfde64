//! The routes of strikes.
use axum::extract::State;
use axum::{Extension, Json};
use chrono::Utc;

use super::models::{Strike, SumCount, sum};
use super::schemas::{StrikeHistogramOut, StrikesOut};
use super::services::Ladder;
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

/// Count the users by the sum of their strikes, and those who have reached each rung of the ladder: by this a ladder is tuned
#[utoipa::path(get, path = "/moderation/strikes/histogram", tag = "moderation", responses(
    (status = 200, body = StrikeHistogramOut),
    (status = 403, body = Problem, description = "Not a moderator"),
))]
pub async fn get_strike_histogram(
    _: Moderator,
    State(app): State<App>,
    Extension(ladder): Extension<Ladder>,
) -> Result<Json<StrikeHistogramOut>, Error> {
    let sums = SumCount::list(&app.db, Utc::now().into()).await?;
    Ok(Json(StrikeHistogramOut::new(&ladder, &sums)))
}
