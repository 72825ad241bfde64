//! The routes of what other services copy.
use axum::Json;
use axum::extract::State;

use super::models::{CommentReactionRow, CommentRow, ReactionRow, begin_snapshot};
use super::schemas::{RowPage, RowRange};
use crate::core::api::errors::Error;
use crate::core::app::App;
use crate::core::doors::callers::Operator;

/// The comments in the order of their ids, without their words; hidden ones have `hidden_at`.
pub async fn list_comments(
    _: Operator,
    State(app): State<App>,
    range: RowRange,
) -> Result<Json<RowPage<CommentRow>>, Error> {
    let (mut tx, as_of) = begin_snapshot(&app.db).await?;
    let comments = CommentRow::list(&mut tx, range.after.0, range.limit).await?;
    Ok(Json(RowPage::new(as_of, comments, |comment| comment.id.into())))
}

/// The reactions in the order of their ids.
pub async fn list_reactions(
    _: Operator,
    State(app): State<App>,
    range: RowRange,
) -> Result<Json<RowPage<ReactionRow>>, Error> {
    let (mut tx, as_of) = begin_snapshot(&app.db).await?;
    let reactions = ReactionRow::list(&mut tx, range.after.0, range.limit).await?;
    Ok(Json(RowPage::new(as_of, reactions, |reaction| reaction.id.into())))
}

/// The reactions to comments in the order of their ids.
pub async fn list_comment_reactions(
    _: Operator,
    State(app): State<App>,
    range: RowRange,
) -> Result<Json<RowPage<CommentReactionRow>>, Error> {
    let (mut tx, as_of) = begin_snapshot(&app.db).await?;
    let reactions = CommentReactionRow::list(&mut tx, range.after.0, range.limit).await?;
    Ok(Json(RowPage::new(as_of, reactions, |reaction| reaction.id.into())))
}
