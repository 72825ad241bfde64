//! What follows from work in the queue, in the same transaction: entries in the ledger.
use sqlx::PgTransaction;
use uuid::Uuid;

use super::models::release;
use super::page::models::SubjectContent;
use super::{OWN_SUBJECT, SUBJECT_NOT_FOUND};
use crate::core::api::errors::Error;
use crate::ledger::NewEntry;
use crate::ledger::signals::record;
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
        // It is for a senior moderator from now on, and for no other who has claimed it. Claims are locked behind their subjects, as by
        // decisions.
        lock(tx, &[(key, content.author)]).await?;
        release(&mut **tx, key, None).await?;
    }
    let entry = NewEntry::new(Actor::Moderator(moderator), change);
    let (_, after) = record(tx, key, content.author, vec![entry]).await?;
    Ok(after)
}
