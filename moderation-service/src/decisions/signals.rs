//! Makes and ends decisions, with all that follows in the same transaction.
use sqlx::PgTransaction;
use uuid::Uuid;

use super::NewDecision;
use super::events::producers;
use super::models::{Decision, author_of, lock_content, open_case, release};
use super::schemas::{Notice, NoticeKind};
use crate::core::api::errors::Error;
use crate::core::contract::timestamp::Timestamp;
use crate::ledger::NewEntry;
use crate::ledger::models::now;
use crate::ledger::signals::record;
use crate::strikes::models::{revoke, sum};
use crate::subjects::actions::Action;
use crate::subjects::changes::{Actor, Change, Ended};
use crate::subjects::models::lock;
use crate::subjects::{Subject, SubjectKey, Visibility};

/// The subjects of a decision, locked: the one that it is about, and its author where that is another one.
struct Locked {
    subject: Subject,
    account: Option<Subject>,
    at: Timestamp,
    /// What happens to each of the two.
    entries: Vec<NewEntry>,
    account_entries: Vec<NewEntry>,
}

impl Locked {
    async fn open(tx: &mut PgTransaction<'_>, key: SubjectKey, author: Uuid, with_account: bool) -> sqlx::Result<Self> {
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

    /// Lets a decision end for each of the subjects that it is in force for.
    fn end(&mut self, decision: Uuid, why: Ended, actor: Actor) {
        let entry = NewEntry::new(actor, Change::Ended { decision, why });
        if self.account.as_ref().is_some_and(|account| account.is_under(decision)) {
            self.account_entries.push(entry.clone());
        }
        if self.subject.is_under(decision) {
            self.entries.push(entry);
        }
    }

    /// Records what happens; returns the subject before and after.
    async fn record(self, tx: &mut PgTransaction<'_>) -> sqlx::Result<(Subject, Subject)> {
        let (before, after) = record(tx, self.subject.key, self.subject.author, self.entries).await?;
        if let Some(account) = self.account.filter(|_| !self.account_entries.is_empty()) {
            record(tx, account.key, account.author, self.account_entries).await?;
        }
        Ok((before, after))
    }
}

/// Makes a decision. Of a machine it takes what machines may do, and nothing else. A person's decision is the end of what machines
/// have held, of the review and of the claim; the rows of its reports are those of the features above.
pub async fn decide(tx: &mut PgTransaction<'_>, new: NewDecision) -> Result<Decision, Error> {
    let by_person = new.is_by_person();
    if !by_person && !new.actions.iter().all(Action::is_for_machines) {
        return Err(Error::Internal(anyhow::anyhow!("a machine must not do one of {:?}", new.actions)));
    }
    if !new.key.is_user() {
        lock_content(tx, new.key.id).await?;
    }
    let mut locked = Locked::open(tx, new.key, new.author, by_person).await?;
    let (at, actor) = (locked.at, new.actor);
    let restores = new.actions.contains(&Action::Restore);
    let is_over = |visibility| restores || (by_person && visibility == Some(Visibility::Held));
    let active = locked.subject.active.iter();
    let over: Vec<Uuid> =
        active.filter(|held| is_over(held.ruling.visibility)).map(|held| held.ruling.decision).collect();
    let why = if new.restricts() { Ended::Superseded } else { Ended::Reversed };
    for decision in over {
        end_with(tx, &mut locked, decision, why, actor).await?;
    }
    let decision = store(tx, &new, at).await?;
    if by_person {
        release(tx, new.key).await?;
        if locked.subject.reports > 0 && new.strikes.is_none() {
            let reports = locked.subject.reports;
            locked.entries.push(NewEntry::new(actor, Change::ReportsClosed { reports }));
        }
    }
    add_rulings(&mut locked, &new, &decision);
    let (before, after) = locked.record(tx).await?;
    if !new.key.is_user() && !before.visibility.is_hidden() && after.visibility.is_hidden() {
        let case = open_case(tx, (new.key, new.author), new.reason.contract(), after.version).await?;
        producers::delete_requested(tx, &case).await?;
    }
    if let Some((kind, title, text)) = decision.notice() {
        producers::moderation_notice(tx, &notice(&decision, at, kind, title, text)).await?;
    }
    Ok(decision)
}

/// Stores the row of a new decision.
async fn store(tx: &mut PgTransaction<'_>, new: &NewDecision, at: Timestamp) -> sqlx::Result<Decision> {
    let decision = Decision {
        id: Uuid::now_v7(),
        key: new.key,
        author: new.author,
        at,
        moderator: new.actor.person(),
        strikes: new.strikes,
        actions: new.actions.clone(),
        reason: new.reason,
        policy: new.policy.clone(),
        analysis: new.analysis,
        internal_note: new.internal_note.clone(),
        public_note: new.public_note.clone(),
        expires_at: new.expires_at(at),
        standing_until: new.standing(at).and_then(|(_, until)| until),
        ended_at: None,
        ended_by: None,
    };
    decision.insert(tx).await?;
    Ok(decision)
}

/// Adds what a decision makes of its subjects.
fn add_rulings(locked: &mut Locked, new: &NewDecision, decision: &Decision) {
    let decided = |ruling, closes_review| {
        let (public_note, internal_note) = (new.public_note.clone(), new.internal_note.clone());
        NewEntry::new(new.actor, Change::Decided { ruling: Box::new(ruling), closes_review, public_note, internal_note })
    };
    // What the ladder does is no look at the account's own reports.
    let closes_review = new.is_by_person() && new.strikes.is_none();
    let of_subject = if new.key.is_user() { decision.for_author() } else { decision.for_content() };
    locked.entries.push(decided(of_subject, closes_review));
    if locked.account.is_some() && new.is_about_author() {
        locked.account_entries.push(decided(decision.for_author(), false));
    }
}

/// Ends a decision for all of its subjects. None when it has ended before. When it was wrong its strike counts no longer,
/// and what the ladder has done for more strikes than are left ends as well.
pub async fn end(
    tx: &mut PgTransaction<'_>,
    decision: Uuid,
    why: Ended,
    actor: Actor,
) -> Result<Option<Decision>, Error> {
    let Some(found) = Decision::find(&mut **tx, decision).await? else { return Ok(None) };
    let mut locked = Locked::open(tx, found.key, found.author, true).await?;
    if !end_with(tx, &mut locked, decision, why, actor).await? {
        return Ok(None);
    }
    let at = locked.at;
    locked.record(tx).await?;
    if why == Ended::Reversed {
        let (title, text) = found.restored();
        producers::moderation_notice(tx, &notice(&found, at, NoticeKind::Restored, title, text)).await?;
    }
    Ok(Decision::find(&mut **tx, decision).await?)
}

/// Lets a decision end with others; false when it has ended before.
async fn end_with(
    tx: &mut PgTransaction<'_>,
    locked: &mut Locked,
    decision: Uuid,
    why: Ended,
    actor: Actor,
) -> sqlx::Result<bool> {
    if !Decision::finish(tx, decision, why, locked.at).await? {
        return Ok(false);
    }
    locked.end(decision, why, actor);
    if why.is_taken_back() && revoke(tx, decision, locked.at).await? {
        let author = locked.subject.author;
        let left = sum(&mut **tx, author, locked.at).await?;
        for above in Decision::above(tx, author, left).await? {
            if Decision::finish(tx, above, why, locked.at).await? {
                locked.end(above, why, actor);
            }
        }
    }
    Ok(true)
}

/// A notice to the author of a decision's subject.
fn notice(decision: &Decision, at: Timestamp, kind: NoticeKind, title: String, text: String) -> Notice {
    Notice {
        id: Uuid::now_v7(),
        at,
        user_id: decision.author,
        kind,
        title,
        text,
        subject_type: decision.key.r#type,
        subject_id: decision.key.id,
        decision_id: Some(decision.id),
    }
}
