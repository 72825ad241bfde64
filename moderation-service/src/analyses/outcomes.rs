//! What follows for contents that were judged: decisions of machines, and what people are asked.
use std::collections::HashMap;

use sqlx::PgTransaction;
use uuid::Uuid;

use super::models::{self, NewAnalysis, SavedAnalysis};
use super::scoring::NO_MODEL;
use crate::core::api::errors::Error;
use crate::core::contract::timestamp::Timestamp;
use crate::core::events::Failure;
use crate::decisions::NewDecision;
use crate::decisions::signals::{decide, end};
use crate::ledger::NewEntry;
use crate::ledger::signals::record;
use crate::policies::evaluation::{CompiledPolicy, Match, PolicyVerdict, evaluate};
use crate::policies::rules::{Facts, RuleOutcome};
use crate::signals::Signals;
use crate::subjects::SubjectKey;
use crate::subjects::actions::Action;
use crate::subjects::changes::{Actor, Change, Ended, PolicyRef};
use crate::subjects::means::AutomatedMeans;
use crate::subjects::models::lock as lock_subjects;
use crate::subjects::reasons::Reason;
use crate::subjects::state::Subject;
use crate::text_model::{HEADS, Head, hex};

/// A content whose version is analysed.
#[derive(Clone, Debug)]
pub struct Subjected {
    pub key: SubjectKey,
    pub author: Uuid,
    pub version: Timestamp,
    pub text: String,
}

/// What was found about a content, and what policies say about it.
pub struct Judged {
    pub content: Subjected,
    pub verdict: PolicyVerdict,
    pub analysis: NewAnalysis,
    /// The reason of what the content was recognised as, in place of the rule's.
    pub reason: Option<Reason>,
}

impl Judged {
    /// A picture with its signals, judged; it has the hash of its file, and the model that has looked at it. `reason` is that of
    /// what it was recognised as.
    pub fn of_picture(
        policies: &[CompiledPolicy],
        content: Subjected,
        (content_hash, model_version): ([u8; 32], String),
        signals: Signals,
        reason: Option<Reason>,
    ) -> Self {
        let facts = Facts { audience: content.key.r#type, model: None, signals: &signals };
        let verdict = evaluate(policies, &facts);
        let severity = verdict.strictest().map_or(0.0, |found| found.severity);
        let analysis = NewAnalysis {
            key: content.key,
            author: content.author,
            content_hash,
            model_version,
            scores: None,
            thresholds: None,
            signals,
            is_explained: false,
            normalised: None,
            matched: verdict.matches.clone(),
            verdict: verdict.outcome(),
            severity,
        };
        Self { content, verdict, analysis, reason }
    }

    /// What a decision follows from that a match leads to.
    fn means(&self, found: &Match) -> AutomatedMeans {
        let analysis = &self.analysis;
        let named = |scores: [f64; HEADS]| Head::ALL.map(|head| (head.name().to_owned(), scores[head as usize]));
        AutomatedMeans {
            content_hash: Some(hex(&analysis.content_hash)),
            model_version: Some(analysis.model_version.clone()).filter(|version| version != NO_MODEL),
            // A picture is in no language.
            language: analysis.signals.picture.is_none().then(|| analysis.signals.language.clone()),
            scores: analysis.scores.map(named).into_iter().flatten().collect(),
            comparisons: found.comparisons.clone(),
        }
    }

    /// Whether it was read in part and goes on being shown: what is hidden is shown to none before a person has looked, or its author appeals.
    fn is_unread_in_part(&self) -> bool {
        self.verdict.is_partial && self.verdict.outcome() < RuleOutcome::Hold
    }

    /// Whether a moderator wants to see it before others do: a post or a comment, and no profile.
    fn needs_approval(&self) -> bool {
        self.content.key.is_in_contract() && self.analysis.signals.surroundings.approval_required
    }
}

pub fn as_failure(error: Error) -> Failure {
    match error {
        Error::Database(cause) => cause.into(),
        other => Failure::Unknown(format!("{other:?}")),
    }
}

/// Does what follows from verdicts. Decisions that were made about an earlier text and do not hold for this one end, unless a
/// person has decided as well.
pub async fn carry_out(
    tx: &mut PgTransaction<'_>,
    judged: &[Judged],
    stored: &HashMap<Uuid, SavedAnalysis>,
) -> Result<(), Failure> {
    let ids: Vec<Uuid> = judged.iter().map(|one| one.content.key.id).collect();
    let touched = models::list_touched(tx, &ids).await?;
    let concerned = |one: &&Judged| {
        one.verdict.outcome() != RuleOutcome::Allow || one.needs_approval() || touched.contains(&one.content.key.id)
    };
    let mut concerned: HashMap<SubjectKey, &Judged> =
        judged.iter().filter(concerned).map(|one| (one.content.key, one)).collect();
    let keys: Vec<_> = concerned.values().map(|one| (one.content.key, one.content.author)).collect();
    // All are locked before the first entry: the head of the ledger is the last lock.
    let subjects = lock_subjects(tx, &keys).await?;
    // Now that no person decides any more: a decision about a profile locks its subject alone.
    let people = models::last_decisions_of_people(tx, &ids).await?;
    for subject in subjects {
        let (Some(one), Some(stored)) = (concerned.remove(&subject.key), stored.get(&subject.key.id)) else { continue };
        // What a person has decided about this version holds for it.
        if people.get(&subject.key.id).is_none_or(|at| *at < one.content.version) {
            apply(tx, subject, one, *stored).await?;
        }
    }
    Ok(())
}

/// What a machine does for an outcome; nothing for one that only asks for a person.
fn actions(verdict: &PolicyVerdict) -> Vec<Action> {
    let restriction = match verdict.outcome() {
        RuleOutcome::Allow | RuleOutcome::Label | RuleOutcome::Review => None,
        RuleOutcome::Limit => Some(Action::Limit),
        RuleOutcome::Hold => Some(Action::Hold),
        RuleOutcome::Hide => Some(Action::Hide),
        RuleOutcome::Remove => Some(Action::Remove),
    };
    let labels = verdict.labels().into_iter().map(|label| Action::Label { label: label.to_owned() });
    restriction.into_iter().chain(labels).collect()
}

/// Whether a machine holds it because its author needs approval.
fn is_held_for_approval(subject: &Subject) -> bool {
    subject.active.iter().any(|held| held.ruling.reason == Reason::OtherApproval)
}

/// Brings a subject to what its verdict says.
async fn apply(
    tx: &mut PgTransaction<'_>,
    subject: Subject,
    judged: &Judged,
    stored: SavedAnalysis,
) -> Result<(), Failure> {
    let wanted = actions(&judged.verdict);
    // Those of policies; a hold that follows from reports is none of this.
    let of_policies =
        || subject.active.iter().map(|held| &held.ruling).filter(|ruling| ruling.automated && ruling.policy.is_some());
    let has_person = subject.active.iter().any(|held| !held.ruling.automated);
    let is_in_force = of_policies().any(|ruling| ruling.actions == wanted);
    let over: Vec<Uuid> =
        of_policies().filter(|ruling| ruling.actions != wanted).map(|ruling| ruling.decision).collect();
    if let Some(found) = judged.verdict.acting().filter(|_| !wanted.is_empty() && !is_in_force) {
        let policy = PolicyRef { id: found.policy, version: found.version, rule: found.rule.clone() };
        let reason = judged.reason.unwrap_or(found.reason);
        let decision = NewDecision {
            policy: Some(policy),
            analysis: Some(stored.id),
            means: Some(judged.means(found)),
            ..NewDecision::of_machine(subject.key, subject.author, wanted.clone(), reason)
        };
        decide(tx, decision).await.map_err(as_failure)?;
    }
    let why = if wanted.is_empty() { Ended::Reread } else { Ended::Superseded };
    for decision in over.into_iter().filter(|_| !has_person) {
        end(tx, decision, why, Actor::Machine).await.map_err(as_failure)?;
    }
    if judged.needs_approval() && !is_held_for_approval(&subject) {
        // By no policy and no analysis, so that it says nothing about either, and ends when a moderator has decided about it.
        let decision = NewDecision::of_machine(subject.key, subject.author, vec![Action::Hold], Reason::OtherApproval);
        decide(tx, decision).await.map_err(as_failure)?;
    }
    let is_due = stored.is_new || !subject.review.is_open();
    let asks = match judged.verdict.outcome() {
        RuleOutcome::Allow | RuleOutcome::Hide | RuleOutcome::Remove => None,
        // What is hidden until a person has looked is as urgent as the rule says.
        RuleOutcome::Hold => judged.verdict.strictest().filter(|_| !is_in_force),
        _ => judged.verdict.review().filter(|_| is_due),
    };
    let asks = asks.map(|found| (found.severity, found.reason));
    // No rule asks for what was not read, and only a person can look at that.
    let rest = || (is_due && judged.is_unread_in_part()).then_some((judged.analysis.severity, Reason::OtherRules));
    if let Some((severity, reason)) = asks.or_else(rest) {
        let change = Change::Flagged { analysis: stored.id, severity, reason };
        record(tx, subject.key, subject.author, vec![NewEntry::new(Actor::Machine, change)]).await?;
    }
    Ok(())
}
