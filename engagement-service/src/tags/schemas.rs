//! Followed tags in the API.
use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::request::Parts;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::models::{TagCount, TagFollow};
use crate::core::api::errors::Error;
use crate::core::contract::fields::invalid;
use crate::core::contract::timestamp::Timestamp;
use crate::tag_names::tag_identity;

/// The tag in the path, in any spelling, without its sign.
pub struct TagPath {
    /// As it is compared.
    pub tag: String,
    pub written: String,
}

impl<S: Send + Sync> FromRequestParts<S> for TagPath {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Error> {
        // Refused only when a part of the path is not UTF-8, which no tag is.
        let params = RawPathParams::from_request_parts(parts, state).await;
        let written = params.iter().flatten().next().map_or("", |(_, value)| value).to_owned();
        tag_identity(&written).map(|tag| Self { tag, written }).ok_or_else(|| {
            Error::Invalid(vec![invalid(&["path", "tag"], "value is not a valid tag", "value_error.tag", None)])
        })
    }
}

/// A tag that the caller follows
#[derive(Serialize, ToSchema)]
#[schema(examples(json!({ "tag": "rust", "written": "Rust", "followed_at": "2026-11-20T15:05:05.052839+00:00" })))]
pub struct TagFollowOut {
    /// Its place among those of the same moment.
    #[serde(skip)]
    pub id: Uuid,
    /// As it is compared
    pub tag: String,
    /// As the caller wrote it
    pub written: String,
    pub followed_at: Timestamp,
}

impl From<TagFollow> for TagFollowOut {
    fn from(follow: TagFollow) -> Self {
        Self { id: follow.id, tag: follow.tag, written: follow.written, followed_at: follow.followed_at }
    }
}

/// A tag
#[derive(Serialize, ToSchema)]
#[schema(examples(json!({ "tag": "rust", "posts": 1204, "followers": 37, "followed": true })))]
pub struct TagOut {
    /// As it is compared
    pub tag: String,
    /// The published posts with it; 10,000 stands for more, too
    #[schema(minimum = 0, maximum = 10_000)]
    pub posts: i64,
    /// The users who follow it; 10,000 stands for more, too
    #[schema(minimum = 0, maximum = 10_000)]
    pub followers: i64,
    /// Whether the caller does
    pub followed: bool,
}

impl TagOut {
    /// A tag with its counts.
    pub fn new(tag: String, count: &TagCount) -> Self {
        Self { tag, posts: count.posts, followers: count.followers, followed: count.followed }
    }
}
