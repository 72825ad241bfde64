//! What is found in texts, and what moderation would do with each.
use std::sync::Arc;

use axum::http::StatusCode;

use super::TextAnalysis;
use super::schemas::{PerHead, TextOut, TextSpan, TextVerdict, TextsIn, TextsOut, ThresholdsOut};
use crate::core::api::errors::Error;
use crate::moderations::services::{Analyser, Finding};
use crate::perspective::reader::Unreadable;
use crate::perspective::spans::{TextPart, sentences};
use crate::subjects::reasons::ContractReason;
use crate::text_model::{Head, Scores};

/// The heads that may lead to hiding, the gravest first, each with the reason in the contract's words. The others are for people
/// to look at: too many harmless texts are rude.
const HIDING: [(Head, ContractReason); 3] = [
    (Head::Threat, ContractReason::RulesViolation),
    (Head::Hate, ContractReason::OffensiveContent),
    (Head::Spam, ContractReason::RulesViolation),
];

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

/// Reads all texts, and where it is asked for their sentences.
pub async fn analyze(analysis: &TextAnalysis, request: TextsIn) -> Result<TextsOut, Error> {
    let reader = &analysis.reader;
    let model_version = reader.version()?.to_owned();
    let calibration = *reader.calibrations()?;
    let has_spans = request.spans;
    let texts = Arc::new(request.texts());
    let spans: Vec<Vec<TextPart<'_>>> =
        texts.iter().map(|text| if has_spans { sentences(text) } else { Vec::new() }).collect();
    let parts = spans.iter().flatten().map(|span| span.text.to_owned());
    let to_read = texts.iter().cloned().chain(parts).collect();
    let (scores, findings) = tokio::try_join!(
        async { Ok::<_, Error>(reader.read(to_read).await?) },
        find(analysis.analyser.clone(), texts.clone())
    )?;
    let (whole, parts) = scores.split_at(texts.len());
    let mut parts = parts.iter();
    let results = whole.iter().zip(findings).zip(&spans).map(|((scores, finding), spans)| {
        let (verdict, reason) = verdict(scores, finding);
        let part = |(span, scores): (&TextPart<'_>, &Scores)| TextSpan {
            begin: span.begin,
            end: span.end,
            scores: scores.scores.map(rounded).into(),
        };
        let spans = has_spans.then(|| spans.iter().zip(parts.by_ref()).map(part).collect());
        TextOut { scores: scores.scores.map(rounded).into(), labels: scores.labels.into(), verdict, reason, spans }
    });
    let results = results.collect();
    let thresholds = calibration.map(|head| ThresholdsOut { label: rounded(head.label), hide: head.hide.map(rounded) });
    Ok(TextsOut { model_version, thresholds: PerHead::from(thresholds), results })
}

/// What the analyser of cases finds in each text; it computes, so not on an async thread.
async fn find(analyser: Arc<dyn Analyser>, texts: Arc<Vec<String>>) -> Result<Vec<Option<Finding>>, Error> {
    let find = move || texts.iter().map(|text| analyser.analyse(text)).collect();
    tokio::task::spawn_blocking(find).await.map_err(|cause| Error::Internal(cause.into()))
}

/// What would happen to a text: the model's highest thresholds, and what the analyser hides already.
fn verdict(scores: &Scores, finding: Option<Finding>) -> (TextVerdict, Option<ContractReason>) {
    let by_model = HIDING.into_iter().find_map(|(head, reason)| scores.hides[head as usize].then_some(reason));
    match by_model.or(finding.map(|finding| finding.reason)) {
        Some(reason) => (TextVerdict::Hide, Some(reason)),
        None => (TextVerdict::Allow, None),
    }
}

/// A score to six digits, which is more than a probability has.
fn rounded(score: f32) -> f64 {
    (f64::from(score) * 1e6).round() / 1e6
}
