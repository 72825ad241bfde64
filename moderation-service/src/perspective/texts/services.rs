//! What is found in texts, and what moderation would do with each.
use std::collections::HashMap;
use std::sync::Arc;

use axum::http::StatusCode;
use sqlx::PgPool;
use uuid::Uuid;

use super::TextAnalysis;
use super::schemas::{PerHead, TextOut, TextSpan, TextVerdict, TextsIn, TextsOut, ThresholdsOut};
use crate::analyses::reading::{AnalysisReader, Text, TextReading, linked_domains};
use crate::core::api::errors::Error;
use crate::perspective::reader::Unreadable;
use crate::perspective::spans::{TextPart, sentences};
use crate::policies::evaluation::{CompiledPolicy, Match, evaluate};
use crate::policies::rules::{Facts, HeadThresholds, ModelScores, RuleOutcome};
use crate::signals::models::DomainRule;
use crate::signals::surroundings::Surroundings;
use crate::subjects::changes::PolicyRef;
use crate::text_model::Scores;

impl From<Unreadable> for Error {
    fn from(cause: Unreadable) -> Self {
        let refused = |sentence| Self::Refused(StatusCode::SERVICE_UNAVAILABLE, sentence);
        match cause {
            Unreadable::NoModel => refused("The text model is off"),
            Unreadable::Overloaded => refused("The text model has more to read than it can at the moment"),
            Unreadable::Failed(cause) => Self::Internal(cause),
        }
    }
}

/// Reads all texts, and where it is asked for their sentences, and judges each.
pub async fn analyze(db: &PgPool, analysis: &TextAnalysis, request: TextsIn) -> Result<TextsOut, Error> {
    let reader = &analysis.reader;
    let model_version = reader.version()?.to_owned();
    let calibration = *reader.calibrations()?;
    let (has_spans, audience) = (request.spans, request.audience);
    let texts = Arc::new(request.texts());
    let spans: Vec<Vec<TextPart<'_>>> =
        texts.iter().map(|text| if has_spans { sentences(text) } else { Vec::new() }).collect();
    let parts = spans.iter().flatten().map(|span| span.text.to_owned());
    let to_read = texts.iter().cloned().chain(parts).collect();
    let (scores, readings) = tokio::try_join!(
        async { Ok::<_, Error>(reader.read(to_read).await?) },
        read_alone(analysis.alone.clone(), texts.clone())
    )?;
    let policies = analysis.policies.get(db).await?;
    let domains = linked_domains(&readings);
    // Most texts link nowhere, and cost no query.
    let domains = if domains.is_empty() { HashMap::new() } else { DomainRule::verdicts(db, &domains).await? };
    let thresholds =
        calibration.map(|head| HeadThresholds { label: head.label.into(), hide: head.hide.map(f64::from) });
    let (whole, parts) = scores.split_at(texts.len());
    let mut parts = parts.iter();
    let results = whole.iter().zip(&readings).zip(&spans).map(|((scores, reading), spans)| {
        let signals = reading.signals(&domains, Surroundings::default());
        let model = Some(ModelScores { scores: scores.scores.map(f64::from), thresholds });
        let hides = hiding(&policies, &Facts { audience, model, signals: &signals });
        let part = |(span, scores): (&TextPart<'_>, &Scores)| TextSpan {
            begin: span.begin,
            end: span.end,
            scores: scores.scores.map(rounded).into(),
        };
        TextOut {
            scores: scores.scores.map(rounded).into(),
            labels: scores.labels.into(),
            verdict: if hides.is_some() { TextVerdict::Hide } else { TextVerdict::Allow },
            reason: hides.as_ref().map(|found| found.reason.contract()),
            policy: hides.map(|found| PolicyRef { id: found.policy, version: found.version, rule: found.rule }),
            spans: has_spans.then(|| spans.iter().zip(parts.by_ref()).map(part).collect()),
        }
    });
    let results = results.collect();
    let thresholds = calibration.map(|head| ThresholdsOut { label: rounded(head.label), hide: head.hide.map(rounded) });
    Ok(TextsOut { model_version, thresholds: PerHead::from(thresholds), results })
}

/// What can be said of each text without the model; it computes, so not on an async thread.
async fn read_alone(reader: AnalysisReader, texts: Arc<Vec<String>>) -> Result<Vec<TextReading>, Error> {
    let read = move || {
        let text = |body: &String| Text { content: Uuid::nil(), body: body.clone(), known: None };
        texts.iter().map(|body| reader.read_alone(&text(body))).collect()
    };
    tokio::task::spawn_blocking(read).await.map_err(|cause| Error::Internal(cause.into()))
}

/// The rule that would hide a text at once. One that holds a text until a person has looked is none: the text has to be published
/// for that.
fn hiding(policies: &[CompiledPolicy], facts: &Facts<'_>) -> Option<Match> {
    let verdict = evaluate(policies, facts);
    verdict.strictest().filter(|found| found.outcome >= RuleOutcome::Hide).cloned()
}

/// A score to six digits, which is more than a probability has.
fn rounded(score: f32) -> f64 {
    (f64::from(score) * 1e6).round() / 1e6
}
