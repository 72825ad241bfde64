//! The text model: a small transformer that reads every text and says how toxic, hateful, sexist, threatening and commercial it is.
//!
//! A text is cleaned ([`cleaner`]), cut into tokens ([`wordpiece`]), read by an encoder in 8-bit arithmetic ([`encoder`] on
//! [`kernel`]) and scored by five heads; a text whose writing is disguised is read a second time as it is meant
//! ([`disguises`](crate::disguises)). The
//! model is one file ([`artefact`]), made by `moderation-service train`; the one that is part of the service is
//! [`shipped`].
//! [`TextModel`] is what the rest of the service sees of it, through a [`queue`] that keeps it off the async
//! threads, and [`explain`] says which words weigh most, when it is its [turn](turns).
pub mod analyse;
pub mod artefact;
pub mod cleaner;
mod encoder;
pub mod explain;
pub mod kernel;
pub mod math;
pub mod mini_lm;
pub mod queue;
pub mod shipped;
pub mod turns;
pub mod wordpiece;

#[cfg(test)]
pub mod tests;

use self::math::sigmoid;

/// Bytes in hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    let digit = |half: u8| char::from(b"0123456789abcdef"[usize::from(half)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

/// The number of heads.
pub const HEADS: usize = 5;
/// The number of classes.
pub const CLASSES: usize = 3;
/// The outputs of the network: those of the heads, then those of the classes.
pub const OUTPUTS: usize = HEADS + CLASSES;

/// The harmless sentences by which false alarms are measured; no model has learned them.
#[cfg(any(test, feature = "train"))]
pub fn everyday() -> impl Iterator<Item = &'static str> {
    include_str!("everyday.txt").lines().filter(|line| !line.is_empty() && !line.starts_with("# "))
}

/// What the model says about a text; its number is its place in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Head {
    /// Rude or insulting, for whatever reason.
    Toxic,
    /// Against people for what they are.
    Hate,
    /// Against women, or about them with contempt.
    Sexism,
    /// Announces or calls for violence.
    Threat,
    /// Advertises, deceives.
    Spam,
}

impl Head {
    pub const ALL: [Self; HEADS] = [Self::Toxic, Self::Hate, Self::Sexism, Self::Threat, Self::Spam];

    /// Its name in the API.
    pub fn name(self) -> &'static str {
        match self {
            Self::Toxic => "toxic",
            Self::Hate => "hate",
            Self::Sexism => "sexism",
            Self::Threat => "threat",
            Self::Spam => "spam",
        }
    }
}

/// How an output of the network becomes a probability, and from which one on it means something.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Calibration {
    /// The probability is the logistic function of `slope * output + bias`.
    pub slope: f32,
    pub bias: f32,
    /// From here on the text has the label, and is for people to look at.
    pub label: f32,
    /// From here on it may be hidden at once; never, where there is no threshold.
    pub hide: Option<f32>,
}

impl Calibration {
    /// The probability that an output of the network stands for.
    pub fn probability(&self, output: f32) -> f32 {
        sigmoid(self.slope * output + self.bias)
    }
}

/// What a model says about a text.
#[derive(Clone, Copy, Debug, PartialEq)]
#[expect(clippy::struct_field_names, reason = "the name that the scores have in the API")]
pub struct Scores {
    /// A probability per head, in the order of [`Head::ALL`].
    pub scores: [f32; HEADS],
    /// Whether each is high enough for the label.
    pub labels: [bool; HEADS],
    /// Whether each is so high that the text may be hidden before a person has seen it.
    pub hides: [bool; HEADS],
    /// What it is as a whole.
    pub class: Class,
    /// Whether it was too long to be read whole: then parts of it were read, from its beginning to its end.
    pub is_partial: bool,
}

/// What a text is as a whole, in the classes of Davidson and others (2017): hate is rarer than rudeness and is no degree of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Class {
    Hate,
    Offensive,
    Neither,
}

impl Class {
    /// The most likely class by the outputs of a network and what is added to those of the classes.
    pub fn of(outputs: &[f32; OUTPUTS], biases: &[f32; CLASSES]) -> Self {
        let all = [Self::Hate, Self::Offensive, Self::Neither];
        let value = |class: Self| outputs[HEADS + class as usize] + biases[class as usize];
        all.into_iter().fold(Self::Neither, |best, class| if value(class) > value(best) { class } else { best })
    }
}

/// A model that reads texts. It computes for milliseconds per text, so it is called from threads of its own.
pub trait TextModel: Send + Sync {
    /// Which model it is: the same name for the same file alone.
    fn version(&self) -> &str;

    /// How each head's output becomes a probability, and from which one on it means something.
    fn calibrations(&self) -> &[Calibration; HEADS];

    /// What it says about each text, which is given as it was written. A disguised one is read as it is meant as well, and has the
    /// higher score of each head.
    fn read(&self, texts: &[&str]) -> anyhow::Result<Vec<Scores>>;
}
