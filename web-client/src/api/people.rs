//! People as pages show them.
use std::collections::BTreeMap;

use axum::http::Method;
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::{Caller, failures::Failure};
use crate::ground::pictures::own_picture;
use crate::ground::words::{encoded, initials, visible};

/// A person beside what they wrote.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Card {
    pub id: Uuid,
    pub username: Option<String>,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub avatar_url: Option<String>,
}

impl Card {
    /// Their name in full, or their username, or nothing.
    pub fn name(&self) -> String {
        let parts = [&self.first_name, &self.last_name];
        let full: Vec<_> =
            parts.into_iter().flatten().filter(|part| !part.trim().is_empty()).map(String::as_str).collect();
        let name = if full.is_empty() { self.username.clone().unwrap_or_default() } else { full.join(" ") };
        visible(&name)
    }

    /// `@username`, where they have one.
    pub fn handle(&self) -> Option<String> {
        self.username.as_ref().map(|name| format!("@{name}"))
    }

    /// The address of their profile.
    pub fn link(&self) -> String {
        let handle = self.username.as_deref().filter(|name| !name.is_empty());
        handle.map_or_else(|| format!("/users/{}", self.id), |name| format!("/@{}", encoded(name)))
    }

    pub fn initials(&self) -> String {
        initials(&self.name())
    }

    /// Which of eight colours their initials stand on.
    pub fn colour(&self) -> u8 {
        self.id.as_bytes()[15] % 8
    }

    /// Their picture, where it is one of the platform's own.
    pub fn avatar(&self) -> Option<String> {
        self.avatar_url.as_deref().and_then(own_picture)
    }
}

/// A person's profile as the caller sees it.
#[derive(Clone, Debug, Deserialize)]
pub struct Profile {
    #[serde(flatten)]
    pub card: Card,
    pub bio: Option<String>,
    pub location: Option<String>,
    pub banner_url: Option<String>,
    pub date_joined: DateTime<Utc>,
    #[serde(default)]
    pub interests: Vec<String>,
    #[serde(default)]
    pub total_connections: i64,
    #[serde(default)]
    pub total_followers: i64,
    pub age: Option<i32>,
    #[serde(default)]
    pub following: bool,
    #[serde(default)]
    pub followed_by: bool,
    #[serde(default)]
    pub blocked: bool,
}

impl Profile {
    pub fn banner(&self) -> Option<String> {
        self.banner_url.as_deref().and_then(own_picture)
    }
}

/// The caller.
#[derive(Clone, Debug, Deserialize)]
pub struct Me {
    #[serde(flatten)]
    pub profile: Profile,
    pub birth_date: Option<String>,
    #[serde(default)]
    pub show_age: bool,
    #[serde(default)]
    pub role: String,
    #[serde(default)]
    pub status: String,
}

impl Me {
    pub fn moderates(&self) -> bool {
        matches!(self.role.as_str(), "MODERATOR" | "ADMIN")
    }

    pub fn administers(&self) -> bool {
        self.role == "ADMIN"
    }

    pub fn muted(&self) -> bool {
        self.status == "MUTED"
    }
}

/// What a sign-in or a refresh gets.
#[derive(Clone, Debug, Deserialize)]
pub struct Tokens {
    pub access_token: String,
    pub refresh_token: String,
    pub expires_in: i64,
}

/// One sign-in of the caller.
#[derive(Debug, Deserialize)]
pub struct SessionOut {
    pub id: Uuid,
    pub device: Option<String>,
    pub address_prefix: Option<String>,
    pub last_used_at: DateTime<Utc>,
    pub current: bool,
}

/// One entry of the list of people that the caller does not want to read.
#[derive(Debug, Deserialize)]
pub struct Muted {
    pub user: Card,
}

/// What the caller does here, as it is counted.
#[derive(Debug, Deserialize)]
pub struct ActivityProfile {
    pub total_owned_posts: i64,
    pub total_post_views: i64,
    pub total_post_reactions: i64,
    pub total_post_comments: i64,
    /// 0 to 100.
    pub engagement_score: f64,
    pub status: String,
    /// The number of their posts in each category.
    #[serde(default)]
    pub summary: BTreeMap<String, f64>,
}

impl ActivityProfile {
    /// The categories that they write in, the commonest first.
    pub fn topics(&self) -> Vec<(&str, f64)> {
        let written = self.summary.iter().filter(|(_, posts)| **posts > 0.0);
        let mut written: Vec<_> = written.map(|(topic, posts)| (topic.as_str(), *posts)).collect();
        written.sort_by(|(_, one), (_, other)| other.total_cmp(one));
        written
    }
}

/// How many posts of a person the caller may see.
#[derive(Debug, Deserialize)]
pub struct PostCount {
    pub count: i64,
}

/// Something that a person listens to.
#[derive(Debug, Deserialize)]
struct TopItem {
    name: String,
}

impl Caller {
    /// What a person listens to most, of a kind; nothing where they do not share it.
    pub async fn top_items(&self, person: Uuid, kind: &str) -> Vec<String> {
        let (person, query) = (person.to_string(), [("kind", kind), ("limit", "10")]);
        let found = self.get::<Vec<TopItem>>(&["users", &person, "top-items"], &query).await.unwrap_or_default();
        found.into_iter().map(|item| item.name).collect()
    }

    pub async fn me(&self) -> Result<Me, Failure> {
        self.get(&["users", "me"], &[]).await
    }

    pub async fn profile(&self, id: Uuid) -> Result<Profile, Failure> {
        self.get(&["users", &id.to_string()], &[]).await
    }

    /// The people with these ids that the caller may see, in any order.
    pub async fn people(&self, ids: &[Uuid]) -> Result<Vec<Card>, Failure> {
        let mut ids = ids.to_vec();
        ids.sort_unstable();
        ids.dedup();
        let mut found = Vec::new();
        // The API takes at most a hundred at once; few pages have more.
        for some in ids.chunks(100) {
            found.extend(self.send::<Vec<Card>>(Method::POST, &["users", "lookup"], &json!({ "ids": some })).await?);
        }
        Ok(found)
    }
}
