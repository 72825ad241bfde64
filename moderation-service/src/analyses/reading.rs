//! Reads texts: all that can be calculated from a text alone, without the database.
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::recent::RecentScores;
use super::scoring::{NO_MODEL, ReadScores, thresholds};
use super::settings::AnalysisSettings;
use crate::disguises::evasions::{Evasion, MAX_CHARS, normalise};
use crate::moderations::services::{Analyser, Finding};
use crate::policies::rules::ModelScores;
use crate::signals::Signals;
use crate::signals::language::detect_language;
use crate::signals::links::{count_links, find_hosts, suffixes};
use crate::signals::models::DomainVerdict;
use crate::signals::shapes::{Shape, measure};
use crate::signals::similarity::fingerprint;
use crate::signals::surroundings::Surroundings;
use crate::text_model::TextModel;

/// Texts that the model reads in one go, and their bytes but for the last text's: what was read is remembered after each go.
const TEXTS_AT_ONCE: usize = 16;
const BYTES_AT_ONCE: usize = 8_192;

/// What reads texts.
#[derive(Clone)]
pub struct AnalysisReader {
    /// The text model; without one the word lists are all there is.
    pub model: Option<Arc<dyn TextModel>>,
    pub words: Arc<dyn Analyser>,
    /// What the model has said lately.
    recent: Arc<RecentScores>,
}

/// What analyses need beside the database.
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
    /// What this model has said about this text before, where it has.
    pub known: Option<ReadScores>,
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
    /// Whether it was too long to be read whole, by the model or by what reads beside it.
    pub is_partial: bool,
}

/// A text that is to be read by the model, with its hash.
type Unread<'a> = (&'a str, [u8; 32]);

/// Texts in their order, as many at once as the model reads in one go.
fn batches<'a, 'b>(mut texts: &'b [Unread<'a>]) -> Vec<&'b [Unread<'a>]> {
    let mut batches = Vec::new();
    while !texts.is_empty() {
        let mut bytes = 0;
        let fits = texts.iter().take(TEXTS_AT_ONCE).take_while(|(body, _)| {
            let fits = bytes < BYTES_AT_ONCE;
            bytes += body.len();
            fits
        });
        let (batch, rest) = texts.split_at(fits.count());
        batches.push(batch);
        texts = rest;
    }
    batches
}

/// The hash by which a text is recognised.
pub fn hash(text: &str) -> [u8; 32] {
    Sha256::digest(text.as_bytes()).into()
}

impl AnalysisReader {
    /// A reader that has read nothing yet.
    pub fn new(model: Option<Arc<dyn TextModel>>, words: Arc<dyn Analyser>) -> Self {
        Self { model, words, recent: Arc::default() }
    }

    /// Which model reads, or that none does.
    pub fn version(&self) -> &str {
        self.model.as_ref().map_or(NO_MODEL, |model| model.version())
    }

    /// Reads texts. It computes, so it is called from a thread that may block, and while no transaction is open. What is known of a text is taken over and not read
    /// again. Why a text has its scores is [found later](crate::explanations).
    pub fn read(&self, texts: &[Text]) -> anyhow::Result<Vec<TextReading>> {
        let mut readings: Vec<TextReading> = texts.iter().map(|text| self.read_alone(text)).collect();
        let Some(model) = self.model.as_deref() else { return Ok(readings) };
        let thresholds = thresholds(model);
        let hashed = || texts.iter().zip(readings.iter().map(|reading| reading.hash));
        let mut scores: HashMap<[u8; 32], ReadScores> =
            hashed().filter_map(|(text, hash)| Some((hash, text.known?))).collect();
        let mut met: HashSet<[u8; 32]> = scores.keys().copied().collect();
        let unread: Vec<Unread<'_>> =
            hashed().filter(|(_, hash)| met.insert(*hash)).map(|(text, hash)| (text.body.as_str(), hash)).collect();
        for batch in batches(&unread) {
            let mut new: Vec<Unread<'_>> = Vec::new();
            for (body, hash) in batch {
                if let Some(remembered) = self.recent.get(hash) {
                    scores.insert(*hash, remembered);
                } else {
                    new.push((body, *hash));
                }
            }
            let read = model.read(&new.iter().map(|(body, _)| *body).collect::<Vec<_>>())?;
            for ((_, hash), read) in new.into_iter().zip(read) {
                let found = ReadScores { scores: read.scores.map(f64::from), is_partial: read.is_partial };
                self.recent.insert(hash, found);
                scores.insert(hash, found);
            }
        }
        for reading in &mut readings {
            if let Some(read) = scores.get(&reading.hash) {
                reading.model = Some(ModelScores { scores: read.scores, thresholds });
                reading.is_partial |= read.is_partial;
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
            is_partial: text.body.chars().nth(MAX_CHARS).is_some(),
            normalised: (!normalised.evasions.is_empty()).then(|| plain.to_owned()),
            evasions: normalised.evasions,
        }
    }
}

impl TextReading {
    /// The signals of the text, with what is known beside it.
    pub fn signals(&self, domains: &HashMap<String, DomainVerdict>, surroundings: Surroundings) -> Signals {
        Signals {
            lexicon: self.lexicon.clone(),
            evasions: self.evasions.clone(),
            language: self.language.to_owned(),
            links: count_links(&self.hosts, domains),
            shape: self.shape,
            surroundings,
            read_in_part: self.is_partial,
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
