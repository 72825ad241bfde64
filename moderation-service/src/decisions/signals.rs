//! Makes and ends decisions, with all that follows in the same transaction.
use sqlx::{PgExecutor, PgTransaction};
use uuid::Uuid;

use super::NewDecision;
use super::answers::CaseAnswer;
use super::effects::models::{News, OpenCase, is_claimed_by_another, is_flagged, lock_content, overturn_appeal};
use super::events::producers;
use super::locked::{End, Locked};
use super::models::Decision;
use super::schemas::{DeleteRequest, Notice, NoticeKind};
use crate::core::api::errors::Error;
use crate::core::app::identity::{Role, User};
use crate::core::contract::timestamp::Timestamp;
use crate::ledger::NewEntry;
use crate::strikes::models::{add, revoke, sum};
use crate::strikes::services::Ladder;
use crate::subjects::actions::Action;
use crate::subjects::changes::{Actor, Change, Ended, Ruling};
use crate::subjects::{SubjectKey, Visibility};

/// Whether the claim of another moderator keeps this one from deciding about a subject; it keeps no administrator.
pub async fn is_kept_by_another(db: impl PgExecutor<'_>, moderator: &User, key: SubjectKey) -> sqlx::Result<bool> {
    Ok(moderator.role < Role::Admin && is_claimed_by_another(db, key, moderator.id).await?)
}

/// Makes a decision. Of a machine it takes what machines may do, and nothing else. A person's decision is the end of what machines
/// have held, of the review and of the claim; the rows of its reports are those of the features above.
pub async fn decide(tx: &mut PgTransaction<'_>, new: NewDecision) -> Result<Decision, Error> {
    let by_person = new.is_by_person();
    if !by_person && !new.actions.iter().all(|action| action.is_for_machines() || new.removes_spam(action)) {
        return Err(Error::Internal(anyhow::anyhow!("a machine must not do one of {:?}", new.actions)));
    }
    if !new.key.is_user() {
        lock_content(tx, new.key.id).await?;
    }
    let mut locked = Locked::open(tx, new.key, new.author, by_person).await?;
    let news = match new.seen {
        Some(seen) => News::since(tx, new.key, seen, new.actor.person()).await?,
        None => News::default(),
    };
    end_those_before(tx, &mut locked, &new, &news).await?;
    let found = found_by_machine(tx, &locked, &new).await?;
    let decision = store(tx, &new, &locked, found).await?;
    let answer = CaseAnswer::give(tx, &mut locked, &new, &news).await?;
    add_rulings(&mut locked, &new, &decision, answer);
    let at = locked.at;
    let (before, after) = locked.record(tx).await?;
    if new.key.is_in_contract() && !before.visibility.is_hidden() && after.visibility.is_hidden() {
        request_deletion(tx, &new, after.version).await?;
    }
    if let Some((kind, title, text)) = decision.notice() {
        producers::moderation_notice(tx, &notice(&decision, at, kind, title, text)).await?;
    }
    Ok(decision)
}

/// Requests of the content's own service what the contract has for it.
async fn request_deletion(tx: &mut PgTransaction<'_>, new: &NewDecision, version: i64) -> sqlx::Result<()> {
    let (r#type, content_id, reason) = (new.key.r#type, new.key.id, new.reason.contract());
    let OpenCase { id, created_at, updated_at, raw_content } =
        OpenCase::open(tx, (new.key, new.author), reason).await?;
    let request = DeleteRequest {
        id,
        created_at,
        created_by: None,
        updated_at,
        updated_by: None,
        r#type,
        content_id,
        raw_content,
        status: "DELETE_REQUESTED",
        reason,
        decision_version: version,
    };
    producers::delete_requested(tx, &request).await
}

/// Makes a moderator's decision: beside all else, what it hides or removes is a strike, and the ladder says what follows from the sum.
pub async fn moderate(tx: &mut PgTransaction<'_>, ladder: &Ladder, new: NewDecision) -> Result<Decision, Error> {
    let (actor, author) = (new.actor, new.author);
    let decision = decide(tx, new).await?;
    if !decision.is_strike() {
        return Ok(decision);
    }
    let before = sum(&mut **tx, author, decision.at).await?;
    add(tx, (decision.id, author), decision.reason.weight(), decision.at, ladder.strike_days).await?;
    let after = sum(&mut **tx, author, decision.at).await?;
    if let Some(rung) = ladder.reached(before, after) {
        let (key, actions) = (SubjectKey::user(author), vec![rung.action.clone()]);
        let follows = NewDecision {
            actor,
            strikes: Some(rung.from),
            ..NewDecision::of_machine(key, author, actions, decision.reason)
        };
        decide(tx, follows).await?;
    }
    Ok(decision)
}

/// Ends what a new decision ends: all that is in force when it restores the subject, and else what machines have held until a
/// person looks; but nothing that its moderator has not seen.
async fn end_those_before(
    tx: &mut PgTransaction<'_>,
    locked: &mut Locked,
    new: &NewDecision,
    news: &News,
) -> sqlx::Result<()> {
    let restores = new.actions.contains(&Action::Restore);
    let is_held = |ruling: &Ruling| new.is_by_person() && ruling.visibility == Some(Visibility::Held);
    let is_over = |ruling: &Ruling| (restores || is_held(ruling)) && !news.decisions.contains(&ruling.decision);
    let why = if new.restricts() { Ended::Superseded } else { Ended::Reversed };
    let end = End { why, actor: new.actor, note: None };
    let over = locked.subject.active.iter().filter(|held| is_over(&held.ruling));
    let over: Vec<Uuid> = over.map(|held| held.ruling.decision).collect();
    for id in over {
        let Some(decision) = Decision::find(&mut **tx, id).await? else { continue };
        if decision.key == locked.subject.key {
            if end_with(tx, locked, &decision, &end).await? && why == Ended::Reversed {
                let (title, text) = decision.taken_back();
                let at = locked.at;
                producers::moderation_notice(tx, &notice(&decision, at, NoticeKind::Restored, title, text)).await?;
            }
        } else {
            // A decision about a content has muted the user who is restored: it remains in force for the content.
            locked.end(&decision, &end);
            Decision::forget_standing(tx, id, locked.at).await?;
        }
    }
    Ok(())
}

/// Whether a machine has found what a decision is about: by the analysis that it follows from, or by what a person has looked at.
async fn found_by_machine(tx: &mut PgTransaction<'_>, locked: &Locked, new: &NewDecision) -> sqlx::Result<bool> {
    if !new.is_by_person() || new.strikes.is_some() {
        return Ok(new.analysis.is_some());
    }
    let is_held = locked.subject.active.iter().any(|held| held.ruling.automated && held.ruling.policy.is_some());
    Ok(is_held || is_flagged(tx, new.key).await?)
}

/// Stores the row of a new decision.
async fn store(
    tx: &mut PgTransaction<'_>,
    new: &NewDecision,
    locked: &Locked,
    found_by_machine: bool,
) -> sqlx::Result<Decision> {
    let at = locked.at;
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
        means: new.means.clone(),
        found_by_machine: Some(found_by_machine),
        reported: Some(locked.subject.reports > 0),
        internal_note: new.internal_note.clone(),
        public_note: new.public_note.clone(),
        expires_at: new.expires_at(at),
        standing_until: new.standing(at).and_then(|(_, until)| until),
        ended_at: None,
        ended_by: None,
        appeal: None,
    };
    decision.insert(tx).await?;
    let by = match (decision.moderator, decision.strikes) {
        (_, Some(_)) => "ladder",
        (Some(_), None) => "moderator",
        (None, None) => "machine",
    };
    for action in &decision.actions {
        metrics::counter!("moderation_decisions_total", "by" => by, "action" => action.word()).increment(1);
    }
    Ok(decision)
}

/// Adds what a decision makes of its subjects, and what it answers of the case.
fn add_rulings(locked: &mut Locked, new: &NewDecision, decision: &Decision, answer: CaseAnswer) {
    let decided = |ruling, CaseAnswer { closes_review, until: answers_until }| {
        let (public_note, internal_note) = (new.public_note.clone(), new.internal_note.clone());
        let (ruling, means) = (Box::new(ruling), new.means.clone().map(Box::new));
        let change = Change::Decided { ruling, closes_review, answers_until, means, public_note, internal_note };
        NewEntry::new(new.actor, change)
    };
    let of_subject = if new.key.is_user() { decision.for_author() } else { decision.for_content() };
    locked.entries.push(decided(of_subject, answer));
    if locked.account.is_some() && new.is_about_author() {
        locked.account_entries.push(decided(decision.for_author(), CaseAnswer::default()));
    }
}

/// Ends a decision for all of its subjects; none when it has ended before. When it was wrong its strike counts no longer, and
/// what the ladder has done for more strikes than are left ends as well.
pub async fn end(
    tx: &mut PgTransaction<'_>,
    decision: Uuid,
    why: Ended,
    actor: Actor,
) -> Result<Option<Decision>, Error> {
    end_with_note(tx, decision, End { why, actor, note: None }).await
}

/// Takes a decision back, as a moderator who says why to other moderators; none when it has been taken back before.
pub async fn reverse(
    tx: &mut PgTransaction<'_>,
    decision: Uuid,
    moderator: Uuid,
    note: Option<String>,
) -> Result<Option<Decision>, Error> {
    end_with_note(tx, decision, End { why: Ended::Reversed, actor: Actor::Moderator(moderator), note }).await
}

async fn end_with_note(tx: &mut PgTransaction<'_>, decision: Uuid, end: End) -> Result<Option<Decision>, Error> {
    let Some(found) = Decision::find(&mut **tx, decision).await? else { return Ok(None) };
    let mut locked = Locked::open(tx, found.key, found.author, found.concerns_account()).await?;
    if !end_with(tx, &mut locked, &found, &end).await? {
        return Ok(None);
    }
    let at = locked.at;
    locked.record(tx).await?;
    let words = match end.why {
        Ended::Reversed => Some(found.taken_back()),
        Ended::Reread => Some(found.reread()),
        Ended::Expired | Ended::Overturned | Ended::Superseded => None,
    };
    if let Some((title, text)) = words {
        producers::moderation_notice(tx, &notice(&found, at, NoticeKind::Restored, title, text)).await?;
    }
    Ok(Decision::find(&mut **tx, decision).await?)
}

/// Lets a decision end with others; false when it has ended before.
async fn end_with(
    tx: &mut PgTransaction<'_>,
    locked: &mut Locked,
    decision: &Decision,
    end: &End,
) -> sqlx::Result<bool> {
    if !Decision::finish(tx, decision.id, end.why, locked.at).await? {
        return Ok(false);
    }
    metrics::counter!("moderation_decisions_ended_total", "why" => end.why.word()).increment(1);
    locked.end(decision, end);
    if !end.why.is_taken_back() {
        return Ok(true);
    }
    let_appeal_succeed(tx, locked, decision, end).await?;
    if revoke(tx, decision.id, locked.at).await? {
        for above in Decision::list_of_ladder(tx, decision.author).await? {
            // What the strikes that are left had added up to then, or add up to now, that others have grown old makes no mistake of it.
            let then = sum(&mut **tx, decision.author, above.at).await?;
            let left = then.max(sum(&mut **tx, decision.author, locked.at).await?);
            let is_unfounded = above.strikes.is_some_and(|strikes| left < strikes);
            if is_unfounded && Decision::finish(tx, above.id, end.why, locked.at).await? {
                locked.end(&above, end);
                let_appeal_succeed(tx, locked, &above, end).await?;
            }
        }
    }
    Ok(true)
}

/// Lets the open appeal of a decision succeed that is taken back without it.
async fn let_appeal_succeed(
    tx: &mut PgTransaction<'_>,
    locked: &mut Locked,
    decision: &Decision,
    end: &End,
) -> sqlx::Result<()> {
    if let Some(appeal) = overturn_appeal(tx, decision.id, locked.at).await? {
        let resolved = Change::AppealResolved { appeal, decision: decision.id, overturned: true, note: None };
        locked.entries_of(decision.key).push(NewEntry::new(end.actor, resolved));
    }
    Ok(())
}

/// Ends what is over of a decision: what it does to the content, to the account, or both. True when anything was.
pub async fn expire(tx: &mut PgTransaction<'_>, decision: Uuid) -> sqlx::Result<bool> {
    let Some(found) = Decision::find(&mut **tx, decision).await? else { return Ok(false) };
    let mut locked = Locked::open(tx, found.key, found.author, found.concerns_account()).await?;
    let at = locked.at;
    let Some(found) = Decision::find(&mut **tx, decision).await?.filter(|found| found.ended_at.is_none()) else {
        return Ok(false);
    };
    let is_over = |until: Option<Timestamp>| until.is_some_and(|until| until <= at);
    let end = Change::Ended { decision, why: Ended::Expired, note: None };
    let mut left = false;
    for (subject, entries) in
        [(Some(&locked.subject), &mut locked.entries), (locked.account.as_ref(), &mut locked.account_entries)]
    {
        let Some(subject) = subject.filter(|subject| subject.is_under(decision)) else { continue };
        let until = if subject.key.is_user() { found.standing_until } else { found.expires_at };
        if is_over(until) {
            entries.push(NewEntry::new(Actor::Timer, end.clone()));
        } else {
            left = true;
        }
    }
    if left {
        Decision::wait(tx, decision, at).await?;
    } else {
        Decision::finish(tx, decision, Ended::Expired, at).await?;
    }
    locked.record(tx).await?;
    Ok(true)
}

/// A notice to the author of a decision's subject.
pub fn notice(decision: &Decision, at: Timestamp, kind: NoticeKind, title: String, text: String) -> Notice {
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
