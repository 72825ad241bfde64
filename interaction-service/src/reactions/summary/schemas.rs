//! A summary of reactions in the API.
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::models::{Reactor, TypeCount};
use crate::reactions::Type;

/// The reactions to a post at a glance.
#[derive(Serialize, ToSchema)]
pub struct ReactionSummary {
    pub post_id: Uuid,
    /// How many users reacted
    pub total: i64,
    /// How many reactions of each type there are, the most frequent first; types without any are not listed
    pub types: Vec<TypeCountOut>,
    /// The caller's own reaction; null when there is none
    pub mine: Option<Type>,
    /// At most ten other users who reacted: first those that the caller is connected to, then the newest
    pub people: Vec<ReactorOut>,
}

/// How many reactions of one type there are.
#[derive(Serialize, ToSchema)]
pub struct TypeCountOut {
    pub r#type: Type,
    pub total: i64,
}

/// A user who reacted.
#[derive(Serialize, ToSchema)]
pub struct ReactorOut {
    pub user_id: Uuid,
    pub r#type: Type,
    /// Whether the caller is connected to them
    pub connected: bool,
}

impl ReactionSummary {
    /// The summary of a post's reactions.
    pub fn new(post_id: Uuid, types: Vec<TypeCount>, mine: Option<Type>, people: Vec<Reactor>) -> Self {
        Self {
            post_id,
            total: types.iter().map(|count| count.total).sum(),
            types: types.into_iter().map(|TypeCount { r#type, total }| TypeCountOut { r#type, total }).collect(),
            mine,
            people: people
                .into_iter()
                .map(|Reactor { user_id, r#type, connected }| ReactorOut { user_id, r#type, connected })
                .collect(),
        }
    }
}
