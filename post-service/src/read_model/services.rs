//! What follows from a post's content for those who copy it.
use serde::Serialize;

use super::models::PostRow;
use crate::facets::{self, Facet};

/// A post with its facets and tags, as its events have them.
#[derive(Serialize)]
pub struct PostWithFacets {
    #[serde(flatten)]
    pub post: PostRow,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    facets: Vec<Facet>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tags: Vec<String>,
}

impl From<PostRow> for PostWithFacets {
    fn from(post: PostRow) -> Self {
        let facets = facets::read_shown(&post.content, false);
        Self { post, tags: facets::tags(&facets), facets }
    }
}
