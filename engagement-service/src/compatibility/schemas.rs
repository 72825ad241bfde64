//! Compatibility in the API.
use serde::Serialize;
use utoipa::ToSchema;

use super::models::{ComparedPerson, SharedConnections};
use crate::affinities::services::{Weights, common, overlap, share};
use crate::people::schemas::PersonCard;
use crate::taste::services::{TasteItem, TasteItems};

/// Items of a kind that are named.
const NAMED: usize = 10;

/// What two people have in common of one kind
#[derive(Serialize, ToSchema)]
#[schema(examples(json!({ "percent": 50, "common": ["BOOKS"] })))]
pub struct CommonWords {
    #[schema(minimum = 0, maximum = 100)]
    pub percent: i64,
    /// The weightiest first
    pub common: Vec<String>,
}

/// What two people have in common of what they listen to
#[derive(Serialize, ToSchema)]
#[schema(examples(json!({ "percent": 31, "tracks": [], "artists": ["Adele"], "genres": ["pop"] })))]
pub struct CommonTaste {
    #[schema(minimum = 0, maximum = 100)]
    pub percent: i64,
    pub tracks: Vec<String>,
    pub artists: Vec<String>,
    pub genres: Vec<String>,
}

/// The connections that two people have in common
#[derive(Serialize, ToSchema)]
pub struct CommonConnections {
    #[schema(minimum = 0, maximum = 100)]
    pub percent: i64,
    /// How many there are, of the latest thousand of each
    #[schema(minimum = 0, maximum = 1000)]
    pub total: i64,
    /// The first ten
    #[schema(max_items = 10)]
    pub people: Vec<PersonCard>,
}

/// What the other listens to and deals with most
#[derive(Serialize, ToSchema)]
pub struct TopItemsOut {
    /// Categories, and tags with a `#`
    #[schema(max_items = 10)]
    pub topics: Vec<String>,
    /// Null: nothing is known, or they do not share it; as with the two below
    #[schema(max_items = 10)]
    pub tracks: Option<Vec<String>>,
    #[schema(max_items = 10)]
    pub artists: Option<Vec<String>>,
    #[schema(max_items = 10)]
    pub genres: Option<Vec<String>>,
}

/// How much the caller and another user have in common
#[derive(Serialize, ToSchema)]
#[schema(examples(json!({
    "user": { "id": "0199d0ac-3c9e-7a2e-8f3c-000000000001", "username": "ann", "first_name": "Ann", "last_name": null,
        "avatar_url": null },
    "interests": { "percent": 50, "common": ["BOOKS"] },
    "engagement": { "percent": 23, "common": ["#rust", "TECHNOLOGY"] },
    "taste": { "percent": 31, "tracks": [], "artists": ["Adele"], "genres": ["pop"] },
    "connections": { "percent": 4, "total": 2, "people": [] },
    "top_items": { "topics": ["TECHNOLOGY", "#rust"], "tracks": ["Hello"], "artists": ["Adele"], "genres": ["pop"] }
})))]
pub struct CompatibilityOut {
    pub user: PersonCard,
    pub interests: CommonWords,
    /// Categories and tags in which both are active
    pub engagement: CommonWords,
    /// Null where one of the two has none, or the other does not share theirs
    pub taste: Option<CommonTaste>,
    pub connections: CommonConnections,
    pub top_items: TopItemsOut,
}

/// One of the two, with what is known of them.
pub struct Side {
    pub person: ComparedPerson,
    pub weights: Weights,
    pub taste: Option<TasteItems>,
}

/// A share of 0 to 1 in percent.
fn percent(share: f64) -> i64 {
    #[expect(clippy::cast_possible_truncation, reason = "0 to 100")]
    let percent = (share * 100.0).round() as i64;
    percent
}

impl CompatibilityOut {
    /// What a reader and another person have in common; of the other with what the reader may know.
    pub fn new(own: &Side, other: Side, connections: SharedConnections) -> Self {
        let mut interests: Vec<String> =
            own.person.interests.iter().filter(|one| other.person.interests.contains(one)).cloned().collect();
        interests.sort_unstable();
        interests.dedup();
        let ratio = |part: i64, all: i64| {
            let [part, all] = [part, all].map(|count| f64::from(u32::try_from(count).unwrap_or(u32::MAX)));
            if all > 0.0 { part / all } else { 0.0 }
        };
        let (shared, theirs) = (overlap(&own.weights, &other.weights), &other.taste);
        let names = |of: fn(&TasteItems) -> &Vec<TasteItem>| theirs.as_ref().map(|taste| top_names(of(taste)));
        Self {
            interests: CommonWords {
                percent: percent(share(&own.person.interests, &other.person.interests)),
                common: interests,
            },
            engagement: CommonWords { percent: percent(shared), common: common(&own.weights, &other.weights, NAMED) },
            taste: own.taste.as_ref().zip(theirs.as_ref()).map(|(own, theirs)| CommonTaste::new(own, theirs)),
            connections: CommonConnections {
                percent: percent(ratio(connections.common, connections.all)),
                total: connections.common,
                people: connections.people.0.into_iter().map(PersonCard::from).collect(),
            },
            top_items: TopItemsOut {
                topics: common(&other.weights, &other.weights, NAMED),
                tracks: names(|taste| &taste.tracks),
                artists: names(|taste| &taste.artists),
                genres: names(|taste| &taste.genres),
            },
            user: PersonCard {
                id: other.person.id,
                username: other.person.username,
                first_name: other.person.first_name,
                last_name: other.person.last_name,
                avatar_url: other.person.avatar_url,
            },
        }
    }
}

impl CommonTaste {
    fn new(own: &TasteItems, theirs: &TasteItems) -> Self {
        let both = |own: &[TasteItem], theirs: &[TasteItem]| {
            let both = own.iter().filter(|item| theirs.iter().any(|other| other.id == item.id));
            both.take(NAMED).map(|item| item.name.clone()).collect()
        };
        Self {
            percent: percent(own.similarity(theirs)),
            tracks: both(&own.tracks, &theirs.tracks),
            artists: both(&own.artists, &theirs.artists),
            genres: both(&own.genres, &theirs.genres),
        }
    }
}

fn top_names(items: &[TasteItem]) -> Vec<String> {
    items.iter().take(NAMED).map(|item| item.name.clone()).collect()
}
