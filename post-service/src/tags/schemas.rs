//! Tags in the API.
use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::request::Parts;
use serde::Serialize;
use utoipa::ToSchema;

use super::models::Trend;
use crate::core::api::errors::Error;
use crate::core::api::pagination::{DEFAULT_LIMIT, MAX_LIMIT};
use crate::core::contract::extract::Query;
use crate::core::contract::fields::invalid;
use crate::tag_names::tag_identity;

/// The tag in the path, in any spelling, without its sign.
pub struct TagPath(pub String);

impl<S: Send + Sync> FromRequestParts<S> for TagPath {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Error> {
        // Refused only when a part of the path is not UTF-8, which no tag is.
        let params = RawPathParams::from_request_parts(parts, state).await;
        let written = params.iter().flatten().next().map_or("", |(_, value)| value);
        tag_identity(written).map(Self).ok_or_else(|| {
            Error::Invalid(vec![invalid(&["path", "tag"], "value is not a valid tag", "value_error.tag", None)])
        })
    }
}

/// How many trends a request asks for: `limit`, as of a page.
pub struct TrendLimit(pub i64);

impl<S: Send + Sync> FromRequestParts<S> for TrendLimit {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Error> {
        let mut query = Query::from_request_parts(parts, state).await?;
        let limit = query.integer("limit", 1, MAX_LIMIT).unwrap_or(DEFAULT_LIMIT);
        query.check()?;
        Ok(Self(limit))
    }
}

/// A tag that is used more than usual
#[derive(Serialize, ToSchema)]
#[schema(examples(json!({ "tag": "rust", "written": "Rust", "authors": 41, "score": 17.2 })))]
pub struct TrendOut {
    /// As it is compared
    pub tag: String,
    /// As most people write it
    pub written: String,
    /// How many people used it in the last day
    pub authors: i64,
    /// How far that is beyond what its past lets expect; only its order means something
    pub score: f64,
}

impl From<Trend> for TrendOut {
    fn from(trend: Trend) -> Self {
        Self { tag: trend.tag, written: trend.written, authors: trend.authors, score: trend.score }
    }
}
