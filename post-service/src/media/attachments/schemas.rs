//! The pictures of a post in the API and in events.
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::models::PostMedia;
use crate::core::contract::fields::Fields;
use crate::media::MediaStatus;
use serde_json::{Value, json};

/// The most pictures of a post.
pub const MAX_MEDIA: usize = 4;

/// A picture of a post.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct PostMediaOut {
    pub id: Uuid,
    /// `UPLOADED`: it has no addresses yet
    pub status: MediaStatus,
    /// What it shows, in the author's words
    pub alt: String,
    pub width: Option<i32>,
    pub height: Option<i32>,
    /// A few colours to show until it is loaded
    pub blurhash: Option<String>,
    /// Its address at 320 pixels; good for an hour or two
    #[schema(required = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub thumbnail: Option<String>,
    /// Its address at 1080 pixels
    #[schema(required = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub medium: Option<String>,
    /// Its address as it was uploaded, of an animation
    #[schema(required = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub original: Option<String>,
    /// In events: the key with which a feed shows it.
    #[schema(ignore)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<Uuid>,
}

impl From<PostMedia> for PostMediaOut {
    /// As it is published: with its key and without addresses, which end.
    fn from(media: PostMedia) -> Self {
        Self {
            id: media.id,
            status: media.status,
            alt: media.alt,
            width: media.width,
            height: media.height,
            blurhash: media.blurhash,
            thumbnail: None,
            medium: None,
            original: None,
            key: Some(media.key),
        }
    }
}

/// Reads the ids of the pictures of a post: at most four different ones; none when they are not given.
pub fn read_media(fields: &mut Fields) -> Option<Vec<Uuid>> {
    fields.value("media")?;
    let items = fields.list("media");
    if items.len() > MAX_MEDIA {
        let msg = format!("ensure this value has at most {MAX_MEDIA} items");
        fields.refuse("media", msg, "value_error.list.max_items", Some(json!({ "limit_value": MAX_MEDIA })));
    }
    let ids: Option<Vec<Uuid>> =
        items.iter().map(|item| item.as_str().and_then(|id| Uuid::try_parse(id).ok())).collect();
    let Some(ids) = ids else {
        fields.refuse("media", "value is not a valid uuid", "type_error.uuid", None);
        return None;
    };
    let repeated = ids.iter().enumerate().any(|(place, id)| ids[..place].contains(id));
    if repeated {
        fields.refuse("media", "the list has duplicated items", "value_error.list.unique_items", None::<Value>);
    }
    Some(ids)
}
