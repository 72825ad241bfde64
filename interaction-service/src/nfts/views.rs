//! The route of NFT records.
use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::models::CommentRecord;
use crate::core::api::errors::{Error, Problem};
use crate::core::app::App;
use crate::core::contract::extract::Path;
use crate::core::doors::callers::Operator;

/// The type of the problem that says that there is no such comment. The post service cancels a minting then, and not at any other 404:
/// of a gateway, of a wrong address, of another service at the same one.
const NO_COMMENT: &str = "urn:problem:comment-not-found";

/// A comment that can be minted.
pub async fn read_record(_: Operator, State(app): State<App>, Path(id): Path) -> Result<Response, Error> {
    if let Some(record) = CommentRecord::find(&app.db, id).await? {
        return Ok(Json(record).into_response());
    }
    let problem =
        Problem { r#type: NO_COMMENT, title: "Not Found", status: 404, detail: json!("Post comment not found") };
    Ok((StatusCode::NOT_FOUND, [(header::CONTENT_TYPE, "application/problem+json")], Json(problem)).into_response())
}
