//! What follows from new versions and deletions of contents, in the same transaction: analyses, and what they lead to.
use std::collections::HashMap;

use sqlx::PgTransaction;
use uuid::Uuid;

use super::models::{self, NewAnalysis, SavedAnalysis};
use super::reading::{AnalysisReader, Pipeline, Text, TextReading, hash, linked_domains};
use super::scoring::has_label;
use crate::contents::models as contents;
use crate::contents::models::Content;
use crate::core::api::errors::Error;
use crate::core::contract::timestamp::Timestamp;
use crate::core::events::Failure;
use crate::decisions::NewDecision;
use crate::decisions::signals::{decide, end};
use crate::ledger::NewEntry;
use crate::ledger::signals::record;
use crate::moderations::models::Moderation;
use crate::policies::evaluation::{CompiledPolicy, PolicyVerdict, evaluate};
use crate::policies::models::{load_policies, save_hits};
use crate::policies::rules::{Facts, RuleOutcome};
use crate::signals::Signals;
use crate::signals::models::{DomainRule, Place, find_surroundings, save_fingerprints};
use crate::subjects::actions::Action;
use crate::subjects::changes::{Actor, Change, Ended, PolicyRef};
use crate::subjects::models::lock as lock_subjects;
use crate::subjects::reasons::Reason;
use crate::subjects::state::Subject;
use crate::subjects::{SubjectKey, Visibility};

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
    content: Subjected,
    verdict: PolicyVerdict,
    analysis: NewAnalysis,
    /// The reason of what the content was recognised as, in place of the rule's.
    reason: Option<Reason>,
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
}

fn as_failure(error: Error) -> Failure {
    match error {
        Error::Database(cause) => cause.into(),
        other => Failure::Unknown(format!("{other:?}")),
    }
}

/// Contents were created or changed; each is given once. A version with the text of the one before is not judged again.
pub async fn written(tx: &mut PgTransaction<'_>, pipeline: &Pipeline, versions: Vec<Content>) -> Result<(), Failure> {
    let fresh = contents::save_versions(tx, &versions).await?;
    let versions = versions.into_iter().filter(|content| fresh.contains_key(&content.key.id));
    let (restored, written): (Vec<_>, Vec<_>) = versions.partition(|content| content.is_restored);
    let texts = written.into_iter().filter(|content| fresh.get(&content.key.id) == Some(&true)).filter_map(|content| {
        let Content { key, author, version, text, .. } = content;
        Some(Subjected { key, author, version, text: text? })
    });
    // What was restored because a decision has ended is no reversal of the others, which may have been made meanwhile.
    restore(tx, restored.into_iter().filter(|content| !content.follows_decision).collect()).await?;
    analyse(tx, pipeline, texts.collect()).await
}

/// Moderators have restored contents at the service that has them: no decision hides them any more.
async fn restore(tx: &mut PgTransaction<'_>, contents: Vec<Content>) -> Result<(), Failure> {
    let ids: Vec<Uuid> = contents.iter().map(|content| content.key.id).collect();
    let touched = models::list_touched(tx, &ids).await?;
    let keys: Vec<_> = contents
        .iter()
        .filter(|content| touched.contains(&content.key.id))
        .map(|content| (content.key, content.author))
        .collect();
    Moderation::close(tx, &ids).await?;
    for subject in lock_subjects(tx, &keys).await? {
        // Labels and limits are not what the moderator has taken back.
        for held in subject.active.iter().filter(|held| held.ruling.visibility.is_some_and(Visibility::is_hidden)) {
            end(tx, held.ruling.decision, Ended::Reversed, Actor::Operator(None)).await.map_err(as_failure)?;
        }
    }
    Ok(())
}

/// Contents were deleted, by their authors or by moderators.
pub async fn deleted(tx: &mut PgTransaction<'_>, ids: &[Uuid]) -> sqlx::Result<()> {
    contents::save_deletions(tx, ids).await?;
    models::erase_texts(tx, ids).await?;
    Moderation::close(tx, ids).await?;
    let touched = models::list_touched(tx, ids).await?;
    let keys = contents::list_keys(&mut **tx, &touched).await?;
    for subject in lock_subjects(tx, &keys).await? {
        if subject.review.is_open() || subject.reports > 0 {
            let entry = NewEntry::new(Actor::User(subject.author), Change::Gone);
            record(tx, subject.key, subject.author, vec![entry]).await?;
        }
    }
    Ok(())
}

/// Contents were hidden on moderation's request, or the request found them deleted. A moderator may restore them, so that later
/// versions are analysed.
pub async fn hidden(tx: &mut PgTransaction<'_>, ids: &[Uuid]) -> sqlx::Result<()> {
    contents::lock(tx, ids).await?;
    Moderation::close(tx, ids).await
}

/// Analyses contents that this transaction has locked, each once, and carries out what policies say about them.
pub async fn analyse(tx: &mut PgTransaction<'_>, pipeline: &Pipeline, contents: Vec<Subjected>) -> Result<(), Failure> {
    if contents.is_empty() {
        return Ok(());
    }
    let readings = read(tx, &pipeline.reader, &contents).await?;
    let policies = load_policies(&mut **tx).await?;
    let signals = look_up(tx, &contents, &readings, pipeline.settings.window()).await?;
    let judged: Vec<Judged> = contents
        .into_iter()
        .zip(readings)
        .zip(signals)
        .map(|((content, reading), signals)| judge(&policies, pipeline.reader.version(), content, reading, signals))
        .collect();
    conclude(tx, judged).await
}

/// Stores what was judged, each content once, and carries out what policies say. The transaction has locked the contents.
pub async fn conclude(tx: &mut PgTransaction<'_>, judged: Vec<Judged>) -> Result<(), Failure> {
    let stored = save(tx, &judged).await?;
    carry_out(tx, &judged, &stored).await
}

/// Reads texts off the async threads; what this model has read before is not read again.
async fn read(
    tx: &mut PgTransaction<'_>,
    reader: &AnalysisReader,
    contents: &[Subjected],
) -> Result<Vec<TextReading>, Failure> {
    let ids: Vec<Uuid> = contents.iter().map(|content| content.key.id).collect();
    let hashes: Vec<Vec<u8>> = contents.iter().map(|content| hash(&content.text).to_vec()).collect();
    let mut known = models::find_known(tx, reader.version(), &ids, &hashes).await?;
    let texts: Vec<Text> = contents
        .iter()
        .map(|content| Text {
            content: content.key.id,
            body: content.text.clone(),
            known: known.remove(&content.key.id),
        })
        .collect();
    let reader = reader.clone();
    let read = tokio::task::spawn_blocking(move || reader.read(&texts)).await;
    read.map_err(|cause| Failure::Unknown(cause.to_string()))?.map_err(|cause| Failure::Unknown(format!("{cause:#}")))
}

/// Adds to what was read what only the database knows, in the order of the contents.
async fn look_up(
    tx: &mut PgTransaction<'_>,
    contents: &[Subjected],
    readings: &[TextReading],
    window: f64,
) -> sqlx::Result<Vec<Signals>> {
    let places: Vec<Place> = contents
        .iter()
        .zip(readings)
        .map(|(content, reading)| Place {
            content: content.key.id,
            author: content.author,
            at: content.version,
            fingerprint: reading.fingerprint,
        })
        .collect();
    save_fingerprints(tx, &places).await?;
    let mut surroundings = find_surroundings(tx, &places, window).await?;
    let domains = linked_domains(readings);
    let rules = if domains.is_empty() { HashMap::new() } else { DomainRule::verdicts(&mut **tx, &domains).await? };
    let signals = readings.iter().map(|one| one.signals(&rules, surroundings.remove(&one.content).unwrap_or_default()));
    Ok(signals.collect())
}

fn judge(
    policies: &[CompiledPolicy],
    version: &str,
    content: Subjected,
    reading: TextReading,
    signals: Signals,
) -> Judged {
    let facts = Facts { audience: content.key.r#type, model: reading.model, signals: &signals };
    let (verdict, severity) = (evaluate(policies, &facts), facts.severity());
    let analysis = NewAnalysis {
        key: content.key,
        author: content.author,
        content_hash: reading.hash,
        model_version: version.to_owned(),
        scores: reading.model.map(|model| model.scores),
        thresholds: reading.model.map(|model| model.thresholds),
        signals,
        is_explained: reading.model.as_ref().is_some_and(has_label),
        normalised: reading.normalised,
        matched: verdict.matches.clone(),
        verdict: verdict.outcome(),
        severity,
    };
    Judged { content, verdict, analysis, reason: None }
}

/// Stores the analyses, and how often each rule has matched.
async fn save(tx: &mut PgTransaction<'_>, judged: &[Judged]) -> Result<HashMap<Uuid, SavedAnalysis>, Failure> {
    for one in judged {
        metrics::counter!("texts_analysed_total", "verdict" => one.analysis.verdict.word()).increment(1);
    }
    save_hits(tx, judged.iter().flat_map(|one| &one.verdict.matches)).await?;
    let analyses: Vec<&NewAnalysis> = judged.iter().map(|one| &one.analysis).collect();
    Ok(models::save(tx, &analyses).await?)
}

/// Does what follows from verdicts. Decisions that were made about an earlier text and do not hold for this one end, unless a
/// person has decided as well.
async fn carry_out(
    tx: &mut PgTransaction<'_>,
    judged: &[Judged],
    stored: &HashMap<Uuid, SavedAnalysis>,
) -> Result<(), Failure> {
    let ids: Vec<Uuid> = judged.iter().map(|one| one.content.key.id).collect();
    let touched = models::list_touched(tx, &ids).await?;
    let concerned =
        |one: &&Judged| one.verdict.outcome() != RuleOutcome::Allow || touched.contains(&one.content.key.id);
    let mut concerned: HashMap<SubjectKey, &Judged> =
        judged.iter().filter(concerned).map(|one| (one.content.key, one)).collect();
    let keys: Vec<_> = concerned.values().map(|one| (one.content.key, one.content.author)).collect();
    let people = models::last_decisions_of_people(tx, &ids).await?;
    // All are locked before the first entry: the head of the ledger is the last lock.
    for subject in lock_subjects(tx, &keys).await? {
        let (Some(one), Some(stored)) = (concerned.remove(&subject.key), stored.get(&subject.key.id)) else { continue };
        // What a person has decided about this version holds for it.
        if people.get(&subject.key.id).is_none_or(|at| *at < one.content.version) {
            apply(tx, subject, one, *stored).await?;
        }
    }
    Ok(())
}

/// What a machine does for an outcome; nothing for one that only asks for a person, nor to a user, whatever they say of themselves.
fn actions(key: SubjectKey, verdict: &PolicyVerdict) -> Vec<Action> {
    if key.is_user() {
        return Vec::new();
    }
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

/// Brings a subject to what its verdict says.
async fn apply(
    tx: &mut PgTransaction<'_>,
    subject: Subject,
    judged: &Judged,
    stored: SavedAnalysis,
) -> Result<(), Failure> {
    let wanted = actions(subject.key, &judged.verdict);
    // Those of policies; a hold that follows from reports is none of this.
    let of_policies =
        || subject.active.iter().map(|held| &held.ruling).filter(|ruling| ruling.automated && ruling.policy.is_some());
    let has_person = subject.active.iter().any(|held| !held.ruling.automated);
    let is_in_force = of_policies().any(|ruling| ruling.actions == wanted);
    let over: Vec<Uuid> =
        of_policies().filter(|ruling| ruling.actions != wanted).map(|ruling| ruling.decision).collect();
    if let Some(found) = judged.verdict.strictest().filter(|_| !wanted.is_empty() && !is_in_force) {
        let policy = PolicyRef { id: found.policy, version: found.version, rule: found.rule.clone() };
        let decision = NewDecision {
            key: subject.key,
            author: subject.author,
            actor: Actor::Machine,
            actions: wanted.clone(),
            reason: judged.reason.unwrap_or(found.reason),
            policy: Some(policy),
            analysis: Some(stored.id),
            internal_note: None,
            public_note: None,
            hours: None,
            strikes: None,
            abusive: false,
        };
        decide(tx, decision).await.map_err(as_failure)?;
    }
    let why = if wanted.is_empty() { Ended::Reversed } else { Ended::Superseded };
    for decision in over.into_iter().filter(|_| !has_person) {
        end(tx, decision, why, Actor::Machine).await.map_err(as_failure)?;
    }
    let asks = match judged.verdict.outcome() {
        RuleOutcome::Allow => None,
        _ if subject.key.is_user() => judged.verdict.strictest().filter(|_| stored.is_new || !subject.review.is_open()),
        RuleOutcome::Hide | RuleOutcome::Remove => None,
        // What is hidden until a person has looked is as urgent as the rule says.
        RuleOutcome::Hold => judged.verdict.strictest().filter(|_| !is_in_force),
        _ => judged.verdict.review().filter(|_| stored.is_new || !subject.review.is_open()),
    };
    if let Some(found) = asks {
        let change = Change::Flagged { analysis: stored.id, severity: found.severity, reason: found.reason };
        record(tx, subject.key, subject.author, vec![NewEntry::new(Actor::Machine, change)]).await?;
    }
    Ok(())
}
