//! What belongs to a post for those who copy it.
use serde::Serialize;

use super::models::PostRow;
use crate::facets::Facet;
use crate::facets::services::{read_shown, tag_identities};
use crate::items::models::Item;
use crate::items::schemas::ItemOut;

/// A post with its item, facets and tags, as its events have them.
#[derive(Serialize)]
pub struct PostWithFacets {
    #[serde(flatten)]
    pub post: PostRow,
    #[serde(skip_serializing_if = "Option::is_none")]
    item: Option<ItemOut>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    facets: Vec<Facet>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tags: Vec<String>,
}

impl PostWithFacets {
    /// A post with this item.
    pub fn new(post: PostRow, item: Option<Item>) -> Self {
        let facets = read_shown(&post.content, false);
        Self { post, item: item.map(ItemOut::from), tags: tag_identities(&facets), facets }
    }
}
