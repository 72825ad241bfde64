//! Blocks: a user shuts another one out. A block ends the connections between the two; the blocked user neither sees the
//! other nor can connect to them, and the blocking user meets them in the list of their blocks only, or by asking for them.
pub mod models;
mod schemas;
mod views;

#[cfg(test)]
mod tests;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;

/// The routes of blocks.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(views::list_blocks)).routes(routes!(views::block_user, views::unblock_user))
}
