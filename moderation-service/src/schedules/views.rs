//! The routes of scheduled decisions; for moderators.
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use chrono::Utc;
use uuid::Uuid;

use super::models::{ScheduleFilter, ScheduledDecision};
use super::schemas::{ScheduledDecisionIn, ScheduledDecisionOut};
use super::signals;
use crate::core::api::errors::{Error, Problem};
use crate::core::api::pagination::Page;
use crate::core::app::App;
use crate::core::contract::extract::{Json as Body, Path, Query};
use crate::core::contract::fields::invalid;
use crate::subjects::SubjectKey;
use crate::subjects::staff::Moderator;

/// Decide now what is to be done later about a post, a comment, a picture or a user
///
/// When it is due the decision is made like any other, unless its subject was deleted before, or its moderator may not decide any more. Until
/// then it has no effect. What has come since it was scheduled stays open.
#[utoipa::path(post, path = "/moderation/subjects/{type}/{id}/scheduled-decisions", tag = "moderation", params(
    ("type" = String, Path, max_length = 7, example = "POST", description = "POST, COMMENT, MEDIA or USER"),
    ("id" = Uuid, Path, description = "The post, comment, picture or user"),
), request_body = ScheduledDecisionIn, responses(
    (status = 201, body = ScheduledDecisionOut),
    (status = 403, body = Problem, description = "Not a moderator, or the subject is the moderator's own or outside of their scope"),
    (status = 404, body = Problem, description = "There is no such subject, or no such policy, version or rule"),
    (status = 409, body = Problem, description = "Another moderator has claimed the subject; administrators schedule all the same"),
))]
pub async fn schedule_decision(
    Moderator(moderator): Moderator,
    State(app): State<App>,
    key: SubjectKey,
    Body(body): Body<ScheduledDecisionIn>,
) -> Result<(StatusCode, Json<ScheduledDecisionOut>), Error> {
    body.decision.check_fit(key.r#type)?;
    let mut tx = app.db.begin().await?;
    let scheduled = signals::schedule(&mut tx, &moderator, key, body, Utc::now()).await?;
    app.commit_with_answer(tx).await?;
    Ok((StatusCode::CREATED, Json(scheduled.into())))
}

/// List scheduled decisions, the one that was scheduled last first
#[utoipa::path(get, path = "/moderation/scheduled-decisions", tag = "moderation", params(
    ("waiting" = Option<bool>, Query, description = "True: only those that were neither made nor cancelled"),
    ("moderator" = Option<Uuid>, Query, description = "Only those that this moderator has scheduled"),
    ("limit" = Option<i64>, Query, description = "Items on a page, 1 to 200; 50 when not given"),
    ("cursor" = Option<String>, Query, description = "From the Link header of the page before"),
), responses(
    (status = 200, body = Vec<ScheduledDecisionOut>),
    (status = 403, body = Problem, description = "Not a moderator"),
))]
pub async fn get_scheduled_decisions(
    _: Moderator,
    State(app): State<App>,
    page: Page,
    query: Query,
) -> Result<Response, Error> {
    let is_waiting = query.get("waiting") == Some("true");
    let moderator = query.get("moderator").map(Uuid::try_parse).transpose().map_err(|_| {
        Error::Invalid(vec![invalid(&["query", "moderator"], "value is not a valid uuid", "type_error.uuid", None)])
    })?;
    let filter = ScheduleFilter { about: None, moderator, is_waiting };
    let scheduled = ScheduledDecision::list(&app.db, filter, page.before, page.rows()).await?;
    let scheduled: Vec<ScheduledDecisionOut> = scheduled.into_iter().map(Into::into).collect();
    Ok(page.answer(scheduled, |scheduled| (scheduled.created_at, scheduled.id)))
}

/// Cancel a scheduled decision before it is due; who has scheduled it, and administrators
#[utoipa::path(delete, path = "/moderation/scheduled-decisions/{id}", tag = "moderation", params(
    ("id" = Uuid, Path, description = "The scheduled decision"),
), responses(
    (status = 204),
    (status = 403, body = Problem, description = "Not a moderator, or another one has scheduled it"),
    (status = 404, body = Problem),
    (status = 409, body = Problem, description = "It was made or cancelled, or its subject is gone"),
))]
pub async fn cancel_scheduled_decision(
    Moderator(moderator): Moderator,
    State(app): State<App>,
    Path(id): Path,
) -> Result<StatusCode, Error> {
    let mut tx = app.db.begin().await?;
    signals::cancel(&mut tx, &moderator, id).await?;
    app.commit(tx).await?;
    Ok(StatusCode::NO_CONTENT)
}
