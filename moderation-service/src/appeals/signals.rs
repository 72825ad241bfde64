//! What follows from an appeal and from its outcome, in the same transaction.
use axum::http::StatusCode;
use sqlx::PgTransaction;
use uuid::Uuid;

use super::NO_SUCH_APPEAL;
use super::models::{Appeal, ONE_APPEAL, claim, is_claimed_by_another, lock_open, release, took_part};
use super::services::urgency;
use crate::core::api::errors::Error;
use crate::core::app::identity::{Role, User};
use crate::core::contract::timestamp::Timestamp;
use crate::decisions::events::producers;
use crate::decisions::models::Decision;
use crate::decisions::schemas::NoticeKind;
use crate::decisions::signals::{end, notice};
use crate::decisions::{AppealStatus, CLAIMED, NO_SUCH_DECISION};
use crate::ledger::NewEntry;
use crate::ledger::appeal_tokens::AppealToken;
use crate::ledger::models::{appeal_proof, now};
use crate::ledger::signals::record;
use crate::scopes::check_scope;
use crate::subjects::SubjectKey;
use crate::subjects::changes::{Actor, Change, Ended};
use crate::subjects::models::lock;

const ALREADY_APPEALED: Error = Error::Refused(StatusCode::CONFLICT, "The decision was appealed before");
const OVER: Error = Error::Refused(StatusCode::CONFLICT, "The decision is no longer in force");
const NO_EFFECT: Error = Error::Refused(StatusCode::CONFLICT, "The decision has no effect that could be appealed");
const TOO_LATE: Error = Error::Refused(StatusCode::CONFLICT, "The time to appeal is over");
const RESOLVED: Error = Error::Refused(StatusCode::CONFLICT, "The appeal was resolved before");
const OWN_DECISION: Error = Error::Refused(StatusCode::FORBIDDEN, "An appeal is resolved by another moderator");

/// Appeals a decision, as its author. A decision whose time is over can be appealed as well: its strike counts
/// longer than it.
pub async fn appeal(tx: &mut PgTransaction<'_>, decision: Uuid, author: Uuid, text: &str) -> Result<Appeal, Error> {
    let found = Decision::find(&mut **tx, decision).await?.filter(|found| found.author == author);
    let key = found.ok_or(NO_SUCH_DECISION)?.key;
    lock(tx, &[(key, author)]).await?;
    let at = now(tx).await?;
    // Again, now that it cannot end any more.
    let found = Decision::find(&mut **tx, decision).await?.ok_or(NO_SUCH_DECISION)?;
    if found.ended_by.is_some_and(|why| why != Ended::Expired) {
        return Err(OVER);
    }
    if found.notice().is_none() {
        return Err(NO_EFFECT);
    }
    if found.appeal_until() < at {
        return Err(TOO_LATE);
    }
    let appeal = Appeal::create(tx, (decision, author), text, urgency(&found)).await.map_err(|error| match error {
        sqlx::Error::Database(cause) if cause.constraint() == Some(ONE_APPEAL) => ALREADY_APPEALED,
        other => other.into(),
    })?;
    let change = Change::Appealed { appeal: appeal.id, decision };
    record(tx, key, author, vec![NewEntry::new(Actor::User(author), change)]).await?;
    Ok(appeal)
}

/// The decision that a token gives the right to appeal.
pub async fn decision_of(tx: &mut PgTransaction<'_>, token: &str) -> Result<Decision, Error> {
    let token = AppealToken::parse(token).ok_or(NO_SUCH_DECISION)?;
    let proof = appeal_proof(&mut **tx, token.decision).await?;
    let found = Decision::find(&mut **tx, token.decision).await?;
    found.filter(|_| token.proves(proof)).ok_or(NO_SUCH_DECISION)
}

/// The decision of an appeal that a member of staff may resolve.
async fn decision_for(tx: &mut PgTransaction<'_>, appeal: Uuid, staff: &User) -> Result<Decision, Error> {
    let found = Appeal::find(&mut **tx, appeal).await?.ok_or(NO_SUCH_APPEAL)?;
    let decision = Decision::find(&mut **tx, found.decision).await?.ok_or(NO_SUCH_DECISION)?;
    if decision.author == staff.id || took_part(&mut **tx, decision.id, staff.id).await? {
        return Err(OWN_DECISION);
    }
    check_scope(tx, staff, decision.key, Some(decision.reason)).await?;
    if found.status == AppealStatus::Open { Ok(decision) } else { Err(RESOLVED) }
}

/// Lets a moderator look at an appeal, and no other one meanwhile; until when.
pub async fn claimed(tx: &mut PgTransaction<'_>, appeal: Uuid, staff: &User) -> Result<Timestamp, Error> {
    // What is refused locks nothing, and holds up no other moderator.
    decision_for(tx, appeal, staff).await?;
    if !lock_open(tx, appeal).await? {
        return Err(RESOLVED);
    }
    claim(tx, appeal, staff.id).await?.ok_or(CLAIMED)
}

/// Resolves an appeal. A moderator does who took no part in the decision, and an author never their own. When it is overturned, the
/// decision ends with its strike and with what the ladder has done for it.
pub async fn resolve(
    tx: &mut PgTransaction<'_>,
    appeal: Uuid,
    status: AppealStatus,
    staff: &User,
    note: String,
) -> Result<Appeal, Error> {
    let decision = decision_for(tx, appeal, staff).await?;
    let moderator = staff.id;
    let (key, author) = (decision.key, decision.author);
    // All that the end of the decision needs, before the ledger's first entry.
    lock(tx, &[(key, author), (SubjectKey::user(author), author)]).await?;
    let resolved = Appeal::resolve(tx, appeal, status, moderator, &note).await?.ok_or(RESOLVED)?;
    // Now that none claims it any more.
    if staff.role < Role::Admin && is_claimed_by_another(&mut **tx, appeal, moderator).await? {
        return Err(CLAIMED);
    }
    release(&mut **tx, appeal, None).await?;
    let (actor, overturned) = (Actor::Moderator(moderator), status == AppealStatus::Overturned);
    let change = Change::AppealResolved { appeal, decision: decision.id, overturned, note: Some(note.clone()) };
    record(tx, key, author, vec![NewEntry::new(actor, change)]).await?;
    if overturned {
        end(tx, decision.id, Ended::Overturned, actor).await?;
    }
    let at = resolved.resolved_at.unwrap_or(resolved.at);
    let (title, outcome) = if overturned {
        ("Your appeal has succeeded", decision.taken_back().1)
    } else {
        (
            "Your appeal was rejected",
            format!("We have looked at our decision again, and it stands: {}.", decision.reason.sentence()),
        )
    };
    let text = format!("{outcome} {note}");
    producers::moderation_notice(tx, &notice(&decision, at, NoticeKind::AppealOutcome, title.to_owned(), text)).await?;
    Ok(resolved)
}
