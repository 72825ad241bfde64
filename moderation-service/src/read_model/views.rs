//! The route of what other services copy.
use axum::Json;
use axum::extract::State;

use super::models::{ModeratedPostRow, begin_snapshot};
use super::schemas::{RowPage, RowRange};
use crate::core::api::errors::Error;
use crate::core::app::App;
use crate::core::doors::callers::Operator;

/// What is decided about posts, in the order of their ids.
pub async fn list_moderated_posts(
    _: Operator,
    State(app): State<App>,
    range: RowRange,
) -> Result<Json<RowPage<ModeratedPostRow>>, Error> {
    let (mut tx, as_of) = begin_snapshot(&app.db).await?;
    let posts = ModeratedPostRow::list(&mut tx, range.after.0, range.limit).await?;
    Ok(Json(RowPage::new(as_of, posts, |post| post.id.into())))
}
