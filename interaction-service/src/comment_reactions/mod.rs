//! Reactions to comments, at most one of a user to a comment. The user puts theirs beside the comment, so that a client needs no id of
//! it, and a request that is repeated changes nothing.
pub mod events;
pub mod models;
mod schemas;
pub mod signals;
mod views;

#[cfg(test)]
mod tests;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;

/// The routes of reactions to comments. Their limits are those of reactions to posts: who reacts, reacts.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(
        views::list_comment_reactions,
        views::put_comment_reaction,
        views::delete_comment_reaction
    ))
}
