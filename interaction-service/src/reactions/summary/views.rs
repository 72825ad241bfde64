//! The route of the summary.
use axum::Json;
use axum::extract::State;

use super::models::{Reactor, TypeCount, find_own};
use super::schemas::ReactionSummary;
use crate::app::App;
use crate::core::api::errors::{Error, Problem};
use crate::core::app::identity::User;
use crate::posts::lookup::VisiblePost;

/// Count the reactions to a post by type, with some of the people who reacted
#[utoipa::path(get, path = "/{post_id}/post-reactions/summary", tag = "reaction", params(
    ("post_id" = uuid::Uuid, Path),
), responses(
    (status = 200, body = ReactionSummary),
    (status = 404, body = Problem),
    (status = 503, body = Problem, description = "The post service is unavailable"),
))]
pub async fn summarise_reactions(
    user: User,
    VisiblePost(post): VisiblePost,
    State(app): State<App>,
) -> Result<Json<ReactionSummary>, Error> {
    let types = TypeCount::list(&app.db, post).await?;
    let mine = find_own(&app.db, post, user.id).await?;
    let people = Reactor::list(&app.db, post, user.id).await?;
    Ok(Json(ReactionSummary::new(post, types, mine, people)))
}
