//! The route of the backfill.
use axum::Json;
use axum::extract::State;

use super::models::Progress;
use crate::core::api::errors::Error;
use crate::core::app::App;
use crate::core::doors::callers::Operator;

/// How far each source was copied.
pub async fn show_rebuild(_: Operator, State(app): State<App>) -> Result<Json<Vec<Progress>>, Error> {
    Ok(Json(Progress::list(&app.db).await?))
}
