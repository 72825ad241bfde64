//! The route of items.
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;

use super::models::Item;
use super::schemas::ItemOut;
use crate::core::api::errors::{Error, Problem};
use crate::core::app::App;
use crate::core::app::identity::User;
use crate::core::contract::extract::Path;

/// Read an item of a post that the caller may see
#[utoipa::path(get, path = "/items/{item_id}", tag = "items", params(("item_id" = uuid::Uuid, Path)), responses(
    (status = 200, body = ItemOut),
    (status = 404, body = Problem),
    (status = 422, body = Problem),
))]
pub async fn retrieve_item(user: User, State(app): State<App>, Path(id): Path) -> Result<Json<ItemOut>, Error> {
    let item = Item::find_visible(&app.db, id, user.id).await?;
    Ok(Json(item.ok_or(Error::Refused(StatusCode::NOT_FOUND, "Item not found"))?.into()))
}
