//! Earlier versions of posts in the API.
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::models::PostVersion;
use crate::core::contract::timestamp::Timestamp;

/// What a post said until it was edited.
#[derive(Serialize, ToSchema)]
pub struct PostVersionOut {
    pub id: Uuid,
    /// Until when the post was so
    pub replaced_at: Timestamp,
    pub title: Option<String>,
    pub content: String,
    pub types: Vec<String>,
}

impl From<PostVersion> for PostVersionOut {
    fn from(version: PostVersion) -> Self {
        let PostVersion { id, replaced_at, title, content, types } = version;
        Self { id, replaced_at, title, content, types }
    }
}
