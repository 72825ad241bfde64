//! What follows from new versions and deletions of contents, in the same transaction: analyses, and what they lead to. Texts are read before
//! it begins, since a model reads for longer than a transaction may be open: what was read counts where the text is still that one.
use std::collections::HashMap;

use sqlx::{PgPool, PgTransaction};
use uuid::Uuid;

use super::models::{self, NewAnalysis, SavedAnalysis};
use super::outcomes::{Judged, Subjected, as_failure, carry_out};
use super::reading::{AnalysisReader, Pipeline, Text, TextReading, hash, linked_domains};
use super::scoring::explained;
use crate::contents::models as contents;
use crate::contents::models::Content;
use crate::core::contract::timestamp::Timestamp;
use crate::core::events::Failure;
use crate::decisions::signals::end;
use crate::ledger::NewEntry;
use crate::ledger::signals::record;
use crate::moderations::models::Moderation;
use crate::policies::evaluation::{CompiledPolicy, PolicyVerdict, evaluate};
use crate::policies::models::{load_policies, save_hits};
use crate::policies::rules::{Facts, ModelScores};
use crate::signals::Signals;
use crate::signals::models::{DomainRule, Place, find_surroundings, save_fingerprints};
use crate::subjects::changes::{Actor, Change, Ended};
use crate::subjects::models::lock as lock_subjects;
use crate::subjects::{SubjectKey, Visibility};

/// What was read of texts, by content.
pub type Readings = HashMap<Uuid, TextReading>;

/// Reads what is new of these versions, as far as it can be seen before they are [`written`].
pub async fn read_new(db: &PgPool, reader: &AnalysisReader, versions: &[Content]) -> Result<Readings, Failure> {
    let texts = versions.iter().filter(|content| !content.is_restored);
    let texts: Vec<(&Content, &str)> = texts.filter_map(|content| Some((content, content.text.as_deref()?))).collect();
    if texts.is_empty() {
        return Ok(Readings::new());
    }
    let ids: Vec<Uuid> = texts.iter().map(|(content, _)| content.key.id).collect();
    let of_versions: Vec<Timestamp> = texts.iter().map(|(content, _)| content.version).collect();
    let hashes: Vec<Vec<u8>> = texts.iter().map(|(_, text)| hash(text).to_vec()).collect();
    let new = contents::list_new_texts(db, &ids, &of_versions, &hashes).await?;
    let unread = texts.into_iter().filter(|(content, _)| new.contains(&content.key.id));
    read(db, reader, unread.map(|(content, text)| (content.key.id, text.to_owned())).collect()).await
}

/// What was read of a content, where it was read with this text.
pub fn take_reading(readings: &mut Readings, content: &Subjected) -> Option<TextReading> {
    readings.remove(&content.key.id).filter(|reading| reading.hash == hash(&content.text))
}

/// Contents were created or changed; each is given once, with what was read before. A version with the text of the one before is not judged
/// again.
pub async fn written(
    tx: &mut PgTransaction<'_>,
    pipeline: &Pipeline,
    versions: Vec<Content>,
    mut readings: Readings,
) -> Result<(), Failure> {
    let fresh = contents::save_versions(tx, &versions).await?;
    let versions = versions.into_iter().filter(|content| fresh.contains_key(&content.key.id));
    let (restored, written): (Vec<_>, Vec<_>) = versions.partition(|content| content.is_restored);
    let mut texts = Vec::new();
    for content in written.into_iter().filter(|content| fresh.get(&content.key.id) == Some(&true)) {
        let Content { key, author, version, text: Some(text), .. } = content else { continue };
        let content = Subjected { key, author, version, text };
        // It was no new text when it was looked whether there is one to be read, since the content had it then.
        let reading = take_reading(&mut readings, &content);
        let reading = reading.ok_or_else(|| Failure::Transient("a text was changed while others were read".into()))?;
        texts.push((content, reading));
    }
    // What was restored because a decision has ended is no reversal of the others, which may have been made meanwhile.
    restore(tx, restored.into_iter().filter(|content| !content.follows_decision).collect()).await?;
    analyse(tx, pipeline, texts).await
}

/// Moderators have restored contents at the service that has them: no decision hides them any more.
async fn restore(tx: &mut PgTransaction<'_>, contents: Vec<Content>) -> Result<(), Failure> {
    let ids: Vec<Uuid> = contents.iter().map(|content| content.key.id).collect();
    let touched = models::list_touched(tx, &ids).await?;
    let restored = contents.iter().filter(|content| touched.contains(&content.key.id));
    // With their authors, whose accounts the end of a decision may concern: all are locked before the first entry.
    let keys: Vec<_> = restored
        .flat_map(|content| [content.key, SubjectKey::user(content.author)].map(|key| (key, content.author)))
        .collect();
    Moderation::close(tx, &ids).await?;
    for subject in lock_subjects(tx, &keys).await?.into_iter().filter(|subject| !subject.key.is_user()) {
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

/// Judges contents that this transaction has locked, each once, by what was read of them, and carries out what policies say about them.
pub async fn analyse(
    tx: &mut PgTransaction<'_>,
    pipeline: &Pipeline,
    texts: Vec<(Subjected, TextReading)>,
) -> Result<(), Failure> {
    if texts.is_empty() {
        return Ok(());
    }
    let (contents, readings): (Vec<Subjected>, Vec<TextReading>) = texts.into_iter().unzip();
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

/// Reads the texts of contents off the async threads and in no transaction; what this model has read before is not read again.
pub async fn read(db: &PgPool, reader: &AnalysisReader, texts: Vec<(Uuid, String)>) -> Result<Readings, Failure> {
    if texts.is_empty() {
        return Ok(Readings::new());
    }
    let ids: Vec<Uuid> = texts.iter().map(|(content, _)| *content).collect();
    let hashes: Vec<Vec<u8>> = texts.iter().map(|(_, body)| hash(body).to_vec()).collect();
    let mut known = models::find_known(db, reader.version(), &ids, &hashes).await?;
    let texts = texts.into_iter().map(|(content, body)| Text { content, body, known: known.remove(&content) });
    let (texts, reader): (Vec<Text>, _) = (texts.collect(), reader.clone());
    let read = tokio::task::spawn_blocking(move || reader.read(&texts)).await;
    let read = read.map_err(|cause| Failure::Unknown(cause.to_string()))?;
    let read = read.map_err(|cause| Failure::Unknown(format!("{cause:#}")))?;
    Ok(read.into_iter().map(|reading| (reading.content, reading)).collect())
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
        is_explained: reading.model.is_some_and(|model| is_explained(&model, &verdict)),
        normalised: reading.normalised,
        matched: verdict.matches.clone(),
        verdict: verdict.outcome(),
        severity,
    };
    Judged { content, verdict, analysis, reason: None }
}

/// Whether anything of what the model says is to be explained.
fn is_explained(model: &ModelScores, verdict: &PolicyVerdict) -> bool {
    !explained(&model.scores, &model.thresholds, &verdict.matches).is_empty()
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
