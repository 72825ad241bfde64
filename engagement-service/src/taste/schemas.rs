//! Tastes in the API.
use serde::Serialize;
use utoipa::ToSchema;

use super::models::Taste;
use super::services::{TasteItem, TasteItems};
use crate::core::contract::extract::Query;
use crate::core::contract::fields::{Fields, Input, invalid};
use crate::core::contract::timestamp::Timestamp;

/// What is known of what the caller listens to
#[derive(Serialize, ToSchema)]
#[schema(examples(json!({
    "linked": true, "shared": false, "fetched_at": "2026-11-20T15:05:05.052839+00:00",
    "refresh_at": "2026-11-27T15:05:05.052839+00:00", "tracks": 50, "artists": 72, "genres": 31
})))]
pub struct TasteOut {
    /// Whether an account is linked that says what the caller listens to, and the caller has not asked to forget it
    pub linked: bool,
    /// Whether others see it, and get the caller recommended for it
    pub shared: bool,
    /// Null: not yet
    pub fetched_at: Option<Timestamp>,
    /// When it is fetched next; null: it is not
    pub refresh_at: Option<Timestamp>,
    #[schema(minimum = 0, maximum = 100)]
    pub tracks: usize,
    #[schema(minimum = 0, maximum = 100)]
    pub artists: usize,
    #[schema(minimum = 0, maximum = 100)]
    pub genres: usize,
}

impl From<Option<Taste>> for TasteOut {
    fn from(taste: Option<Taste>) -> Self {
        let items = taste.as_ref().and_then(|taste| taste.items.as_ref()).map(|items| &items.0);
        let number = |of: fn(&TasteItems) -> &Vec<TasteItem>| items.map_or(0, |items| of(items).len());
        Self {
            linked: taste.is_some(),
            shared: taste.as_ref().is_some_and(|taste| taste.shared),
            fetched_at: taste.as_ref().and_then(|taste| taste.fetched_at),
            refresh_at: taste.as_ref().map(|taste| taste.due_at),
            tracks: number(|items| &items.tracks),
            artists: number(|items| &items.artists),
            genres: number(|items| &items.genres),
        }
    }
}

/// What the caller changes of what holds for their taste
#[derive(ToSchema)]
#[schema(examples(json!({ "shared": true })))]
pub struct TasteIn {
    /// Whether others see it; not null
    pub shared: bool,
}

impl Input for TasteIn {
    fn read(fields: &mut Fields) -> Self {
        let shared = match fields.value("shared") {
            Some(serde_json::Value::Bool(shared)) => Some(shared),
            Some(_) => {
                fields.refuse("shared", "value could not be parsed to a boolean", "type_error.bool", None);
                None
            }
            None => {
                fields.refuse("shared", "field required", "value_error.missing", None);
                None
            }
        };
        Self { shared: shared.unwrap_or_default() }
    }
}

/// Something that a person listens to
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[schema(examples(json!({ "id": "4dpARuHxo51G3z768sgnrY", "name": "Adele", "weight": 14.0 })))]
pub struct TopItemOut {
    /// The id at the provider; of a genre its name
    pub id: String,
    pub name: String,
    /// Of a track 3; of an artist 8 when they are among the top artists, and 3 for each top track; of a genre the sum of its artists
    #[schema(minimum = 0)]
    pub weight: f64,
}

impl From<TasteItem> for TopItemOut {
    fn from(item: TasteItem) -> Self {
        let TasteItem { id, name, weight } = item;
        Self { id, name, weight }
    }
}

/// The kinds of items.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TopKind {
    Tracks,
    Artists,
    Genres,
}

impl TopKind {
    /// The kind that a request asks for: artists, where it does not say.
    pub fn read(query: &mut Query) -> Self {
        match query.get("kind") {
            Some("tracks") => Self::Tracks,
            Some("genres") => Self::Genres,
            None | Some("artists") => Self::Artists,
            Some(_) => {
                let refusal = "value is not one of 'tracks', 'artists', 'genres'";
                query.errors.push(invalid(&["query", "kind"], refusal, "type_error.enum", None));
                Self::Artists
            }
        }
    }

    /// The items of this kind.
    pub fn of(self, items: TasteItems) -> Vec<TasteItem> {
        match self {
            Self::Tracks => items.tracks,
            Self::Artists => items.artists,
            Self::Genres => items.genres,
        }
    }
}
