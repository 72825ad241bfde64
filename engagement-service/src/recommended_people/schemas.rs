//! Recommended people in the API.
use serde::Serialize;
use utoipa::ToSchema;

use super::models::RecommendedPerson;
use super::services::Grounds;
use crate::affinities::services::{Weights, common};
use crate::people::schemas::PersonCard;

/// Topics that are named of those that two people have in common.
const MAX_TOPICS: usize = 3;

/// A person that the caller may want to be connected to
#[derive(Serialize, ToSchema)]
#[schema(examples(json!({
    "user": { "id": "0199d0ac-3c9e-7a2e-8f3c-000000000001", "username": "ann", "first_name": "Ann", "last_name": null,
        "avatar_url": null },
    "reason": "3 mutual connections", "score": 0.41, "mutual_connections": 3, "follows_you": false, "similar_taste": false,
    "shared_interests": ["BOOKS"], "shared_topics": ["#rust", "TECHNOLOGY"]
})))]
pub struct RecommendedPersonOut {
    pub user: PersonCard,
    /// The strongest reason, in words
    pub reason: String,
    /// What the order follows from; 0 of a person for which nothing speaks but that they are new
    #[schema(minimum = 0)]
    pub score: f64,
    /// How many of the caller's latest 300 connections are connected to them
    #[schema(minimum = 0, maximum = 300)]
    pub mutual_connections: i64,
    /// Whether they are connected to the caller
    pub follows_you: bool,
    /// Whether they listen to the same, and share that
    pub similar_taste: bool,
    /// Interests of both
    pub shared_interests: Vec<String>,
    /// Categories, and tags with a `#`, in which both are active: the three weightiest
    #[schema(max_items = 3)]
    pub shared_topics: Vec<String>,
}

impl RecommendedPersonOut {
    /// A person as a reader sees them who has these interests and affinities.
    pub fn new(person: RecommendedPerson, interests: &[String], weights: &Weights) -> Self {
        let mut shared_interests: Vec<String> =
            person.interests.iter().filter(|interest| interests.contains(interest)).cloned().collect();
        shared_interests.sort_unstable();
        shared_interests.dedup();
        let theirs = person.weights.map(|weights| weights.0).unwrap_or_default();
        let shared_topics = common(weights, &theirs, MAX_TOPICS);
        let RecommendedPerson { mutual_connections, follows_you, similar_taste, .. } = person;
        let grounds = Grounds {
            mutual_connections,
            follows_you,
            similar_taste,
            shared_topics: &shared_topics,
            shared_interests: &shared_interests,
        };
        Self {
            reason: grounds.reason(),
            user: PersonCard {
                id: person.id,
                username: person.username,
                first_name: person.first_name,
                last_name: person.last_name,
                avatar_url: person.avatar_url,
            },
            score: person.score,
            mutual_connections,
            follows_you,
            similar_taste,
            shared_interests,
            shared_topics,
        }
    }
}
