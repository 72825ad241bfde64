//! The rules of a policy: predicates over what is known of a content, and what follows when they hold.
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::signals::language::is_read;
use crate::signals::{NUMBERS, Signals};
use crate::subjects::SubjectType;
use crate::subjects::means::Comparison;
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

    /// What is left of it for a content of this kind. To users a machine does nothing, whatever they say of themselves, so that a person is
    /// asked; no feed has anything but posts, and pictures are shown without labels.
    fn for_audience(self, audience: SubjectType) -> Self {
        match (audience, self) {
            (SubjectType::User, outcome) if outcome != Self::Allow => Self::Review,
            (SubjectType::Comment | SubjectType::Media, Self::Limit) | (SubjectType::Media, Self::Label) => Self::Allow,
            (_, outcome) => outcome,
        }
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

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Head(head) => head.name(),
            Self::Signal(place) => NUMBERS.get(place).map_or("", |known| known.0),
            Self::Model => "model",
        }
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

impl Rule {
    /// What follows from it for a content for which it holds, as far as it can be done to one of its kind. The text model has learned English,
    /// so a rule that restricts asks for a person where a text is in another language, or in one that is not known, and the rule holds by
    /// nothing but scores for which it has not named that language.
    pub fn outcome_for(&self, facts: &Facts<'_>) -> RuleOutcome {
        let outcome = self.outcome.for_audience(facts.audience);
        let is_blind = outcome > RuleOutcome::Review
            && facts.model.is_some()
            && !is_read(&facts.signals.language)
            && self.when.holds_blindly(facts, false) != Some(true);
        if is_blind { RuleOutcome::Review } else { outcome }
    }
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

    /// Whether it holds where the scores of the text model mean nothing, but those of parts that stand beside the language of the text; none:
    /// without the other scores it cannot be said.
    fn holds_blindly(&self, facts: &Facts<'_>, is_named: bool) -> Option<bool> {
        // As SQL has it: what is unknown decides nothing, and is decided by what is known.
        let fold = |parts: &[Self], is_named: bool, decisive: bool| {
            let known = |part: &Self| part.holds_blindly(facts, is_named);
            let held: Vec<Option<bool>> = parts.iter().map(known).collect();
            if held.contains(&Some(decisive)) { Some(decisive) } else { (!held.contains(&None)).then_some(!decisive) }
        };
        match self {
            Self::All(parts) => {
                let is_named = is_named || parts.iter().any(|part| part.names(&facts.signals.language));
                fold(parts, is_named, false)
            }
            Self::Any(parts) => fold(parts, is_named, true),
            Self::Not(part) => part.holds_blindly(facts, is_named).map(|holds| !holds),
            Self::AtLeast(Operand::Head(_), _) | Self::AtMost(Operand::Head(_), _) if !is_named => None,
            _ => Some(self.holds(facts)),
        }
    }

    /// Whether it holds for no text but those in languages that it names, this one among them.
    fn names(&self, language: &str) -> bool {
        match self {
            Self::All(parts) => parts.iter().any(|part| part.names(language)),
            Self::Any(parts) => !parts.is_empty() && parts.iter().all(|part| part.names(language)),
            Self::Language(languages) => languages.iter().any(|named| named == language),
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
        let words = self.signals.lexicon.as_ref().map_or(0.0, |found| found.severity);
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

    /// The comparisons in it that hold; what is said by a negation, a language or an audience is no number.
    pub fn comparisons(&self, facts: &Facts<'_>) -> Vec<Comparison> {
        let mut found = Vec::new();
        self.collect(facts, &mut found);
        found
    }

    fn collect(&self, facts: &Facts<'_>, found: &mut Vec<Comparison>) {
        match self {
            Self::All(parts) | Self::Any(parts) => {
                parts.iter().filter(|part| part.holds(facts)).for_each(|part| part.collect(facts, found));
            }
            Self::AtLeast(operand, bound) | Self::AtMost(operand, bound) if *operand != Operand::Model => {
                let Some((value, bound)) = facts.value(*operand).zip(facts.bound(*operand, *bound)) else { return };
                let is_least = matches!(self, Self::AtLeast(..));
                found.push(Comparison {
                    signal: operand.name().to_owned(),
                    value,
                    at_least: is_least.then_some(bound),
                    at_most: (!is_least).then_some(bound),
                });
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::policies::parsing::parse_rules;
    use crate::signals::pictures::PictureSignals;

    /// A text in that language, of which the model says that it is hateful, and nothing else.
    fn signals(language: &str) -> Signals {
        let mut signals = Signals::of_picture(PictureSignals { blocked: None, nudity: None });
        (signals.language, signals.picture) = (language.to_owned(), None);
        signals.links.count = 2;
        signals
    }

    fn facts(signals: &Signals) -> Facts<'_> {
        let scores = [0.6, 0.95, 0.0, 0.0, 0.0];
        let thresholds = [HeadThresholds { label: 0.5, hide: Some(0.875) }; HEADS];
        Facts { audience: SubjectType::Post, model: Some(ModelScores { scores, thresholds }), signals }
    }

    fn rule(when: &serde_json::Value, outcome: &str) -> Rule {
        let mut rule = json!({ "name": "r", "when": when, "outcome": outcome, "reason": "HATE_IDENTITY" });
        if outcome == "LABEL" {
            rule["label"] = json!("hate");
        }
        parse_rules(&[rule]).unwrap().remove(0)
    }

    /// What the model says of a language that it has not learned restricts nothing, unless the rule asks for that language.
    #[test]
    fn scores_restrict_in_the_languages_of_the_model_alone() {
        let hate = json!({ "signal": "hate", "at_least": "hide" });
        let nested =
            json!({ "any": [{ "not": { "signal": "toxic", "at_most": 0.1 } }, { "signal": "links", "at_least": 9 }] });
        for when in [hate.clone(), nested] {
            for (language, outcome, expected) in [
                ("eng", "HIDE", RuleOutcome::Hide),
                ("short", "HIDE", RuleOutcome::Hide),
                ("deu", "HIDE", RuleOutcome::Review),
                ("und", "HIDE", RuleOutcome::Review),
                ("und", "HOLD", RuleOutcome::Review),
                ("und", "LIMIT", RuleOutcome::Review),
                ("und", "LABEL", RuleOutcome::Label),
                ("und", "ALLOW", RuleOutcome::Allow),
            ] {
                let (signals, rule) = (signals(language), rule(&when, outcome));
                assert!(rule.when.holds(&facts(&signals)), "{when}");
                assert_eq!(rule.outcome_for(&facts(&signals)), expected, "{when} {language} {outcome}");
            }
        }
        let signals = signals("deu");
        let named = rule(&json!({ "all": [hate, { "language": ["deu"] }] }), "HIDE");
        assert_eq!(named.outcome_for(&facts(&signals)), RuleOutcome::Hide, "the rule has asked for it");
        let links = json!({ "signal": "links", "at_least": 1 });
        assert_eq!(
            rule(&links, "HIDE").outcome_for(&facts(&signals)),
            RuleOutcome::Hide,
            "links are links in any language"
        );
        let either = rule(&json!({ "any": [hate, { "signal": "links", "at_least": 9 }] }), "HIDE");
        assert_eq!(either.outcome_for(&facts(&signals)), RuleOutcome::Review, "there are two links");
        let unread = Facts { model: None, ..facts(&signals) };
        assert_eq!(
            either.outcome_for(&unread),
            RuleOutcome::Hide,
            "where no model has read it, it is not by its scores"
        );
    }

    /// What cannot be done to a content of its kind does not follow, so that analyses and simulations say what happens: to a user nothing
    /// does, and a person is asked.
    #[test]
    fn nothing_follows_that_does_not_fit() {
        let signals = signals("eng");
        let when = json!({ "signal": "links", "at_least": 1 });
        for (outcome, expected) in [
            ("ALLOW", [RuleOutcome::Allow; 4]),
            ("LABEL", [RuleOutcome::Label, RuleOutcome::Label, RuleOutcome::Allow, RuleOutcome::Review]),
            ("REVIEW", [RuleOutcome::Review; 4]),
            ("LIMIT", [RuleOutcome::Limit, RuleOutcome::Allow, RuleOutcome::Allow, RuleOutcome::Review]),
            ("HOLD", [RuleOutcome::Hold, RuleOutcome::Hold, RuleOutcome::Hold, RuleOutcome::Review]),
            ("HIDE", [RuleOutcome::Hide, RuleOutcome::Hide, RuleOutcome::Hide, RuleOutcome::Review]),
        ] {
            let rule = rule(&when, outcome);
            let audiences = [SubjectType::Post, SubjectType::Comment, SubjectType::Media, SubjectType::User];
            let found = audiences.map(|audience| rule.outcome_for(&Facts { audience, ..facts(&signals) }));
            assert_eq!(found, expected, "{outcome}");
        }
        // What would restrict nothing is no reason to ask for a person either.
        let (foreign, hate) = (self::signals("deu"), json!({ "signal": "hate", "at_least": "hide" }));
        let facts = Facts { audience: SubjectType::Comment, ..facts(&foreign) };
        assert_eq!(rule(&hate, "LIMIT").outcome_for(&facts), RuleOutcome::Allow);
    }

    /// A condition on the language is one for the scores beside it alone: the scores of other branches restrict no more for it, nor does what
    /// holds without any score restrict less.
    #[test]
    fn a_language_is_named_for_the_scores_beside_it() {
        let hate = json!({ "signal": "hate", "at_least": "hide" });
        let spam = json!({ "signal": "spam", "at_least": 0.0 });
        let [links, no_links] = [1, 9].map(|least| json!({ "signal": "links", "at_least": least }));
        let [german, other] = [["deu", "nld"], ["eng", "short"]].map(|named| json!({ "language": named }));
        let not_other = json!({ "not": other });
        let cases = [
            (json!({ "all": [hate, german] }), true),
            (json!({ "all": [{ "any": [spam, hate] }, { "all": [german, links] }] }), true),
            (json!({ "all": [hate, { "any": [german, { "language": ["deu"] }] }] }), true),
            (json!({ "all": [german, { "not": { "signal": "hate", "at_most": 0.1 } }] }), true),
            // The language stands beside other scores, or beside none.
            (json!({ "any": [{ "all": [no_links, german] }, hate] }), false),
            (json!({ "any": [{ "all": [{ "signal": "hate", "at_least": 0.99 }, german] }, spam] }), false),
            // To leave languages out names none, nor does an alternative to something else.
            (json!({ "all": [hate, not_other] }), false),
            (json!({ "all": [hate, { "any": [german, links] }] }), false),
            // What holds without a score, whatever the scores say.
            (json!({ "any": [hate, links] }), true),
            (json!({ "any": [{ "all": [hate, other] }, links] }), true),
            (json!({ "all": [links, not_other] }), true),
            (json!({ "all": [links, { "not": { "all": [hate, no_links] } }] }), true),
            (json!({ "all": [links, hate] }), false),
        ];
        let signals = signals("deu");
        for (when, restricts) in cases {
            let rule = rule(&when, "HIDE");
            assert!(rule.when.holds(&facts(&signals)), "{when}");
            let expected = if restricts { RuleOutcome::Hide } else { RuleOutcome::Review };
            assert_eq!(rule.outcome_for(&facts(&signals)), expected, "{when}");
        }
    }

    /// The comparisons that let a rule hold are named with their numbers and bounds, and the others are not.
    #[test]
    fn the_comparisons_that_hold_are_named() {
        let signals = signals("eng");
        let when = json!({ "all": [
            { "any": [{ "signal": "hate", "at_least": "hide" }, { "signal": "spam", "at_least": "label" }] },
            { "signal": "links", "at_most": 2 },
            { "not": { "signal": "toxic", "at_least": 0.9 } },
            { "signal": "model", "at_least": 1 },
        ] });
        let found = rule(&when, "HIDE").when.comparisons(&facts(&signals));
        let links = Comparison { signal: "links".to_owned(), value: 2.0, at_least: None, at_most: Some(2.0) };
        assert_eq!(found, [Comparison::reached("hate", 0.95, 0.875), links]);
    }
}
