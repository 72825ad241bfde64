//! People and posts that a reader may like, each with the reason why, as pages show them.
use serde::Deserialize;
use uuid::Uuid;

use super::Caller;
use super::failures::Failure;
use super::people::Card;
use super::posts::Post;

/// A person to be connected to, and why.
#[derive(Clone, Debug, Deserialize)]
pub struct RecommendedPerson {
    pub user: Card,
    #[serde(default)]
    pub mutual_connections: i64,
    #[serde(default)]
    pub follows_you: bool,
    #[serde(default)]
    pub similar_taste: bool,
    #[serde(default)]
    pub shared_interests: Vec<String>,
    /// Categories, and tags with a `#`.
    #[serde(default)]
    pub shared_topics: Vec<String>,
}

impl RecommendedPerson {
    /// What both like and write about, each once.
    pub fn shared(&self) -> Vec<&String> {
        let more = self.shared_topics.iter().filter(|topic| !self.shared_interests.contains(topic));
        self.shared_interests.iter().chain(more).collect()
    }
}

/// A post that the home feed does not have, and why it is shown.
#[derive(Clone, Debug, Deserialize)]
pub struct RecommendedPost {
    #[serde(flatten)]
    pub post: Post,
    pub reason: Reason,
}

/// Why a post is recommended.
#[derive(Clone, Debug, Deserialize)]
pub struct Reason {
    pub kind: String,
    pub number: Option<i64>,
    pub category: Option<String>,
}

/// How much the reader and a person have in common.
#[derive(Clone, Debug, Deserialize)]
pub struct Compatibility {
    pub interests: Common,
    pub engagement: Common,
    pub taste: Option<Taste>,
    pub connections: CommonConnections,
    #[serde(default)]
    pub top_items: TopItems,
}

/// What a person deals with and listens to most, as far as they share it.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct TopItems {
    /// Categories, and tags with a `#`.
    #[serde(default)]
    pub topics: Vec<String>,
    pub tracks: Option<Vec<String>>,
    pub artists: Option<Vec<String>>,
    pub genres: Option<Vec<String>>,
}

/// What two people have in common of one kind, the weightiest first.
#[derive(Clone, Debug, Deserialize)]
pub struct Common {
    pub percent: i64,
    #[serde(default)]
    pub common: Vec<String>,
}

/// What both listen to.
#[derive(Clone, Debug, Deserialize)]
pub struct Taste {
    pub percent: i64,
    #[serde(default)]
    pub tracks: Vec<String>,
    #[serde(default)]
    pub artists: Vec<String>,
    #[serde(default)]
    pub genres: Vec<String>,
}

impl Taste {
    /// All of it, the most personal first.
    pub fn common(&self) -> Vec<String> {
        [&self.tracks, &self.artists, &self.genres].into_iter().flatten().cloned().collect()
    }
}

#[derive(Clone, Debug, Deserialize)]
pub struct CommonConnections {
    pub percent: i64,
    pub total: i64,
    #[serde(default)]
    pub people: Vec<Card>,
}

impl Caller {
    /// How much the caller has in common with another person.
    pub async fn compatibility(&self, person: Uuid) -> Result<Compatibility, Failure> {
        self.get(&["me", "compatibility", &person.to_string()], &[]).await
    }
}
