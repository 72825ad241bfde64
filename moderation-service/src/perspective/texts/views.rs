//! The route of the platform's own services.
use axum::extract::State;
use axum::{Extension, Json};

use super::schemas::{TextsIn, TextsOut};
use super::{TextAnalysis, services};
use crate::core::api::errors::{Error, Problem};
use crate::core::app::App;
use crate::core::contract::extract::Json as Body;
use crate::core::doors::callers::Operator;

/// Read texts as moderation would once they are published, as another service of the platform
#[utoipa::path(post, path = "/analyze", tag = "moderation", security(("service" = [])), request_body = TextsIn, responses(
    (status = 200, body = TextsOut),
    (status = 401, body = Problem, description = "No token"),
    (status = 403, body = Problem, description = "Not the service token"),
    (status = 503, body = Problem, description = "The model is off, or has more to read than it can"),
))]
pub async fn analyze_texts(
    _: Operator,
    State(app): State<App>,
    Extension(analysis): Extension<TextAnalysis>,
    Body(texts): Body<TextsIn>,
) -> Result<Json<TextsOut>, Error> {
    Ok(Json(services::analyze(&app.db, &analysis, texts).await?))
}
