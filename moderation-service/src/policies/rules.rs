//! The rules of a policy: predicates over what is known of a content, and what follows when they hold.
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::signals::{NUMBERS, Signals};
use crate::subjects::SubjectType;
use crate::subjects::reasons::Reason;
use crate::text_model::{HEADS, Head};

/// What follows from a rule; the later, the stricter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, sqlx::Type, ToSchema)]
#[serde(rename_all = "UPPERCASE")]
#[sqlx(type_name = "text", rename_all = "UPPERCASE")]
pub enum RuleOutcome {
    /// Nothing, and the rules behind it in its policy are not read
    Allow,
    /// The content is shown with a label
    Label,
    /// A person has to look; the content stays as it is
    Review,
    /// The content is in no feed
    Limit,
    /// The content is hidden until a person has looked
    Hold,
    /// The content is hidden
    Hide,
    /// The content is deleted for good; of spam alone, by a score of its own
    Remove,
}

impl RuleOutcome {
    /// All of them, by their words in the API.
    pub const ALL: [(&'static str, Self); 7] = [
        ("ALLOW", Self::Allow),
        ("LABEL", Self::Label),
        ("REVIEW", Self::Review),
        ("LIMIT", Self::Limit),
        ("HOLD", Self::Hold),
        ("HIDE", Self::Hide),
        ("REMOVE", Self::Remove),
    ];

    /// Its word in the API.
    pub fn word(self) -> &'static str {
        Self::ALL.iter().find(|(_, outcome)| *outcome == self).map_or("", |(word, _)| word)
    }
}

/// A number that a rule compares: a head of the text model, a signal, or whether there is a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operand {
    Head(Head),
    /// A place in [`NUMBERS`].
    Signal(usize),
    /// 1 when a model has read the text, otherwise 0.
    Model,
}

impl Operand {
    /// The operand of a name.
    pub fn parse(name: &str) -> Option<Self> {
        let head = Head::ALL.into_iter().find(|head| head.name() == name).map(Self::Head);
        let signal = || NUMBERS.iter().position(|(known, _)| *known == name).map(Self::Signal);
        head.or_else(signal).or_else(|| (name == "model").then_some(Self::Model))
    }

    /// The names of all operands.
    pub fn names() -> Vec<&'static str> {
        let heads = Head::ALL.iter().map(|head| head.name());
        heads.chain(["model"]).chain(NUMBERS.iter().map(|(name, _)| *name)).collect()
    }
}

/// What a number is compared with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Bound {
    Number(f64),
    /// The threshold from which on the model's head labels.
    Label,
    /// The threshold from which on the model's head may hide.
    Hide,
}

/// A predicate over what is known of a content. A comparison with what is unknown does not hold, in either direction.
#[derive(Clone, Debug, PartialEq)]
pub enum Predicate {
    All(Vec<Predicate>),
    Any(Vec<Predicate>),
    Not(Box<Predicate>),
    AtLeast(Operand, Bound),
    AtMost(Operand, Bound),
    Language(Vec<String>),
    Audience(Vec<SubjectType>),
}

/// A rule.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// Unique within its policy: hits and decisions name it.
    pub name: String,
    pub when: Predicate,
    pub outcome: RuleOutcome,
    pub reason: Reason,
    /// The label of [`RuleOutcome::Label`].
    pub label: Option<String>,
    /// How urgent it is for a person, 0 to 1; none: as high as the highest score of the text.
    pub severity: Option<f64>,
}

/// The lowest score of spam that a rule may delete content for good by. Of the two thousand everyday texts none has
/// more than 0.94 with the shipped model.
pub const LEAST_REMOVED: f64 = 0.99;

impl Predicate {
    /// Whether it holds for nothing but what scores as spam from [`LEAST_REMOVED`] on.
    pub fn demands_spam(&self) -> bool {
        match self {
            Self::All(parts) => parts.iter().any(Self::demands_spam),
            Self::Any(parts) => parts.iter().all(Self::demands_spam),
            Self::AtLeast(Operand::Head(Head::Spam), Bound::Number(least)) => *least >= LEAST_REMOVED,
            _ => false,
        }
    }
}

/// From where on a head of the model means something.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct HeadThresholds {
    pub label: f64,
    /// None: its score hides nothing by itself.
    pub hide: Option<f64>,
}

/// What the text model says about a text, with its thresholds; in the order of [`Head::ALL`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ModelScores {
    pub scores: [f64; HEADS],
    pub thresholds: [HeadThresholds; HEADS],
}

/// What is known of a content.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    pub audience: SubjectType,
    /// None without a model.
    pub model: Option<ModelScores>,
    pub signals: &'a Signals,
}

impl Facts<'_> {
    fn value(&self, operand: Operand) -> Option<f64> {
        match operand {
            Operand::Head(head) => self.model.map(|model| model.scores[head as usize]),
            Operand::Signal(place) => NUMBERS.get(place).and_then(|(_, number)| number(self.signals)),
            Operand::Model => Some(f64::from(u8::from(self.model.is_some()))),
        }
    }

    fn bound(&self, operand: Operand, bound: Bound) -> Option<f64> {
        let threshold = match operand {
            Operand::Head(head) => self.model.map(|model| model.thresholds[head as usize]),
            _ => None,
        };
        match bound {
            Bound::Number(number) => Some(number),
            Bound::Label => threshold.map(|threshold| threshold.label),
            Bound::Hide => threshold.and_then(|threshold| threshold.hide),
        }
    }

    /// The highest score of the text, or the severity of its worst word.
    pub fn severity(&self) -> f64 {
        let words = self.signals.lexicon.map_or(0.0, |found| found.severity);
        self.model.map_or(words, |model| model.scores.into_iter().fold(0.0, f64::max))
    }
}

impl Predicate {
    /// Whether it holds.
    pub fn holds(&self, facts: &Facts<'_>) -> bool {
        let compare = |operand: Operand, bound: Bound, holds: fn(&f64, &f64) -> bool| {
            let pair = facts.value(operand).zip(facts.bound(operand, bound));
            pair.is_some_and(|(value, bound)| holds(&value, &bound))
        };
        match self {
            Self::All(parts) => parts.iter().all(|part| part.holds(facts)),
            Self::Any(parts) => parts.iter().any(|part| part.holds(facts)),
            Self::Not(part) => !part.holds(facts),
            Self::AtLeast(operand, bound) => compare(*operand, *bound, f64::ge),
            Self::AtMost(operand, bound) => compare(*operand, *bound, f64::le),
            Self::Language(languages) => languages.contains(&facts.signals.language),
            Self::Audience(audiences) => audiences.contains(&facts.audience),
        }
    }
}
