//! The subjects of a decision while it is made or ended, and what happens to each.
use sqlx::PgTransaction;
use uuid::Uuid;

use super::effects::models::lock_content;
use super::models::Decision;
use crate::core::contract::timestamp::Timestamp;
use crate::ledger::NewEntry;
use crate::ledger::models::now;
use crate::ledger::signals::record;
use crate::subjects::SubjectKey;
use crate::subjects::changes::{Actor, Change, Ended};
use crate::subjects::models::lock;
use crate::subjects::state::Subject;

/// Locks what a moderator is about to decide until the transaction ends, so that a claim which another one makes meanwhile is seen, or waits.
pub async fn lock_for_decision(tx: &mut PgTransaction<'_>, key: SubjectKey, author: Uuid) -> sqlx::Result<()> {
    if !key.is_user() {
        lock_content(tx, key.id).await?;
    }
    Locked::open(tx, key, author, true).await.map(drop)
}

/// The subjects of a decision, locked: the one that it is about, and its author where that is another one.
pub struct Locked {
    pub subject: Subject,
    pub account: Option<Subject>,
    pub at: Timestamp,
    /// What happens to each of the two.
    pub entries: Vec<NewEntry>,
    pub account_entries: Vec<NewEntry>,
}

impl Locked {
    pub async fn open(
        tx: &mut PgTransaction<'_>,
        key: SubjectKey,
        author: Uuid,
        with_account: bool,
    ) -> sqlx::Result<Self> {
        let mut wanted = vec![(key, author)];
        if with_account && !key.is_user() {
            wanted.push((SubjectKey::user(author), author));
        }
        // Contents are locked before users, so the account is the last one.
        let mut subjects = lock(tx, &wanted).await?;
        let account = if wanted.len() > 1 { subjects.pop() } else { None };
        let subject = subjects.pop().ok_or(sqlx::Error::RowNotFound)?;
        Ok(Self { subject, account, at: now(tx).await?, entries: Vec::new(), account_entries: Vec::new() })
    }

    /// Lets a decision end for the subject that it is about, and for each that it is in force for.
    pub fn end(&mut self, decision: &Decision, end: &End) {
        let (why, note) = (end.why, end.note.clone());
        let entry = NewEntry::new(end.actor, Change::Ended { decision: decision.id, why, note });
        let concerns = |subject: &Subject| subject.key == decision.key || subject.is_under(decision.id);
        if self.account.as_ref().is_some_and(concerns) {
            self.account_entries.push(entry.clone());
        }
        if concerns(&self.subject) {
            self.entries.push(entry);
        }
    }

    /// What happens to the one of the two that has this key: what else a decision is about is its author.
    pub fn entries_of(&mut self, key: SubjectKey) -> &mut Vec<NewEntry> {
        if self.subject.key == key { &mut self.entries } else { &mut self.account_entries }
    }

    /// Records what happens; returns the subject before and after.
    pub async fn record(self, tx: &mut PgTransaction<'_>) -> sqlx::Result<(Subject, Subject)> {
        let (before, after) = record(tx, self.subject.key, self.subject.author, self.entries).await?;
        if let Some(account) = self.account.filter(|_| !self.account_entries.is_empty()) {
            record(tx, account.key, account.author, self.account_entries).await?;
        }
        Ok((before, after))
    }
}

/// How decisions end.
pub struct End {
    pub why: Ended,
    pub actor: Actor,
    /// For moderators.
    pub note: Option<String>,
}
