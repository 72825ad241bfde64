//! The text model: a small transformer that reads every text and says how toxic, hateful, sexist, threatening and commercial it is.
//!
//! A text is cleaned ([`cleaner`]), cut into tokens ([`wordpiece`]), read by an encoder in 8-bit arithmetic ([`encoder`] on
//! [`kernel`]) and scored by five heads. The model is one file ([`artefact`]), made by `moderation-service train`.
//! [`TextModel`] is what the rest of the service sees of it, through a [`queue`] that keeps it off the async threads.
pub mod analyse;
pub mod artefact;
pub mod cleaner;
mod encoder;
pub mod kernel;
pub mod math;
pub mod mini_lm;
pub mod queue;
pub mod wordpiece;

#[cfg(test)]
pub mod tests;

use self::artefact::Calibration;

use self::artefact::Calibration;

/// Bytes in hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    let digit = |half: u8| char::from(b"0123456789abcdef"[usize::from(half)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

/// The number of heads.
pub const HEADS: usize = 5;

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

/// What a model says about a text.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scores {
    /// A probability per head, in the order of [`Head::ALL`].
    pub scores: [f32; HEADS],
    /// Whether each is high enough for the label.
    pub labels: [bool; HEADS],
}

/// A model that reads texts. It computes for milliseconds per text, so it is called from threads of its own.
pub trait TextModel: Send + Sync {
    /// Which model it is: the same name for the same file alone.
    fn version(&self) -> &str;

    /// How each head's output becomes a probability, and from which one on it means something.
    fn calibrations(&self) -> &[Calibration; HEADS];

    /// What it says about each text.
    fn read(&self, texts: &[&str]) -> anyhow::Result<Vec<Scores>>;
}
