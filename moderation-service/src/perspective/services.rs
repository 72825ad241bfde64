//! From a comment to the scores of its attributes.
use std::collections::BTreeMap;

use super::attributes::{Attribute, PartReading};
use super::language;
use super::reader::TextReader;
use super::refusals::Refusal;
use super::schemas::{AnalyzeCommentResponse, AttributeScores, CheckedComment, PROBABILITY, Score, SpanScore};
use super::spans::{TextPart, sentences, whole};
use crate::moderations::lexicon::{WordSeverities, severities};

/// Scores a comment. A language that no attribute supports is refused, or leaves no attribute where the request wants that.
pub async fn analyze(reader: &TextReader, mut comment: CheckedComment) -> Result<AnalyzeCommentResponse, Refusal> {
    let model_version = reader.version()?.to_owned();
    let detected: Vec<String> = language::detect(&comment.text).into_iter().map(str::to_owned).collect();
    let asked = if comment.languages.is_empty() { &detected } else { &comment.languages };
    if !asked.is_empty() && !asked.iter().any(|code| language::is_supported(code)) {
        if !comment.drops_unsupported {
            let attribute = comment.attributes.first().ok_or(Refusal::NoAttributes)?.0.name();
            return Err(Refusal::Language { attribute, asked: asked.clone(), detected });
        }
        comment.attributes.clear();
    }
    let languages = if asked.is_empty() { vec![language::SUPPORTED.to_owned()] } else { asked.clone() };
    let readings = if comment.attributes.is_empty() { Vec::new() } else { read(reader, &comment).await? };
    let mut attribute_scores = BTreeMap::new();
    for (attribute, threshold) in &comment.attributes {
        if let Some(scores) = scores(*attribute, *threshold, &readings) {
            attribute_scores.insert(attribute.name(), scores);
        }
    }
    Ok(AnalyzeCommentResponse {
        attribute_scores,
        languages,
        detected_languages: detected,
        client_token: comment.client_token,
        model_version,
    })
}

/// What is found in the whole comment, and then in each of its spans.
async fn read<'a>(reader: &TextReader, comment: &'a CheckedComment) -> Result<Vec<PartReading<'a>>, Refusal> {
    let mut spans = vec![whole(&comment.text)];
    if comment.has_spans {
        spans.extend(sentences(&comment.text));
    }
    let texts: Vec<String> = spans.iter().map(|span| span.text.to_owned()).collect();
    let needs_words = comment.attributes.iter().any(|(attribute, _)| attribute.needs_words());
    let words = find_words(if needs_words { texts.clone() } else { Vec::new() });
    let (scores, words) = tokio::try_join!(async { Ok(reader.read(texts).await?) }, words)?;
    let words = words.into_iter().chain(std::iter::repeat(WordSeverities::default()));
    let reading = |((span, scores), words): ((TextPart<'a>, _), _)| PartReading { span, scores, words };
    Ok(spans.into_iter().zip(scores).zip(words).map(reading).collect())
}

/// The words of each text; a list is searched for milliseconds, so not on an async thread.
async fn find_words(texts: Vec<String>) -> Result<Vec<WordSeverities>, Refusal> {
    let find = move || texts.iter().map(|text| severities(text)).collect();
    let found = tokio::task::spawn_blocking(find).await;
    found.map_err(|cause| Refusal::Unreadable(anyhow::Error::from(cause).into()))
}

/// The scores of an attribute that reach a threshold; none when there are none. Without spans of its own a comment is one span.
fn scores(attribute: Attribute, threshold: f64, readings: &[PartReading<'_>]) -> Option<AttributeScores> {
    let (comment, spans) = readings.split_first()?;
    let score = |reading: &PartReading<'_>| {
        let value = (attribute.score(reading) * 1e6).round() / 1e6;
        (value >= threshold).then(|| Score { value, r#type: Some(PROBABILITY.to_owned()) })
    };
    let span_score = |reading: &PartReading<'_>| {
        let TextPart { begin, end, .. } = reading.span;
        Some(SpanScore { begin, end, score: Some(score(reading)?) })
    };
    let spans = if spans.is_empty() { &readings[..1] } else { spans };
    let span_scores: Vec<SpanScore> = spans.iter().filter_map(span_score).collect();
    let summary_score = score(comment);
    let is_empty = span_scores.is_empty() && summary_score.is_none();
    (!is_empty).then_some(AttributeScores { span_scores: Some(span_scores), summary_score })
}
