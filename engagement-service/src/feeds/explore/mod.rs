//! Explore: the posts of all users, the best and freshest first, and those in the reader's interests before the others.
//!
//! The order changes with every reaction, and pages of a list that moves would skip and repeat. So a list is made once a minute and
//! kept for an hour, as an edition; a cursor names its edition, and pages of it are stable. What its reader may not see is left out
//! when a page is read.
pub mod models;
pub mod schedulers;
mod views;

use axum::http::StatusCode;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::pages::CursorBytes;
use super::reading::Feeds;
use crate::core::api::errors::Error;

/// The cursor is of an edition that is not kept any more.
const EDITION_GONE: Error = Error::Refused(StatusCode::GONE, "This list is too old; start again without a cursor");

/// A place in an edition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EditionPlace {
    pub edition: i64,
    /// Whether the place lies behind the reader's interests.
    pub beyond: bool,
    /// The last post that was shown, from 1.
    pub place: i32,
}

impl CursorBytes for EditionPlace {
    fn to_bytes(&self) -> Vec<u8> {
        [&self.edition.to_be_bytes()[..], &[u8::from(self.beyond)], &self.place.to_be_bytes()].concat()
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (edition, rest) = bytes.split_first_chunk()?;
        let (beyond, place) = rest.split_first()?;
        let place = i32::from_be_bytes(place.try_into().ok()?);
        (*beyond < 2).then_some(Self { edition: i64::from_be_bytes(*edition), beyond: *beyond == 1, place })
    }
}

/// The routes of explore.
pub fn router() -> OpenApiRouter<Feeds> {
    OpenApiRouter::new().routes(routes!(views::explore_feed))
}
