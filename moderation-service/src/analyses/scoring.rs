//! The text model as an analysis uses it: scores of texts, with the thresholds from which on they mean something.
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::policies::rules::HeadThresholds;
use crate::text_model::explain::explain;
use crate::text_model::{HEADS, Head, TextModel};

/// The version of analyses that no model took part in.
pub const NO_MODEL: &str = "none";
/// The heads whose labels are explained, the highest scores first: each costs some twenty readings of the text.
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

/// Scores texts. It computes for milliseconds per text, so it is called from threads that may block.
pub trait TextScores: Send + Sync {
    /// Which model it is: the same name for the same model alone.
    fn version(&self) -> &str;

    /// The thresholds of each head.
    fn thresholds(&self) -> [HeadThresholds; HEADS];

    /// A probability per head for each text.
    fn read(&self, texts: &[&str]) -> anyhow::Result<Vec<[f64; HEADS]>>;

    /// The parts of a text that weigh most in the scores that matter. A model that cannot explain itself has none.
    fn explain(&self, _text: &str) -> anyhow::Result<Vec<WeighedSpan>> {
        Ok(Vec::new())
    }
}

/// A text model of a file.
pub struct FileModel<M>(pub Arc<M>);

impl<M: TextModel> TextScores for FileModel<M> {
    fn version(&self) -> &str {
        self.0.version()
    }

    fn thresholds(&self) -> [HeadThresholds; HEADS] {
        self.0.calibrations().map(|head| HeadThresholds { label: head.label.into(), hide: head.hide.map(f64::from) })
    }

    fn read(&self, texts: &[&str]) -> anyhow::Result<Vec<[f64; HEADS]>> {
        Ok(self.0.read(texts)?.into_iter().map(|read| read.scores.map(f64::from)).collect())
    }

    fn explain(&self, text: &str) -> anyhow::Result<Vec<WeighedSpan>> {
        let mut spans = Vec::new();
        let Some(found) = self.0.read(&[text])?.pop() else { return Ok(spans) };
        let mut heads: Vec<Head> = Head::ALL.into_iter().filter(|head| found.labels[*head as usize]).collect();
        heads.sort_by(|a, b| found.scores[*b as usize].total_cmp(&found.scores[*a as usize]));
        for head in heads.into_iter().take(EXPLAINED) {
            let heaviest = explain(&*self.0, text, head)?.into_iter().take(SPANS);
            spans.extend(heaviest.map(|span| WeighedSpan {
                head: head.name().to_owned(),
                start: span.start,
                end: span.end,
                weight: span.weight.into(),
            }));
        }
        Ok(spans)
    }
}
