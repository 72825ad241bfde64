//! The home feed: the posts of a reader's connections, their own and those of tags that they follow (`feeds`), and among them at marked
//! places posts that are recommended to them (`post_recommendations`), where the operators want that.
//!
//! The two stay apart until they are shown: the order and the cursor of the feed are those of its own posts (`services`), and the place in
//! the list of recommendations travels beside it in the cursor (`pages`), so that the next page goes on there. The walk-through is in
//! `docs/feeds.md`.
mod mixing;
mod pages;
mod schemas;
mod services;
pub mod settings;
mod views;

use axum::extract::FromRef;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use self::settings::HomeSettings;
use crate::core::app::App;
use crate::feeds::Feeds;
use crate::post_recommendations::recommender::PostRecommender;

/// What home feeds are read with.
#[derive(Clone)]
pub struct Home {
    pub feeds: Feeds,
    pub recommender: PostRecommender,
    pub settings: HomeSettings,
}

impl FromRef<Home> for App {
    fn from_ref(home: &Home) -> Self {
        home.feeds.app.clone()
    }
}

/// The route of the home feed.
pub fn router() -> OpenApiRouter<Home> {
    OpenApiRouter::new().routes(routes!(views::home_feed))
}
