//! Recommended posts in the API: an item of a feed with its reason.
use serde::Serialize;
use utoipa::ToSchema;

use super::models::RecommendedEntry;
use super::sources::RecommendationSource;
use crate::feeds::schemas::FeedItem;
use crate::people::schemas::PersonCard;

/// Why a post is recommended
#[derive(Serialize, ToSchema)]
#[schema(examples(json!({
    "kind": "CONNECTIONS_REACTED", "number": 3, "category": null,
    "people": [{ "id": "0199d0ac-3c9e-7a2e-8f3c-000000000001", "username": "ann", "first_name": "Ann", "last_name": null,
        "avatar_url": null }],
    "text": "3 people you are connected to reacted to it"
})))]
pub struct RecommendationReason {
    pub kind: RecommendationSource,
    /// How many people or posts it is about; null: it is about none
    pub number: Option<i64>,
    /// Of `CATEGORY`: the category
    #[schema(examples("NEWS"))]
    pub category: Option<String>,
    /// Of connections: up to two of them
    pub people: Vec<PersonCard>,
    /// All of it in a sentence
    pub text: String,
}

/// A recommended post: an item of a feed, with its reason
#[derive(Serialize, ToSchema)]
pub struct RecommendedPost {
    #[serde(flatten)]
    pub post: FeedItem,
    pub reason: RecommendationReason,
}

impl RecommendationReason {
    /// The reason of an entry, in words.
    pub fn of(entry: RecommendedEntry) -> Self {
        let number = entry.number;
        let (people, posts) = match number {
            1 => ("One person you are connected to".to_owned(), "a post".to_owned()),
            _ => (format!("{number} people you are connected to"), format!("{number} posts")),
        };
        let text = match entry.source {
            RecommendationSource::ConnectionsReacted => format!("{people} reacted to it"),
            RecommendationSource::ConnectionsConnected if number == 1 => format!("{people} is connected to its author"),
            RecommendationSource::ConnectionsConnected => format!("{people} are connected to its author"),
            RecommendationSource::SimilarPosts => {
                format!("It has readers in common with {posts} that you reacted to or commented on")
            }
            RecommendationSource::Category => format!("It is about {}, one of your categories", entry.word),
            RecommendationSource::Fresh => "It was published lately".to_owned(),
            RecommendationSource::Exploration => "It is new to most: few have seen it so far".to_owned(),
        };
        Self {
            kind: entry.source,
            number: (number > 0).then_some(number),
            category: Some(entry.word).filter(|word| !word.is_empty()),
            people: entry.people.0.into_iter().map(PersonCard::from).collect(),
            text,
        }
    }
}
