//! The routes of what other services copy.
use axum::Json;
use axum::extract::State;

use super::models::{PairRow, PublicAccount, begin_snapshot};
use super::schemas::{RowKey, RowPage, RowRange};
use crate::core::api::errors::Error;
use crate::core::app::App;
use crate::core::doors::callers::Operator;

/// The accounts in the order of their ids, with what others see of them.
pub async fn list_people(
    _: Operator,
    State(app): State<App>,
    range: RowRange,
) -> Result<Json<RowPage<PublicAccount>>, Error> {
    let (mut tx, as_of) = begin_snapshot(&app.db).await?;
    let people = PublicAccount::list(&mut tx, range.after.0, range.limit).await?;
    Ok(Json(RowPage::new(as_of, people, |person| person.id.into())))
}

/// The connections that exist, in the order of their pairs.
pub async fn list_connections(
    _: Operator,
    State(app): State<App>,
    range: RowRange,
) -> Result<Json<RowPage<PairRow>>, Error> {
    let (mut tx, as_of) = begin_snapshot(&app.db).await?;
    let connections = PairRow::list_connections(&mut tx, (range.after.0, range.after.1), range.limit).await?;
    Ok(Json(RowPage::new(as_of, connections, |pair| RowKey(pair.user_id, pair.target_id))))
}

/// The blocks that exist, in the order of their pairs.
pub async fn list_blocks(
    _: Operator,
    State(app): State<App>,
    range: RowRange,
) -> Result<Json<RowPage<PairRow>>, Error> {
    let (mut tx, as_of) = begin_snapshot(&app.db).await?;
    let blocks = PairRow::list_blocks(&mut tx, (range.after.0, range.after.1), range.limit).await?;
    Ok(Json(RowPage::new(as_of, blocks, |pair| RowKey(pair.user_id, pair.target_id))))
}
