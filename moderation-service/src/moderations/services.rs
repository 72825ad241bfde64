//! The analysis of texts: the interface of an analyser, and the settings that choose one.
use clap::{Args, ValueEnum};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::subjects::reasons::ContractReason;

/// A breach of the rules in a text.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Finding {
    pub reason: ContractReason,
    /// How bad it is, above 0 to 1.
    pub severity: f64,
    /// The words that are so bad, as they stand in the text, at most 5. Analyses of before there was this have none
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub words: Vec<String>,
}

/// Analyses texts. It is called within a transaction, so it calculates and makes no network calls.
pub trait Analyser: Send + Sync {
    /// The most severe breach in a text, if there is one.
    fn analyse(&self, text: &str) -> Option<Finding>;
}

/// Finds nothing, so that nothing is hidden.
pub struct Off;

impl Analyser for Off {
    fn analyse(&self, _: &str) -> Option<Finding> {
        None
    }
}

/// Which analyser reads the texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Implementation {
    /// The word lists of the rustrict library, which see through common evasions.
    Rustrict,
    /// None: nothing is hidden.
    Off,
}

/// From which severity on something is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum Threshold {
    /// Never.
    None,
    /// Even the mildest.
    Mild,
    Moderate,
    /// Only the worst.
    Severe,
}

/// How texts are analysed. What is found is hidden until a moderator restores it, so the defaults leave everyday language alone.
#[derive(Args, Clone, Debug)]
pub struct Analysis {
    /// What reads the texts
    #[arg(long, env = "ANALYSER", value_enum, default_value_t = Implementation::Rustrict)]
    pub analyser: Implementation,

    /// From which severity on swear words are `OFFENSIVE_CONTENT`
    #[arg(long, env = "MODERATION_PROFANE_THRESHOLD", value_enum, default_value_t = Threshold::Severe)]
    pub moderation_profane_threshold: Threshold,

    /// From which severity on slurs are RACISM, or `OFFENSIVE_CONTENT` when they are not racist
    #[arg(long, env = "MODERATION_OFFENSIVE_THRESHOLD", value_enum, default_value_t = Threshold::Severe)]
    pub moderation_offensive_threshold: Threshold,

    /// From which severity on sexual words are NUDITY
    #[arg(long, env = "MODERATION_SEXUAL_THRESHOLD", value_enum, default_value_t = Threshold::Severe)]
    pub moderation_sexual_threshold: Threshold,

    /// From which severity on attacks on a person are `RULES_VIOLATION`
    #[arg(long, env = "MODERATION_MEAN_THRESHOLD", value_enum, default_value_t = Threshold::Severe)]
    pub moderation_mean_threshold: Threshold,

    /// From which severity on shouting, repetition and gibberish are `RULES_VIOLATION`; for Latin script only
    #[arg(long, env = "MODERATION_SPAM_THRESHOLD", value_enum, default_value_t = Threshold::None)]
    pub moderation_spam_threshold: Threshold,
}
