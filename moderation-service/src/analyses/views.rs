//! The route of analyses.
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;

use super::models::StoredAnalysis;
use super::schemas::AnalysisOut;
use crate::core::api::errors::{Error, Problem};
use crate::core::app::App;
use crate::core::contract::extract::Path;
use crate::subjects::staff::Moderator;

const NO_ANALYSIS: Error = Error::Refused(StatusCode::NOT_FOUND, "Analysis not found");

/// Read an analysis: scores, signals, and the rules that judged them
#[utoipa::path(get, path = "/moderation/analyses/{id}", tag = "policies", params(
    ("id" = uuid::Uuid, Path, description = "The analysis that a decision or a flag names"),
), responses(
    (status = 200, body = AnalysisOut),
    (status = 404, body = Problem, description = "There is no such analysis"),
))]
pub async fn get_analysis(_: Moderator, State(app): State<App>, Path(id): Path) -> Result<Json<AnalysisOut>, Error> {
    let analysis = StoredAnalysis::find(&app.db, id).await?.ok_or(NO_ANALYSIS)?;
    Ok(Json(analysis.into()))
}
