//! The queue: what a person has to look at, the most urgent first.
//!
//! Its order is a column that the database keeps (`place`, migration 0031), so that a page and a claim are each a walk along an
//! index, among a million items as among ten. A moderator claims items for a quarter of an hour, and no item is with two.
pub mod bulk;
pub mod closing;
mod filters;
pub mod models;
pub mod page;
pub mod schedulers;
mod schemas;
pub mod services;
mod signals;
mod views;

#[cfg(test)]
pub mod tests;

use axum::http::StatusCode;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::core::api::errors::Error;
use crate::core::app::App;
use crate::core::app::limits::Limit;
use crate::core::ground::settings::Rate;

/// There is no such content or user.
const SUBJECT_NOT_FOUND: Error = Error::Refused(StatusCode::NOT_FOUND, "Subject not found");
/// The caller has no claim that could end.
const NO_CLAIM: Error = Error::Refused(StatusCode::NOT_FOUND, "You have not claimed this");
/// A moderator and what they wrote themselves.
const OWN_SUBJECT: Error = Error::Refused(StatusCode::FORBIDDEN, "Another moderator has to look at what you wrote");

/// How often a moderator may read the queue and its subjects.
pub const READ_QUEUE_LIMIT: Limit = Limit {
    name: "moderation_reads",
    routes: &["GET /api/v1/moderation/queue", "GET /api/v1/moderation/subjects/{type}/{id}"],
    rate: Rate::new(600, 60),
    burst_in_development: None,
    strict: false,
};

/// How often a moderator may claim cases and appeals, escalate and note.
pub const WORK_QUEUE_LIMIT: Limit = Limit {
    name: "moderation_work",
    routes: &[
        "POST /api/v1/moderation/queue/claim",
        "POST /api/v1/moderation/subjects/{type}/{id}/claim",
        "DELETE /api/v1/moderation/subjects/{type}/{id}/claim",
        "POST /api/v1/moderation/subjects/{type}/{id}/escalate",
        "POST /api/v1/moderation/subjects/{type}/{id}/notes",
        "POST /api/v1/moderation/appeals/claim",
        "POST /api/v1/moderation/appeals/{id}/claim",
        "DELETE /api/v1/moderation/appeals/{id}/claim",
    ],
    rate: Rate::new(240, 60),
    burst_in_development: None,
    strict: false,
};

/// How often a moderator may decide about many subjects at once: 1,000 decisions each.
pub const BULK_LIMIT: Limit = Limit {
    name: "bulk_decisions",
    routes: &["POST /api/v1/moderation/decisions/bulk"],
    rate: Rate::new(10, 60),
    burst_in_development: None,
    strict: false,
};

/// The routes of the queue.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(views::list_queue))
        .routes(routes!(views::claim_next))
        .routes(routes!(views::claim_subject, views::release_subject))
        .routes(routes!(views::escalate_subject))
        .routes(routes!(views::note_subject))
        .routes(routes!(views::get_subject))
        .routes(routes!(views::decide_in_bulk))
}
