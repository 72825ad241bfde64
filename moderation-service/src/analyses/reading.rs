//! Reads texts: all that can be calculated from a text alone, without the database.
use std::collections::HashMap;
use std::sync::Arc;

use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::scoring::{NO_MODEL, thresholds};
use super::settings::AnalysisSettings;
use crate::disguises::evasions::{Evasion, normalise};
use crate::moderations::services::{Analyser, Finding};
use crate::policies::rules::ModelScores;
use crate::signals::Signals;
use crate::signals::language::detect_language;
use crate::signals::links::{count_links, find_hosts, suffixes};
use crate::signals::models::DomainVerdict;
use crate::signals::shapes::{Shape, measure};
use crate::signals::similarity::fingerprint;
use crate::signals::surroundings::Surroundings;
use crate::text_model::{HEADS, TextModel};

/// Texts that the model reads in one go.
const TEXTS_AT_ONCE: usize = 16;

/// What reads texts.
#[derive(Clone)]
pub struct AnalysisReader {
    /// The text model; without one the word lists are all there is.
    pub model: Option<Arc<dyn TextModel>>,
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
    /// The scores that this model has given this text before, where it has.
    pub known: Option<[f64; HEADS]>,
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

    /// Reads texts. It computes, so it is called from a thread that may block. What is known of a text is taken over and not read
    /// again. Why a text has its scores is [found later](crate::explanations).
    pub fn read(&self, texts: &[Text]) -> anyhow::Result<Vec<TextReading>> {
        let mut readings: Vec<TextReading> = texts.iter().map(|text| self.read_alone(text)).collect();
        let Some(model) = self.model.as_deref() else { return Ok(readings) };
        let thresholds = thresholds(model);
        let (known, mut new): (Vec<_>, Vec<_>) =
            texts.iter().zip(&mut readings).partition(|(text, _)| text.known.is_some());
        for (text, reading) in known {
            reading.model = text.known.map(|scores| ModelScores { scores, thresholds });
        }
        for batch in new.chunks_mut(TEXTS_AT_ONCE) {
            let read = model.read(&batch.iter().map(|(text, _)| text.body.as_str()).collect::<Vec<_>>())?;
            for ((_, reading), read) in batch.iter_mut().zip(read) {
                reading.model = Some(ModelScores { scores: read.scores.map(f64::from), thresholds });
            }
        }
        Ok(readings)
    }

    /// What needs no model.
    pub fn read_alone(&self, text: &Text) -> TextReading {
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
            normalised: (!normalised.evasions.is_empty()).then(|| plain.to_owned()),
            evasions: normalised.evasions,
        }
    }
}

impl TextReading {
    /// The signals of the text, with what is known beside it.
    pub fn signals(&self, domains: &HashMap<String, DomainVerdict>, surroundings: Surroundings) -> Signals {
        Signals {
            lexicon: self.lexicon,
            evasions: self.evasions.clone(),
            language: self.language.to_owned(),
            links: count_links(&self.hosts, domains),
            shape: self.shape,
            surroundings,
            picture: None,
        }
    }
}

/// The domains that texts link to and all above them, each once: whatever may have a rule.
pub fn linked_domains(readings: &[TextReading]) -> Vec<String> {
    let hosts = readings.iter().flat_map(|reading| &reading.hosts);
    let mut domains: Vec<String> = hosts.flat_map(|host| suffixes(host).map(str::to_owned)).collect();
    domains.sort_unstable();
    domains.dedup();
    domains
}
