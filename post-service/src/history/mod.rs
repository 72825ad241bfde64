//! The history of posts: what each said before its author edited it.
//!
//! A draft has no history: no reader has seen it. While a post is published, each change of the title, the content or the
//! categories keeps the version before, the last [`MAX_VERSIONS`] of them. An author who withdraws it leaves its last public words
//! there; what is written until it is published again stays out. Who can read a post can read its history, and so a post that is
//! hidden, archived or deleted has none for others.
//!
//! Moderation reads a text after it is published, and of a post that changes meanwhile the newest version alone. So what stood for less
//! than [`LEAST_SHOWN_SECONDS`] may never have been judged, and is listed to its author and to moderators alone: an author who publishes
//! and replaces at once would otherwise have it shown to all.
pub mod models;
mod schemas;
mod views;

#[cfg(test)]
mod tests;

use axum::middleware::from_fn;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::core::app::App;
use crate::core::app::limits::Limit;
use crate::core::ground::settings::Rate;
use crate::posts::conditional::revalidate;

/// Versions that are kept of a post, beside the last: an author who edits it more often loses the oldest, so that edits cannot
/// fill a disk.
const MAX_VERSIONS: i64 = 100;

/// How long a version stood at least that is listed to all, in seconds: by then moderation has read it, unless it is far behind.
const LEAST_SHOWN_SECONDS: f64 = 60.0;

/// How often a user may read histories.
pub const HISTORY_LIMIT: Limit = Limit {
    name: "post_histories",
    routes: &["GET /api/v1/posts/{post_id}/history"],
    rate: Rate::new(300, 60),
    burst_in_development: None,
    strict: false,
};

/// The route of histories.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(views::get_history)).layer(from_fn(revalidate))
}
