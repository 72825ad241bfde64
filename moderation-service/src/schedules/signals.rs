//! What follows from scheduled decisions, in the same transaction.
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use sqlx::PgTransaction;
use uuid::Uuid;

use super::models::ScheduledDecision;
use super::schemas::ScheduledDecisionIn;
use super::{NOT_SCHEDULED, ScheduleStatus};
use crate::core::api::errors::Error;
use crate::core::app::identity::{Role, User};
use crate::core::doors::audit::{self, Entry};
use crate::decisions::effects::models::author_of;
use crate::decisions::references::check_policy;
use crate::decisions::signals::{is_kept_by_another, moderate};
use crate::decisions::{CLAIMED, check_moderator};
use crate::queue::page::models::SubjectContent;
use crate::scopes::check_scope;
use crate::strikes::services::Ladder;
use crate::subjects::SubjectKey;

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
    note(tx, staff, &scheduled, "decision_scheduled").await?;
    Ok(scheduled)
}

async fn note(
    tx: &mut PgTransaction<'_>,
    staff: &User,
    scheduled: &ScheduledDecision,
    action: &str,
) -> sqlx::Result<()> {
    let result = format!("{} {} {}", scheduled.subject_type.word(), scheduled.subject_id, scheduled.due_at);
    audit::record(&mut **tx, Entry { who: Some(staff.id), action, target: Some(scheduled.id), result: &result }).await
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
    note(tx, staff, &scheduled, "scheduled_decision_cancelled").await?;
    Ok(())
}

/// Makes a decision that is due, unless its subject was deleted; what has become of it. None when it waited no more.
pub async fn carry_out(tx: &mut PgTransaction<'_>, ladder: &Ladder, id: Uuid) -> Result<Option<ScheduleStatus>, Error> {
    let scheduled = ScheduledDecision::lock(tx, id).await?;
    let Some(scheduled) = scheduled.filter(|scheduled| scheduled.status == ScheduleStatus::Waiting) else {
        return Ok(None);
    };
    let content = SubjectContent::find(&mut **tx, scheduled.key()).await?;
    if content.is_none_or(|content| content.gone_at.is_some()) {
        ScheduledDecision::finish(tx, id, ScheduleStatus::Gone, None).await?;
        return Ok(Some(ScheduleStatus::Gone));
    }
    let decision = moderate(tx, ladder, scheduled.to_decision()).await?;
    ScheduledDecision::finish(tx, id, ScheduleStatus::Done, Some(decision.id)).await?;
    Ok(Some(ScheduleStatus::Done))
}
