//! What a user is not interested in: a post that is recommended to them no more, and by which its author and posts that are similar to it
//! are recommended less. The author does not get to know, and feeds show the post as before.
pub mod models;
mod signals;
mod views;

use axum::http::StatusCode;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::recommender::PostRecommender;
use crate::core::api::errors::Error;
use crate::core::app::limits::Limit;
use crate::core::ground::settings::Rate;

/// The post does not exist for the caller.
const POST_NOT_FOUND: Error = Error::Refused(StatusCode::NOT_FOUND, "Post not found");

/// How often a user may say that they are not interested, and take that back.
pub const DISINTEREST_LIMIT: Limit = Limit {
    name: "not_interested",
    routes: &[
        "POST /api/v1/me/recommendations/posts/{post_id}/not-interested",
        "DELETE /api/v1/me/recommendations/posts/{post_id}/not-interested",
    ],
    rate: Rate::new(60, 60),
    burst_in_development: None,
    strict: false,
};

/// The routes of what users are not interested in.
pub fn router() -> OpenApiRouter<PostRecommender> {
    OpenApiRouter::new().routes(routes!(views::refuse_post, views::take_back_refusal))
}
