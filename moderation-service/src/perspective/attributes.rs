//! The attributes of Perspective, and how each follows from what the text model and the word lists find.
//!
//! Perspective has a network per attribute; ours has five heads, trained on other questions. So an attribute is derived, by a formula
//! that stands here and in `docs/perspective.md`, and one that nothing here knows about (FLIRTATION, the experimental ones) is
//! refused as an unknown one: a made-up number is worse than none.
use super::spans::TextPart;
use crate::moderations::lexicon::WordSeverities;
use crate::text_model::{Head, Scores};

/// What a text has of a word of a list when there is none: a list is never sure that a text is clean.
const NO_WORD: f64 = 0.02;
/// What the most severe word gives: a list does not know who is meant.
const WORST_WORD: f64 = 0.95;

/// What is asked about a comment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attribute {
    /// Rude, disrespectful or worse: likely to make people leave.
    Toxicity,
    /// Hateful or threatening, and toxic beside.
    SevereToxicity,
    /// Against people for what they are.
    IdentityAttack,
    /// Insulting towards a person or a group.
    Insult,
    /// Swear words and slurs.
    Profanity,
    /// Announces or calls for violence.
    Threat,
    /// Of sexual acts and parts.
    SexuallyExplicit,
    /// Advertises, deceives.
    Spam,
    /// Against women, or about them with contempt; Perspective has none such.
    Sexism,
}

/// What was found in a text, or in a span of it.
#[derive(Clone, Copy, Debug)]
pub struct PartReading<'a> {
    pub span: TextPart<'a>,
    pub scores: Scores,
    pub words: WordSeverities,
}

impl Attribute {
    pub const ALL: [Self; 9] = [
        Self::Toxicity,
        Self::SevereToxicity,
        Self::IdentityAttack,
        Self::Insult,
        Self::Profanity,
        Self::Threat,
        Self::SexuallyExplicit,
        Self::Spam,
        Self::Sexism,
    ];

    /// Its name in the API.
    pub fn name(self) -> &'static str {
        match self {
            Self::Toxicity => "TOXICITY",
            Self::SevereToxicity => "SEVERE_TOXICITY",
            Self::IdentityAttack => "IDENTITY_ATTACK",
            Self::Insult => "INSULT",
            Self::Profanity => "PROFANITY",
            Self::Threat => "THREAT",
            Self::SexuallyExplicit => "SEXUALLY_EXPLICIT",
            Self::Spam => "SPAM",
            Self::Sexism => "SEXISM",
        }
    }

    /// The attribute of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|attribute| attribute.name() == name)
    }

    /// Whether the word lists say something about it.
    pub fn needs_words(self) -> bool {
        matches!(self, Self::Profanity | Self::SexuallyExplicit)
    }

    /// The heads that a person means who says that a text has this attribute; none: no head is about it.
    pub fn heads(self) -> &'static [Head] {
        match self {
            Self::Toxicity | Self::Insult => &[Head::Toxic],
            Self::SevereToxicity | Self::Profanity | Self::SexuallyExplicit => &[],
            Self::IdentityAttack => &[Head::Hate],
            Self::Threat => &[Head::Threat],
            Self::Spam => &[Head::Spam],
            Self::Sexism => &[Head::Sexism],
        }
    }

    /// Its score, 0 to 1.
    pub fn score(self, reading: &PartReading<'_>) -> f64 {
        let head = |head: Head| f64::from(reading.scores.scores[head as usize]);
        // Hate and threats without a rude word are toxic as well.
        let toxicity = || head(Head::Toxic).max(head(Head::Hate)).max(head(Head::Threat));
        match self {
            Self::Toxicity => toxicity(),
            Self::SevereToxicity => toxicity() * head(Head::Hate).max(head(Head::Threat)),
            // Perspective counts sex and gender among identities.
            Self::IdentityAttack => head(Head::Hate).max(head(Head::Sexism)),
            Self::Insult => head(Head::Toxic),
            Self::Threat => head(Head::Threat),
            Self::Spam => head(Head::Spam),
            Self::Sexism => head(Head::Sexism),
            Self::Profanity => word_score(reading.words.profane),
            Self::SexuallyExplicit => word_score(reading.words.sexual),
        }
    }
}

/// A severity as a score: one of four steps (0.02, 0.30, 0.58, 0.95), and no probability.
fn word_score(severity: f64) -> f64 {
    NO_WORD + (WORST_WORD - NO_WORD) * severity
}

#[cfg(test)]
mod tests {
    use super::super::spans::whole;
    use super::*;
    use crate::text_model::Class;

    fn found(scores: [f32; 5]) -> Scores {
        Scores { scores, labels: [false; 5], hides: [false; 5], class: Class::Neither, is_partial: false }
    }

    fn score(attribute: Attribute, scores: [f32; 5], words: WordSeverities) -> f64 {
        let reading = PartReading { span: whole("x"), scores: found(scores), words };
        (attribute.score(&reading) * 1000.0).round() / 1000.0
    }

    #[test]
    fn every_attribute_follows_from_what_was_found() {
        let scores = [0.5, 0.75, 0.875, 0.25, 0.125];
        let words = WordSeverities { profane: 0.6, sexual: 0.0 };
        let all = Attribute::ALL.map(|attribute| (attribute.name(), score(attribute, scores, words)));
        let expected = [
            ("TOXICITY", 0.75),
            ("SEVERE_TOXICITY", 0.563),
            ("IDENTITY_ATTACK", 0.875),
            ("INSULT", 0.5),
            ("PROFANITY", 0.578),
            ("THREAT", 0.25),
            ("SEXUALLY_EXPLICIT", 0.02),
            ("SPAM", 0.125),
            ("SEXISM", 0.875),
        ];
        assert_eq!(all, expected);
        for (severity, expected) in [(0.0, 0.02), (0.3, 0.299), (0.6, 0.578), (1.0, 0.95)] {
            let words = WordSeverities { profane: 0.0, sexual: severity };
            assert_eq!(score(Attribute::SexuallyExplicit, scores, words).to_bits(), f64::to_bits(expected));
        }
    }

    /// No attribute leaves the range of a probability, and what is worse in every head is worse in every attribute.
    #[test]
    fn a_score_is_a_number_from_0_to_1_and_grows_with_its_heads() {
        let (none, full) = (WordSeverities::default(), WordSeverities { profane: 1.0, sexual: 1.0 });
        for attribute in Attribute::ALL {
            let (low, high) = (score(attribute, [0.0; 5], none), score(attribute, [1.0; 5], full));
            assert!((0.0..0.05).contains(&low) && (0.9..=1.0).contains(&high), "{attribute:?}: {low} to {high}");
            assert_eq!(Attribute::parse(attribute.name()), Some(attribute));
        }
        assert_eq!(Attribute::parse("FLIRTATION"), None);
        assert_eq!(Attribute::parse("toxicity"), None);
    }
}
