//! Reads texts: all that can be calculated from a text alone, without the database.
use std::sync::Arc;

use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::scoring::{NO_MODEL, TextScores, WeighedSpan};
use super::settings::AnalysisSettings;
use crate::moderations::services::{Analyser, Finding};
use crate::policies::rules::ModelScores;
use crate::signals::evasions::{Evasion, normalise};
use crate::signals::language::detect_language;
use crate::signals::links::find_hosts;
use crate::signals::shapes::{Shape, measure};
use crate::signals::similarity::fingerprint;
use crate::text_model::HEADS;

/// Texts that the model reads in one go.
const TEXTS_AT_ONCE: usize = 16;

/// What reads texts.
#[derive(Clone)]
pub struct AnalysisReader {
    /// The text model; without one the word lists are all there is.
    pub model: Option<Arc<dyn TextScores>>,
    pub words: Arc<dyn Analyser>,
}

/// What analyses need beside the transaction.
#[derive(Clone)]
pub struct Pipeline {
    pub reader: AnalysisReader,
    pub settings: AnalysisSettings,
}

/// A text that is to be read.
#[derive(Clone, Debug)]
pub struct Text {
    pub content: Uuid,
    pub body: String,
    /// The scores of before, where this model has read this text before.
    pub scores: Option<[f64; HEADS]>,
}

/// What was found in a text.
#[derive(Clone, Debug)]
pub struct TextReading {
    pub content: Uuid,
    pub hash: [u8; 32],
    /// The text without its disguises, where it has some.
    pub normalised: Option<String>,
    pub evasions: Vec<Evasion>,
    pub language: &'static str,
    pub hosts: Vec<String>,
    pub shape: Shape,
    pub lexicon: Option<Finding>,
    pub fingerprint: Option<i64>,
    pub model: Option<ModelScores>,
    pub spans: Vec<WeighedSpan>,
}

/// The hash by which a text is recognised.
pub fn hash(text: &str) -> [u8; 32] {
    Sha256::digest(text.as_bytes()).into()
}

impl AnalysisReader {
    /// Which model reads, or that none does.
    pub fn version(&self) -> &str {
        self.model.as_ref().map_or(NO_MODEL, |model| model.version())
    }

    /// Reads texts. It computes, so it is called from a thread that may block.
    pub fn read(&self, texts: &[Text]) -> anyhow::Result<Vec<TextReading>> {
        let mut readings: Vec<TextReading> = texts.iter().map(|text| self.read_alone(text)).collect();
        let Some(model) = &self.model else { return Ok(readings) };
        let thresholds = model.thresholds();
        for (texts, readings) in texts.chunks(TEXTS_AT_ONCE).zip(readings.chunks_mut(TEXTS_AT_ONCE)) {
            let scores = score(&**model, texts, readings)?;
            for ((text, reading), scores) in texts.iter().zip(readings).zip(scores) {
                let is_labelled = scores.iter().zip(&thresholds).any(|(score, threshold)| *score >= threshold.label);
                reading.model = Some(ModelScores { scores, thresholds });
                if is_labelled {
                    reading.spans = model.explain(&text.body)?;
                }
            }
        }
        Ok(readings)
    }

    /// What needs no model.
    fn read_alone(&self, text: &Text) -> TextReading {
        let normalised = normalise(&text.body);
        let plain = normalised.text.as_str();
        TextReading {
            content: text.content,
            hash: hash(&text.body),
            language: detect_language(plain),
            hosts: find_hosts(&text.body),
            shape: measure(&text.body),
            // The word lists see through disguises of their own, and are tuned to the text as it is.
            lexicon: self.words.analyse(&text.body),
            fingerprint: fingerprint(plain),
            model: None,
            spans: Vec::new(),
            normalised: (!normalised.evasions.is_empty()).then(|| plain.to_owned()),
            evasions: normalised.evasions,
        }
    }
}

/// The scores of texts: of a disguised one, of each head the higher of the text as it is and as it is meant.
fn score(model: &dyn TextScores, texts: &[Text], readings: &[TextReading]) -> anyhow::Result<Vec<[f64; HEADS]>> {
    let mut wanted = Vec::new();
    for (place, (text, reading)) in
        texts.iter().zip(readings).enumerate().filter(|(_, (text, _))| text.scores.is_none())
    {
        wanted.push((place, text.body.as_str()));
        wanted.extend(reading.normalised.as_deref().map(|plain| (place, plain)));
    }
    let mut scores: Vec<[f64; HEADS]> = texts.iter().map(|text| text.scores.unwrap_or_default()).collect();
    if wanted.is_empty() {
        return Ok(scores);
    }
    let read = model.read(&wanted.iter().map(|(_, text)| *text).collect::<Vec<_>>())?;
    for ((place, _), read) in wanted.into_iter().zip(read) {
        for (score, read) in scores[place].iter_mut().zip(read) {
            *score = score.max(read);
        }
    }
    Ok(scores)
}
