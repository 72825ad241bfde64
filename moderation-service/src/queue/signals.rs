//! What follows from work in the queue, in the same transaction: entries in the ledger.
use sqlx::PgTransaction;
use uuid::Uuid;

use super::bulk::{BulkDecisionIn, BulkOutcome};
use super::models::release;
use super::page::models::SubjectContent;
use super::{OWN_SUBJECT, SUBJECT_NOT_FOUND};
use crate::core::api::errors::Error;
use crate::core::app::identity::User;
use crate::decisions::models::lock_content;
use crate::decisions::signals as decisions;
use crate::ledger::NewEntry;
use crate::ledger::signals::record;
use crate::scopes::is_in_scope;
use crate::scopes::services::ScopeFilter;
use crate::strikes::services::Ladder;
use crate::subjects::SubjectKey;
use crate::subjects::changes::{Actor, Change};
use crate::subjects::models::lock;
use crate::subjects::state::Subject;

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
        // It is for a senior moderator from now on, and for no other who has claimed it.
        release(&mut **tx, key, None).await?;
    }
    let entry = NewEntry::new(Actor::Moderator(moderator), change);
    let (_, after) = record(tx, key, content.author, vec![entry]).await?;
    Ok(after)
}

/// Lets a moderator decide about one subject of many; what became of it.
pub async fn decided(
    tx: &mut PgTransaction<'_>,
    ladder: &Ladder,
    (moderator, scope): (&User, &ScopeFilter),
    key: SubjectKey,
    body: &BulkDecisionIn,
) -> Result<(BulkOutcome, Option<Uuid>), Error> {
    let Some(content) = SubjectContent::find(&mut **tx, key).await? else { return Ok((BulkOutcome::NotFound, None)) };
    if content.author == moderator.id {
        return Ok((BulkOutcome::Own, None));
    }
    if !is_in_scope(tx, scope, key, None).await? {
        return Ok((BulkOutcome::OutOfScope, None));
    }
    if decisions::is_kept_by_another(&mut **tx, moderator, key).await? {
        return Ok((BulkOutcome::Claimed, None));
    }
    if !body.decision.fits(key.r#type) {
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
    let decision = decisions::moderate(tx, ladder, body.decision.clone().by(moderator.id, key, content.author)).await?;
    Ok((BulkOutcome::Decided, Some(decision.id)))
}
