//! The text model as an analysis uses it: its thresholds as rules read them, and why a text has its labels.
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::policies::rules::{HeadThresholds, ModelScores};
use crate::text_model::explain::explain_heads;
use crate::text_model::{HEADS, Head, TextModel};

/// The version of analyses that no model took part in.
pub const NO_MODEL: &str = "none";
/// The heads whose labels are explained, the highest scores first: together they cost some twenty readings of a short text.
const EXPLAINED: usize = 2;
/// The spans that are kept of each head.
const SPANS: usize = 5;

/// A part of a text that weighs in a score.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct WeighedSpan {
    /// The head whose score it raises
    pub head: String,
    /// The first character, and the one behind the last
    pub start: usize,
    pub end: usize,
    /// By how much the log-odds of the score fall without it
    pub weight: f64,
}

/// From where on each head of a model means something.
pub fn thresholds(model: &dyn TextModel) -> [HeadThresholds; HEADS] {
    model.calibrations().map(|head| HeadThresholds { label: head.label.into(), hide: head.hide.map(f64::from) })
}

/// Whether a text has a label, which is explained.
pub fn has_label(model: &ModelScores) -> bool {
    (0..HEADS).any(|head| model.scores[head] >= model.thresholds[head].label)
}

/// The parts of a text that weigh most in the scores for which it has a label; none where it has no label.
pub fn explain_labels(model: &dyn TextModel, text: &str, scores: &[f64; HEADS]) -> anyhow::Result<Vec<WeighedSpan>> {
    let thresholds = thresholds(model);
    let is_labelled = |head: &Head| scores[*head as usize] >= thresholds[*head as usize].label;
    let mut heads: Vec<Head> = Head::ALL.into_iter().filter(is_labelled).collect();
    heads.sort_by(|a, b| scores[*b as usize].total_cmp(&scores[*a as usize]));
    let mut spans = Vec::new();
    heads.truncate(EXPLAINED);
    if heads.is_empty() {
        return Ok(spans);
    }
    for (head, heaviest) in heads.iter().zip(explain_heads(model, text, &heads)?) {
        let heaviest = heaviest.into_iter().take(SPANS);
        spans.extend(heaviest.map(|span| WeighedSpan {
            head: head.name().to_owned(),
            start: span.start,
            end: span.end,
            weight: span.weight.into(),
        }));
    }
    Ok(spans)
}
