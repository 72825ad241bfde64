//! Bookmarks: posts that a user keeps for later, in folders if they like. They are private, so no event reports them.
//!
//! A bookmark stays while its post is archived, hidden or by a user with a block between the two, and is not listed then: all of that
//! can end. It is deleted with the post.
pub mod models;
mod schemas;
mod views;

#[cfg(test)]
mod tests;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::core::app::limits::Limit;
use crate::core::ground::settings::Rate;

/// Bookmarks of a user at most: more than one looks through, and no burden for the export.
pub const MAX_BOOKMARKS: i64 = 10_000;
/// The longest name of a folder, in characters.
pub const MAX_FOLDER: usize = 50;

/// How often a user may list their bookmarks.
pub const LIST_BOOKMARKS_LIMIT: Limit = Limit {
    name: "bookmark_lists",
    routes: &["GET /api/v1/me/bookmarks", "GET /api/v1/me/bookmarks/folders"],
    rate: Rate::new(300, 60),
    burst_in_development: None,
    strict: false,
};

/// How often a user may set and delete bookmarks.
pub const CHANGE_BOOKMARKS_LIMIT: Limit = Limit {
    name: "bookmarks",
    routes: &["PUT /api/v1/{post_id}/bookmark", "DELETE /api/v1/{post_id}/bookmark"],
    rate: Rate::new(120, 60),
    burst_in_development: None,
    strict: false,
};

/// The routes of bookmarks.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(views::put_bookmark, views::delete_bookmark))
        .routes(routes!(views::list_bookmarks))
        .routes(routes!(views::list_bookmark_folders))
}
