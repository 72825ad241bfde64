//! Posts, as the post service publishes them, and their counts: what an item of a feed shows.
pub mod events;
pub mod models;

#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A part of a post's content that leads somewhere, as the post service reads it: a #tag, an @mention or a link
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({ "kind": "TAG", "value": "Rust", "byte_start": 6, "byte_end": 11, "utf16_start": 6, "utf16_end": 11 })))]
pub struct FacetCard {
    /// `TAG`, `MENTION` or `LINK`
    #[schema(examples("TAG"))]
    pub kind: String,
    /// The tag or the username as it is written, without the sign before it; the address of a link
    pub value: String,
    /// Where it begins, in bytes of UTF-8, with its sign
    pub byte_start: u32,
    /// Behind its last byte
    pub byte_end: u32,
    /// Where it begins, in units of UTF-16, as JavaScript counts
    pub utf16_start: u32,
    pub utf16_end: u32,
}

/// The usernames that facets mention, in lower case.
pub fn mentioned(facets: &[FacetCard]) -> Vec<String> {
    let names = facets.iter().filter(|facet| facet.kind == "MENTION").map(|facet| facet.value.to_ascii_lowercase());
    names.collect()
}
