//! What follows from scheduled decisions, in the same transaction.
use anyhow::Context;
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use sqlx::PgTransaction;
use uuid::Uuid;

use super::models::ScheduledDecision;
use super::schemas::ScheduledDecisionIn;
use super::{LostRight, NOT_SCHEDULED, ScheduleStatus};
use crate::core::api::errors::Error;
use crate::core::app::identity::{Role, User};
use crate::core::doors::audit::{self, Entry};
use crate::decisions::effects::models::{author_of, lock_content};
use crate::decisions::references::check_policy;
use crate::decisions::signals::{is_kept_by_another, moderate};
use crate::decisions::{CLAIMED, check_moderator};
use crate::ledger::NewEntry;
use crate::ledger::signals::record;
use crate::queue::page::models::SubjectContent;
use crate::scopes::models::{AccountRight, ModeratorScope};
use crate::scopes::{check_scope, is_in_scope, rights};
use crate::strikes::services::Ladder;
use crate::subjects::SubjectKey;
use crate::subjects::changes::{Actor, Change};

const NO_SUBJECT: Error = Error::Refused(StatusCode::NOT_FOUND, "No such subject");
const NOT_OWN: Error =
    Error::Refused(StatusCode::FORBIDDEN, "Only the moderator who has scheduled it, and administrators, cancel it");
const OVER: Error = Error::Refused(StatusCode::CONFLICT, "It waits no more");

/// Schedules a decision, under the same conditions as it is made at once.
pub async fn schedule(
    tx: &mut PgTransaction<'_>,
    staff: &User,
    key: SubjectKey,
    body: ScheduledDecisionIn,
    now: DateTime<Utc>,
) -> Result<ScheduledDecision, Error> {
    let due_at = body.due_at(now).map_err(Error::Invalid)?;
    let author = author_of(&mut **tx, key).await?.ok_or(NO_SUBJECT)?;
    check_moderator(staff, author)?;
    check_scope(tx, staff, key, None).await?;
    check_policy(&mut **tx, body.decision.policy.as_ref()).await?;
    if is_kept_by_another(&mut **tx, staff, key).await? {
        return Err(CLAIMED);
    }
    let new = body.decision.by(staff.id, key, author);
    let scheduled = ScheduledDecision::create(tx, &new, staff.id, due_at).await?;
    // When it is due their token is not at hand, and no event may have named them.
    AccountRight::save(tx, &[rights::of_caller(staff)]).await?;
    let due = scheduled.due_at.to_string();
    note(tx, Some(staff.id), &scheduled, ("decision_scheduled", &due)).await?;
    Ok(scheduled)
}

async fn note(
    tx: &mut PgTransaction<'_>,
    who: Option<Uuid>,
    scheduled: &ScheduledDecision,
    (action, detail): (&str, &str),
) -> sqlx::Result<()> {
    let result = format!("{} {} {detail}", scheduled.subject_type.word(), scheduled.subject_id);
    audit::record(&mut **tx, Entry { who, action, target: Some(scheduled.id), result: &result }).await
}

/// Takes a scheduled decision back before it is due.
pub async fn cancel(tx: &mut PgTransaction<'_>, staff: &User, id: Uuid) -> Result<(), Error> {
    let scheduled = ScheduledDecision::lock(tx, id).await?.ok_or(NOT_SCHEDULED)?;
    if scheduled.moderator != staff.id && staff.role < Role::Admin {
        return Err(NOT_OWN);
    }
    if scheduled.status != ScheduleStatus::Waiting {
        return Err(OVER);
    }
    ScheduledDecision::finish(tx, id, ScheduleStatus::Cancelled, None).await?;
    let due = scheduled.due_at.to_string();
    note(tx, Some(staff.id), &scheduled, ("scheduled_decision_cancelled", &due)).await?;
    Ok(())
}

/// Which right to a scheduled decision its moderator has lost, if any: they decide no more, or have got a scope since without the subject.
/// An error: it is not known what they may do, and nothing is decided by who may not.
async fn lost_right(tx: &mut PgTransaction<'_>, scheduled: &ScheduledDecision) -> Result<Option<LostRight>, Error> {
    let right = AccountRight::find(&mut **tx, scheduled.moderator).await?;
    if right.has_left {
        return Ok(Some(LostRight::Left));
    }
    if !right.moderates.context("it is not known what its moderator may do")? {
        return Ok(Some(LostRight::NoModerator));
    }
    if right.administrates == Some(true) {
        return Ok(None);
    }
    let scope = ModeratorScope::find(&mut **tx, scheduled.moderator).await?;
    let Some(scope) = scope.filter(|scope| scope.updated_at > scheduled.created_at) else { return Ok(None) };
    let is_inside = is_in_scope(tx, &scope.into(), scheduled.key(), None).await?;
    Ok((!is_inside).then_some(LostRight::OutOfScope))
}

/// Whether the subject of a decision is still there. Its content is locked, so that it stays there until the transaction ends.
async fn has_subject(tx: &mut PgTransaction<'_>, scheduled: &ScheduledDecision) -> sqlx::Result<bool> {
    if !scheduled.key().is_user() {
        lock_content(tx, scheduled.subject_id).await?;
    }
    let content = SubjectContent::find(&mut **tx, scheduled.key()).await?;
    Ok(content.is_some_and(|content| content.gone_at.is_none()))
}

/// Cancels a decision whose moderator has lost the right to it. What it would have decided is for a senior moderator, who reads why.
async fn withdraw(tx: &mut PgTransaction<'_>, scheduled: &ScheduledDecision, lost: LostRight) -> sqlx::Result<()> {
    if has_subject(tx, scheduled).await? {
        let entry = NewEntry::new(Actor::Timer, Change::Escalated { note: Some(lost.note()) });
        record(tx, scheduled.key(), scheduled.author, vec![entry]).await?;
    }
    ScheduledDecision::cancel_for(tx, scheduled.id, lost).await?;
    note(tx, None, scheduled, ("scheduled_decision_cancelled", lost.word())).await
}

/// Cancels a decision that a moderator who leaves has scheduled; false when none waits any more.
pub async fn moderator_left(tx: &mut PgTransaction<'_>, moderator: Uuid) -> sqlx::Result<bool> {
    let Some(scheduled) = ScheduledDecision::lock_one_of(tx, moderator).await? else { return Ok(false) };
    withdraw(tx, &scheduled, LostRight::Left).await?;
    Ok(true)
}

/// Makes a decision that is due, unless its subject was deleted or its moderator may not decide any more; what has become of it. None when it
/// waited no more.
pub async fn carry_out(tx: &mut PgTransaction<'_>, ladder: &Ladder, id: Uuid) -> Result<Option<ScheduleStatus>, Error> {
    let scheduled = ScheduledDecision::lock(tx, id).await?;
    let Some(scheduled) = scheduled.filter(|scheduled| scheduled.status == ScheduleStatus::Waiting) else {
        return Ok(None);
    };
    if !has_subject(tx, &scheduled).await? {
        ScheduledDecision::finish(tx, id, ScheduleStatus::Gone, None).await?;
        return Ok(Some(ScheduleStatus::Gone));
    }
    if let Some(lost) = lost_right(tx, &scheduled).await? {
        withdraw(tx, &scheduled, lost).await?;
        return Ok(Some(ScheduleStatus::Cancelled));
    }
    let decision = moderate(tx, ladder, scheduled.to_decision()).await?;
    ScheduledDecision::finish(tx, id, ScheduleStatus::Done, Some(decision.id)).await?;
    Ok(Some(ScheduleStatus::Done))
}
