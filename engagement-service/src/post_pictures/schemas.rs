//! The pictures of posts in the items of feeds.
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::PublishedPicture;

/// A picture of a post in a feed.
#[derive(Serialize, ToSchema)]
pub struct PictureItem {
    pub id: Uuid,
    /// What it shows, in the author's words
    pub alt: String,
    pub width: i32,
    pub height: i32,
    /// A few colours to show until it is loaded
    pub blurhash: Option<String>,
    /// Its path at 320 pixels, at the origin of the API; good as long as the post is published
    #[schema(examples(
        "/api/v1/media/0199c0de-0000-7000-8000-000000000000/thumbnail?key=4f1c2d3e-0000-4000-8000-000000000000"
    ))]
    pub thumbnail: String,
    /// Its path at 1080 pixels
    #[schema(examples(
        "/api/v1/media/0199c0de-0000-7000-8000-000000000000/medium?key=4f1c2d3e-0000-4000-8000-000000000000"
    ))]
    pub medium: String,
}

impl PictureItem {
    /// The picture with its paths; none while it cannot be shown.
    pub fn read(picture: PublishedPicture) -> Option<Self> {
        let PublishedPicture { id, width, height, blurhash, alt, key } = picture;
        let (width, height, key) = (width?, height?, key?);
        let path = |rendition: &str| format!("/api/v1/media/{id}/{rendition}?key={key}");
        Some(Self { id, alt, width, height, blurhash, thumbnail: path("thumbnail"), medium: path("medium") })
    }
}
