//! Posts for people: what a reader may like of the posts that their home feed does not have.
//!
//! Candidates come from five sources (`candidates`): posts that are similar to those the reader reacted to (`similar` finds them in the
//! background), what people they are connected to reacted to, posts of authors these people read, posts in the reader's categories, and
//! fresh ones. One formula ranks them, and a list is put together that does not repeat authors and categories and leaves a share of its
//! places to what few have seen (`services`). A list is made when it is read (`recommender`), kept for an hour so that its pages are
//! stable, and shows at each read only what its reader may see and has not seen then (`models`). The walk-through, with the formulas,
//! is in `docs/recommendations.md`.
mod candidates;
pub mod digest;
pub mod disinterest;
pub mod models;
pub mod recommender;
pub mod schedulers;
pub mod schemas;
pub mod seen;
mod services;
pub mod settings;
pub mod similar;
mod sources;
mod views;
mod window;

#[cfg(test)]
mod tests;

use axum::http::StatusCode;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use self::recommender::PostRecommender;
use crate::core::api::errors::Error;
use crate::core::app::limits::Limit;
use crate::core::ground::settings::Rate;
use crate::feeds::pages::CursorBytes;

/// The cursor is of a list that is not kept any more.
const LIST_GONE: Error = Error::Refused(StatusCode::GONE, "This list is too old; start again without a cursor");

/// A place in a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListPlace {
    pub list: Uuid,
    /// The last post that was shown, from 1.
    pub place: i64,
}

impl CursorBytes for ListPlace {
    fn to_bytes(&self) -> Vec<u8> {
        [&self.list.as_bytes()[..], &self.place.to_be_bytes()].concat()
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (list, place) = bytes.split_first_chunk()?;
        Some(Self { list: Uuid::from_bytes(*list), place: i64::from_be_bytes(place.try_into().ok()?) })
    }
}

/// How often a user may read recommendations: a page may make a list, which costs some 10 ms.
pub const READ_RECOMMENDATIONS_LIMIT: Limit = Limit {
    name: "post_recommendations",
    routes: &["GET /api/v1/me/recommendations/posts"],
    rate: Rate::new(120, 60),
    burst_in_development: None,
    strict: false,
};

/// The routes of posts for people.
pub fn router() -> OpenApiRouter<PostRecommender> {
    OpenApiRouter::new().routes(routes!(views::recommend_posts)).merge(disinterest::router())
}
