//! The pictures of posts in feeds. The post service publishes them with each version of a post, with a key each; it serves a picture
//! for its key as long as the post is published and shows it, so an address that is made here needs no signature, and ends with the
//! post.
pub mod models;
pub mod schemas;

#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::core::contract::timestamp::Timestamp;

/// A picture, as the post service publishes it and as it is stored.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct PublishedPicture {
    pub id: Uuid,
    /// None before it is processed: then it cannot be shown, and comes again with the next version of the post.
    #[serde(default)]
    pub width: Option<i32>,
    #[serde(default)]
    pub height: Option<i32>,
    #[serde(default)]
    pub blurhash: Option<String>,
    #[serde(default)]
    pub alt: String,
    pub key: Option<Uuid>,
}

/// The part of a post, in an event or in a copy, that says which pictures it shows.
#[derive(Clone, Debug, Deserialize)]
pub struct IllustratedPost {
    pub id: Uuid,
    pub created_by: Uuid,
    pub updated_at: Timestamp,
    #[serde(default)]
    pub media: Vec<PublishedPicture>,
    pub hidden_at: Option<Timestamp>,
}
