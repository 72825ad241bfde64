//! What follows from work in the queue, in the same transaction: entries in the ledger; and what follows from its entries for the
//! reports and the figures.
use serde::Deserialize;
use sqlx::PgTransaction;
use uuid::Uuid;

use super::bulk::{BulkDecisionIn, BulkOutcome};
use super::models::{FollowedEntry, SubjectContent, release, save_review_time};
use super::{OWN_SUBJECT, SUBJECT_NOT_FOUND};
use crate::core::api::errors::Error;
use crate::decisions::models::lock_content;
use crate::decisions::signals as decisions;
use crate::ledger::NewEntry;
use crate::ledger::signals::record;
use crate::reports::models::Report;
use crate::reports::{ReportStatus, signals as reports};
use crate::strikes::services::Ladder;
use crate::subjects::actions::Action;
use crate::subjects::changes::{Actor, Change, Ended};
use crate::subjects::models::lock;
use crate::subjects::{Subject, SubjectKey};

/// Lets a moderator do something with a subject that decides nothing; the subject after that.
pub async fn noted(
    tx: &mut PgTransaction<'_>,
    moderator: Uuid,
    key: SubjectKey,
    change: Change,
) -> Result<Subject, Error> {
    let content = SubjectContent::find(&mut **tx, key).await?.ok_or(SUBJECT_NOT_FOUND)?;
    if content.author == moderator {
        return Err(OWN_SUBJECT);
    }
    if matches!(change, Change::Escalated { .. }) {
        // It is for a senior moderator from now on.
        release(&mut **tx, key, Some(moderator)).await?;
    }
    let entry = NewEntry::new(Actor::Moderator(moderator), change);
    let (_, after) = record(tx, key, content.author, vec![entry]).await?;
    Ok(after)
}

/// What is read of a decision.
#[derive(Deserialize)]
struct DecidedDetails {
    decision: Uuid,
    actions: Vec<Action>,
    closes_review: bool,
}

/// What is read of the end of one.
#[derive(Deserialize)]
struct EndedDetails {
    decision: Uuid,
    why: Ended,
}

/// Closes the reports that an entry of the ledger answers; true when it has to be called again for the rest.
pub async fn followed(tx: &mut PgTransaction<'_>, entry: &FollowedEntry) -> anyhow::Result<bool> {
    let key = SubjectKey { r#type: entry.subject_type, id: entry.subject_id };
    if entry.kind == "gone" {
        return Ok(reports::close(tx, key, entry.seq, ReportStatus::Gone, None).await?);
    }
    // Erased: its account has left, and its reports are closed.
    let Some(details) = &entry.details else { return Ok(false) };
    if entry.kind == "ended" {
        let EndedDetails { decision, why } = serde_json::from_str(details)?;
        if why.is_taken_back() {
            Report::disagree(tx, decision).await?;
        }
        return Ok(false);
    }
    let DecidedDetails { decision, actions, closes_review } = serde_json::from_str(details)?;
    if !closes_review {
        return Ok(false);
    }
    save_review_time(tx, entry, decision).await?;
    let restricts = actions.iter().any(|action| action.is_about_content() || action.is_about_author());
    let status = if restricts { ReportStatus::Agreed } else { ReportStatus::Ignored };
    Ok(reports::close(tx, key, entry.seq, status, Some(decision)).await?)
}

/// Lets a moderator decide about one subject of many; what became of it.
pub async fn decided(
    tx: &mut PgTransaction<'_>,
    ladder: &Ladder,
    moderator: Uuid,
    key: SubjectKey,
    body: &BulkDecisionIn,
) -> Result<(BulkOutcome, Option<Uuid>), Error> {
    let Some(content) = SubjectContent::find(&mut **tx, key).await? else { return Ok((BulkOutcome::NotFound, None)) };
    if content.author == moderator {
        return Ok((BulkOutcome::Own, None));
    }
    if key.is_user() && body.decision.is_about_content() {
        return Ok((BulkOutcome::NotAContent, None));
    }
    if !key.is_user() {
        lock_content(tx, key.id).await?;
    }
    if body.only_open {
        let subject = lock(tx, &[(key, content.author)]).await?;
        if !subject.iter().any(|subject| subject.review.is_open()) {
            return Ok((BulkOutcome::NotOpen, None));
        }
    }
    if body.abusive {
        Report::call_abusive(tx, key).await?;
    }
    let decision = decisions::moderate(tx, ladder, body.decision.clone().by(moderator, key, content.author)).await?;
    Ok((BulkOutcome::Decided, Some(decision.id)))
}
