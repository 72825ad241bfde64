//! Records what happened to a subject, and publishes what became of it.
use sqlx::PgTransaction;
use uuid::Uuid;

use super::NewEntry;
use super::appeal_tokens::AppealToken;
use super::events::producers;
use super::models::{LogEntry, appeal_proof, now};
use super::schemas::{Cause, ContentLabelled, DecisionFacts, ModerationDecided, UserStatusChanged};
use crate::core::contract::timestamp::Timestamp;
use crate::subjects::actions::Action;
use crate::subjects::changes::{Change, Ruling};
use crate::subjects::models::lock;
use crate::subjects::state::Subject;
use crate::subjects::{Standing, SubjectKey};

/// Lets something happen to a subject: the entries go into the ledger, and what follows from them is published. Returns the
/// subject before and after. The head of the ledger is locked from here on until the transaction ends, so whatever else it
/// locks (other subjects above all, by [`lock`]) it locks before.
pub async fn record(
    tx: &mut PgTransaction<'_>,
    key: SubjectKey,
    author: Uuid,
    entries: Vec<NewEntry>,
) -> sqlx::Result<(Subject, Subject)> {
    let before = lock(tx, &[(key, author)]).await?.pop().ok_or(sqlx::Error::RowNotFound)?;
    let at = now(tx).await?;
    let mut after = before.clone();
    let mut rows = Vec::with_capacity(entries.len());
    for entry in &entries {
        after.apply(&entry.change, at);
        rows.push(LogEntry::of(&after, entry, at)?);
    }
    if let Some(last) = rows.last() {
        after.save(tx).await?;
        publish_difference(tx, &before, &after, &entries, (last.id, at)).await?;
        LogEntry::append(tx, &rows).await?;
    }
    Ok((before, after))
}

/// Publishes what is different about a subject, under the id and the time of its last entry.
async fn publish_difference(
    tx: &mut PgTransaction<'_>,
    before: &Subject,
    after: &Subject,
    entries: &[NewEntry],
    (id, at): (Uuid, Timestamp),
) -> sqlx::Result<()> {
    let (key, author, version) = (after.key, after.author, after.version);
    let status = account_status(after);
    let (is_labelled, is_new_status) = (before.labels != after.labels, account_status(before) != status);
    let is_same = (before.visibility, before.locked) == (after.visibility, after.locked);
    if is_same && !is_labelled && !is_new_status {
        return Ok(());
    }
    let ruling = ruling_behind(after, entries);
    let event = ModerationDecided {
        id,
        at,
        subject_type: key.r#type,
        subject_id: key.id,
        author,
        version,
        visibility: after.visibility,
        previous_visibility: before.visibility,
        labels: &after.labels,
        locked: after.locked,
        cause: cause(entries),
        decision: ruling.map(DecisionFacts::from),
    };
    producers::moderation_decided(tx, &event).await?;
    if is_labelled {
        let (subject_type, subject_id, labels) = (key.r#type, key.id, after.labels.as_slice());
        let event = ContentLabelled { id, at, subject_type, subject_id, author, version, labels };
        producers::content_labelled(tx, &event).await?;
    }
    if is_new_status {
        let restricts =
            |ruling: &&Ruling| ruling.standing.is_some_and(|standing| standing.of_account() != Standing::Active);
        let ruling = ruling.filter(restricts);
        let (reason, decision_id) = (ruling.map(|ruling| ruling.reason), ruling.map(|ruling| ruling.decision));
        let (status, until) = status;
        let appeal_token = match decision_id.filter(|_| status == Standing::Banned) {
            Some(decision) => Some(AppealToken::new(decision, appeal_proof(&mut **tx, decision).await?).text()),
            None => None,
        };
        let event =
            UserStatusChanged { id, at, user_id: key.id, version, status, until, reason, decision_id, appeal_token };
        producers::user_status_changed(tx, &event).await?;
    }
    Ok(())
}

/// What the account's own service is to make of a user, and until when.
fn account_status(subject: &Subject) -> (Standing, Option<Timestamp>) {
    let status = subject.standing.of_account();
    (status, subject.standing_until.filter(|_| status == subject.standing))
}

/// The decision that was just made, or the strictest that is left.
fn ruling_behind<'a>(after: &'a Subject, entries: &'a [NewEntry]) -> Option<&'a Ruling> {
    let made = entries.iter().rev().find_map(|entry| match &entry.change {
        Change::Decided { ruling, .. } if ruling.has_effect() => Some(&**ruling),
        _ => None,
    });
    let left = after.active.iter().map(|held| &held.ruling);
    made.or_else(|| left.max_by_key(|ruling| (ruling.visibility, ruling.standing)))
}

/// Why a subject is different now, by the last entry that can be the reason.
fn cause(entries: &[NewEntry]) -> Cause {
    let cause = entries.iter().rev().find_map(|entry| match &entry.change {
        Change::Decided { ruling, .. } if ruling.actions.contains(&Action::Restore) => Some(Cause::Restored),
        Change::Ended { why, .. } => Some((*why).into()),
        _ => None,
    });
    cause.unwrap_or(Cause::Decided)
}
