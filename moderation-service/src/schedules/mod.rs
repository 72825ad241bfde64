//! Scheduled decisions: what a moderator decides now to be done later, such as to lock a thread for the night of an election.
//!
//! A row waits until it is due, so that a restart forgets nothing. Then the decision is made as if its moderator made it at that moment, with
//! all that follows; but it answers no more of the case than the moderator had seen, and where the moderator may not decide any more it is
//! cancelled, and the subject is for a senior moderator. Of a subject that was deleted before it is none any more. Until then it has no
//! effect, the case stays in the queue, and who has scheduled it, or an administrator, can cancel it.
pub mod models;
pub mod schedulers;
pub mod schemas;
pub mod signals;
mod views;

#[cfg(test)]
mod tests;

use axum::http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::core::api::errors::Error;
use crate::core::app::App;
use crate::core::app::limits::Limit;
use crate::core::ground::settings::Rate;

/// How far a scheduled decision is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, sqlx::Type, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[sqlx(type_name = "text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ScheduleStatus {
    /// It is not due
    Waiting,
    /// It was made
    Done,
    /// A moderator has taken it back before it was due, or its own moderator may not decide any more
    Cancelled,
    /// Its subject was deleted before it was due
    Gone,
}

/// Which right the moderator of a scheduled decision has lost, so that it is not made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, sqlx::Type, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[sqlx(type_name = "text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum LostRight {
    /// They have left the platform
    Left,
    /// They are no moderator any more, or are muted or banned
    NoModerator,
    /// The subject is outside of the scope that they were given since
    OutOfScope,
}

impl LostRight {
    /// Its word in the API.
    pub fn word(self) -> &'static str {
        match self {
            Self::Left => "LEFT",
            Self::NoModerator => "NO_MODERATOR",
            Self::OutOfScope => "OUT_OF_SCOPE",
        }
    }

    /// What other moderators read about it.
    pub fn note(self) -> String {
        let why = match self {
            Self::Left => "its moderator has left the platform",
            Self::NoModerator => "its moderator may not decide any more",
            Self::OutOfScope => "it is outside of its moderator's scope now",
        };
        format!("A decision that was scheduled about this was not made: {why}.")
    }
}

/// How often a moderator may schedule decisions, list and cancel them.
pub const SCHEDULES_LIMIT: Limit = Limit {
    name: "scheduled_decisions",
    routes: &[
        "POST /api/v1/moderation/subjects/{type}/{id}/scheduled-decisions",
        "GET /api/v1/moderation/scheduled-decisions",
        "DELETE /api/v1/moderation/scheduled-decisions/{id}",
    ],
    rate: Rate::new(120, 60),
    burst_in_development: None,
    strict: false,
};

/// What is answered when there is no such scheduled decision.
const NOT_SCHEDULED: Error = Error::Refused(StatusCode::NOT_FOUND, "No such scheduled decision");

/// The routes of scheduled decisions.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(views::schedule_decision))
        .routes(routes!(views::get_scheduled_decisions))
        .routes(routes!(views::cancel_scheduled_decision))
}
