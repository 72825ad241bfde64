//! Decisions: what moderators and machines do about a subject, what follows from it, and how it ends.
//!
//! A decision is a row, and an entry in the ledger of every subject that it changes: the content, and its author when it warns,
//! mutes or bans. It is in force until it expires, is reversed, or an appeal overturns it; then exactly its own effects end.
//! [`signals::decide`] and [`signals::end`] are the two ways to make and to end one.
mod answers;
pub mod effects;
pub mod events;
mod locked;
pub mod models;
pub mod references;
pub mod schemas;
pub mod services;
pub mod signals;
pub mod statements;
mod views;

#[cfg(test)]
pub mod tests;

use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use crate::core::api::errors::Error;
use crate::core::app::App;
use crate::core::app::identity::User;
use crate::core::app::limits::Limit;
use crate::core::ground::settings::Rate;
use crate::subjects::SubjectKey;
use crate::subjects::actions::Action;
use crate::subjects::changes::{Actor, PolicyRef};
use crate::subjects::means::AutomatedMeans;
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
    /// What a machine decides by.
    pub means: Option<AutomatedMeans>,
    /// For moderators.
    pub internal_note: Option<String>,
    /// For the author.
    pub public_note: Option<String>,
    /// For how many hours what it does to a content is in force; none: without an end.
    pub hours: Option<i32>,
    /// The sum of strikes for which the ladder leads to it; none: it is not the ladder's.
    pub strikes: Option<i32>,
    /// Whether the open reports about the subject were a misuse of reporting; they count as that when they are closed.
    pub abusive: bool,
    /// The last entry of the ledger about the subject that the moderator has seen, where that is not the last one now.
    pub seen: Option<i64>,
}

impl NewDecision {
    /// What a machine decides about a subject, by itself: by no policy, after no analysis, and without an end.
    pub fn of_machine(key: SubjectKey, author: Uuid, actions: Vec<Action>, reason: Reason) -> Self {
        Self {
            key,
            author,
            actor: Actor::Machine,
            actions,
            reason,
            policy: None,
            analysis: None,
            means: None,
            internal_note: None,
            public_note: None,
            hours: None,
            strikes: None,
            abusive: false,
            seen: None,
        }
    }
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

/// How often a user may list the decisions about them.
pub const READ_STATEMENTS_LIMIT: Limit = Limit {
    name: "statements",
    routes: &["GET /api/v1/me/moderation/decisions"],
    rate: Rate::new(300, 60),
    burst_in_development: None,
    strict: false,
};

/// How often a moderator may decide, and take decisions back.
pub const DECIDE_LIMIT: Limit = Limit {
    name: "decisions",
    routes: &[
        "POST /api/v1/moderation/subjects/{type}/{id}/decisions",
        "POST /api/v1/moderation/decisions/{id}/reverse",
        "POST /api/v1/moderation/appeals/{id}/resolve",
    ],
    rate: Rate::new(120, 60),
    burst_in_development: None,
    strict: false,
};

/// How often a moderator may read decisions, appeals, strikes and the log.
pub const READ_DECISIONS_LIMIT: Limit = Limit {
    name: "decisions_read",
    routes: &[
        "GET /api/v1/moderation/decisions/{id}",
        "GET /api/v1/moderation/appeals",
        "GET /api/v1/moderation/users/{id}/strikes",
        "GET /api/v1/moderation/log",
    ],
    rate: Rate::new(600, 60),
    burst_in_development: None,
    strict: false,
};

/// What is answered when a decision does not exist, or not for the caller.
pub const NO_SUCH_DECISION: Error = Error::Refused(StatusCode::NOT_FOUND, "No such decision");

/// What is answered when another moderator looks at a subject.
pub const CLAIMED: Error = Error::Refused(StatusCode::CONFLICT, "Another moderator has claimed this");

/// Refuses a moderator who would decide about themselves. Whether the author is a member of staff only the auth service knows,
/// which restricts none.
pub fn check_moderator(moderator: &User, author: Uuid) -> Result<(), Error> {
    let is_own = moderator.id == author;
    if is_own { Err(Error::Refused(StatusCode::FORBIDDEN, "Nobody decides about themselves")) } else { Ok(()) }
}

/// The routes of decisions.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(views::create_decision))
        .routes(routes!(views::get_decision))
        .routes(routes!(views::reverse_decision))
        .routes(routes!(views::get_my_statements))
}
