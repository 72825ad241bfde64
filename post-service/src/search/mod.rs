//! Search: published posts by their words, and what a user may mean while they type.
//!
//! A post that all users may read has a row in `post_search`. It is written right after the transaction of the post, by a worker that
//! takes what waits in batches, so that the index is no part of a write; what users may not read any more is taken out in the
//! transaction that says so. Its document has each word twice: as it is written, without case and accents,
//! by which names are found; and its stem in the language of the post. A query is read in both ways, too ([`words`],
//! [`languages`]).
//!
//! A common word is in half of all posts, and ranking them all would take seconds. So the order by relevance looks at the
//! newest [`CANDIDATES`] posts that contain the words, and ranks these. No search reads more than a bounded number of posts for a page
//! ([`candidates`]), and the next page goes on behind them.
mod candidates;
mod excerpts;
mod languages;
mod media_backfill;
mod models;
mod pending;
mod reading;
mod results;
pub mod schedulers;
pub mod schemas;
mod services;
pub mod signals;
mod suggestions;
mod views;
mod words;

#[cfg(test)]
pub mod tests;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::core::app::App;
use crate::core::app::limits::Limit;
use crate::core::ground::settings::Rate;

/// How many posts are ranked together at most: the newest that match a query.
pub const CANDIDATES: i64 = 2_000;

/// How often a user may search: it is the dearest read.
pub const SEARCH_POSTS_LIMIT: Limit = Limit {
    name: "post_searches",
    routes: &["GET /api/v1/posts/search"],
    rate: Rate::new(60, 60),
    burst_in_development: None,
    strict: false,
};

/// How often a user may ask what they mean: as fast as they type.
pub const SUGGEST_LIMIT: Limit = Limit {
    name: "search_suggestions",
    routes: &["GET /api/v1/search/suggest"],
    rate: Rate::new(300, 60),
    burst_in_development: None,
    strict: false,
};

/// The order of results.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SearchOrder {
    /// What fits best first, among the newest that fit
    Relevance,
    /// The newest first
    Time,
}

/// The routes of search.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(views::search_posts)).routes(routes!(views::suggest))
}
