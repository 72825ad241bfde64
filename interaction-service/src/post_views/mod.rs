//! Views of posts, which are published, each of them. A user's views of a post within a window are one for its score: those after the
//! first are published as repeated. Only the window is stored.
pub mod events;
pub mod models;
pub mod schedulers;
mod schemas;
mod signals;
mod views;

#[cfg(test)]
mod tests;

use axum::routing::get;
use clap::Args;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::core::app::limits::Limit;
use crate::core::ground::settings::Rate;

/// How views count for scores.
#[derive(Args, Clone, Copy, Debug)]
pub struct ViewWindow {
    /// Seconds in which a user's views of a post are one for its score; 0: each counts, as in the original
    #[arg(long, env = "VIEW_WINDOW", default_value_t = 1_800)]
    pub view_window: u32,
}

impl ViewWindow {
    /// Its length in seconds.
    fn seconds(self) -> f64 {
        f64::from(self.view_window)
    }

    /// Whether there is none, so that every view counts for the score.
    const fn is_empty(self) -> bool {
        self.view_window == 0
    }
}

/// How often a user may view posts.
pub const VIEW_LIMIT: Limit = Limit {
    name: "views",
    routes: &["GET /api/v1/{post_id}/view", "GET /api/v1/post-reactions/view"],
    rate: Rate::new(300, 60),
    burst_in_development: None,
    strict: false,
};

/// The routes of views.
pub fn router() -> OpenApiRouter<App> {
    // The router prefers the literal `/post-reactions/{reaction_id}`, the original the route that was written first,
    // which is `/{post_id}/view`, for a post with an invalid id.
    OpenApiRouter::new().routes(routes!(views::view_post)).route("/post-reactions/view", get(views::view_post))
}
