//! The route of NFT records.
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;

use super::models::CommentRecord;
use crate::core::api::errors::Error;
use crate::core::app::App;
use crate::core::contract::extract::Path;
use crate::core::doors::callers::Operator;

/// A comment that can be minted.
pub async fn read_record(_: Operator, State(app): State<App>, Path(id): Path) -> Result<Json<CommentRecord>, Error> {
    let record = CommentRecord::find(&app.db, id).await?;
    Ok(Json(record.ok_or(Error::Refused(StatusCode::NOT_FOUND, "Post comment not found"))?))
}
