//! The routes of people's data.
use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use tokio::sync::mpsc;

use super::models::ErasureProgress;
use super::services;
use crate::core::api::errors::{Error, Problem};
use crate::core::app::App;
use crate::core::app::identity::User;
use crate::core::contract::extract::Path;
use crate::core::doors::callers::Operator;

/// Pieces of an export that wait for a slow reader.
const AHEAD: usize = 4;

/// Export the caller's personal data as one JSON document
#[utoipa::path(get, path = "/users/me/export", tag = "user", responses(
    (status = 200, body = serde_json::Value, description = "`services`, by service and kind"),
    (status = 503, body = Problem, description = "A service is away"),
))]
pub async fn export_user(user: User, State(app): State<App>) -> Result<Response, Error> {
    let sources = services::load_sources(&app).await.map_err(|error| {
        tracing::warn!(error = format!("{error:#}"), "an export could not begin");
        Error::Refused(StatusCode::SERVICE_UNAVAILABLE, "Not all services can be asked at the moment")
    })?;
    let (out, pieces) = mpsc::channel(AHEAD);
    app.tasks.spawn(services::write(app.clone(), user.id, sources, out));
    let pieces =
        futures::stream::unfold(pieces, |mut pieces| async { pieces.recv().await.map(|piece| (piece, pieces)) });
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (header::CONTENT_DISPOSITION, HeaderValue::from_static("attachment; filename=\"export.json\"")),
    ];
    Ok((headers, Body::from_stream(pieces)).into_response())
}

/// The progress of an erasure.
pub async fn get_erasure(
    _: Operator,
    State(app): State<App>,
    Path(person): Path,
) -> Result<Json<ErasureProgress>, Error> {
    let erasure = ErasureProgress::of(&app.db, person).await?;
    erasure.map(Json).ok_or(Error::Refused(StatusCode::NOT_FOUND, "No such erasure"))
}
