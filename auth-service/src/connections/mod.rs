//! Connections between users. They are directed: the target's own connections are their own affair.
//!
//! Both rows of `account` are locked before a connection or a block between two people changes, in the order of their ids,
//! whoever of them acts: so opposite changes wait for each other instead of blocking each other in a circle, the counts in
//! the rows are exact, and events of the two are published in the order of the commits. The row of a user with many
//! followers is held for the few statements of a connect only, none of which waits for anything but the database.
mod blocks;
pub mod events;
pub mod models;
pub mod schemas;
pub mod signals;
pub mod views;

#[cfg(test)]
pub mod tests;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::core::app::limits::Limit;
use crate::core::ground::settings::Rate;

/// How often a user may connect, disconnect and block.
pub const CONNECT_LIMIT: Limit = Limit {
    name: "connects",
    routes: &[
        "POST /api/v1/users/{user_id}/connect",
        "POST /api/v1/users/{user_id}/connect/toggle",
        "DELETE /api/v1/users/{user_id}/disconnect",
        "POST /api/v1/users/{user_id}/block",
        "DELETE /api/v1/users/{user_id}/block",
    ],
    rate: Rate::new(60, 60),
    burst_in_development: None,
    strict: false,
};

/// The routes of connections and blocks.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(views::user_connections))
        .routes(routes!(views::list_connections))
        .routes(routes!(views::list_followers))
        .routes(routes!(views::add_user_connection))
        .routes(routes!(views::remove_user_connection))
        .routes(routes!(views::toggle_user_connection))
        .merge(blocks::router())
}
