//! Decisions: what moderators and machines do about a subject, what follows from it, and how it ends.
//!
//! A decision is a row, and an entry in the ledger of every subject that it changes: the content, and its author when it warns,
//! mutes or bans. It is in force until it expires, is reversed, or an appeal overturns it; then exactly its own effects end.
//! [`signals::decide`] and [`signals::end`] are the two ways to make and to end one.
pub mod events;
pub mod models;
pub mod schemas;
pub mod services;
pub mod signals;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::subjects::SubjectKey;
use crate::subjects::actions::Action;
use crate::subjects::changes::{Actor, PolicyRef};
use crate::subjects::reasons::Reason;

/// A decision that is to be made.
#[derive(Clone, Debug)]
pub struct NewDecision {
    pub key: SubjectKey,
    pub author: Uuid,
    /// A machine or a moderator.
    pub actor: Actor,
    pub actions: Vec<Action>,
    pub reason: Reason,
    pub policy: Option<PolicyRef>,
    /// The analysis that it follows from.
    pub analysis: Option<Uuid>,
    /// For moderators.
    pub internal_note: Option<String>,
    /// For the author.
    pub public_note: Option<String>,
    /// For how many hours what it does to a content is in force; none: without an end.
    pub hours: Option<i32>,
    /// The sum of strikes for which the ladder leads to it; none: it is not the ladder's.
    pub strikes: Option<i32>,
}

/// How far an appeal is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, sqlx::Type, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[sqlx(type_name = "text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum AppealStatus {
    Open,
    /// The decision stands
    Upheld,
    /// The decision was wrong, and its effects have ended
    Overturned,
}
