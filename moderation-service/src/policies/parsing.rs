//! Reads the rules of a policy from JSON, and says of each fault where it is: `rules[2].when.all[1].signal`.
use std::collections::HashSet;

use serde_json::{Map, Value};

use super::rules::{Bound, LEAST_REMOVED, Operand, Predicate, Rule, RuleOutcome};
use crate::subjects::SubjectType;
use crate::subjects::actions::LONGEST_LABEL;
use crate::subjects::reasons::{Family, Reason};

/// Rules of a policy at most.
pub const MAX_RULES: usize = 64;
/// Predicates of a rule at most, counted with those that others are made of.
const MAX_NODES: usize = 64;
/// How deep predicates are nested at most.
const MAX_DEPTH: usize = 8;
/// Values of one list at most.
const MAX_VALUES: usize = 64;
/// The longest name of a rule, in characters.
const MAX_NAME: usize = 60;

/// Something that is wrong with a rule, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleFault {
    /// Field names and places in lists, from the list of rules on.
    pub path: Vec<Value>,
    pub message: String,
}

/// A place in the JSON, and what was found wrong.
struct RuleReader {
    path: Vec<Value>,
    faults: Vec<RuleFault>,
    nodes: usize,
}

/// Reads rules; what is wrong with them is reported all at once.
pub fn parse_rules(rules: &[Value]) -> Result<Vec<Rule>, Vec<RuleFault>> {
    let mut reader = RuleReader { path: Vec::new(), faults: Vec::new(), nodes: 0 };
    if rules.len() > MAX_RULES {
        reader.refuse(format!("a policy has at most {MAX_RULES} rules"));
        return Err(reader.faults);
    }
    let read: Vec<Rule> =
        rules.iter().enumerate().filter_map(|(place, rule)| reader.at(place, |reader| reader.rule(rule))).collect();
    let mut names = HashSet::new();
    for (place, rule) in read.iter().enumerate() {
        if !names.insert(rule.name.as_str()) {
            let message = format!("another rule is named {:?}", rule.name);
            reader.faults.push(RuleFault { path: vec![place.into(), "name".into()], message });
        }
    }
    if reader.faults.is_empty() { Ok(read) } else { Err(reader.faults) }
}

impl RuleReader {
    fn refuse(&mut self, message: impl Into<String>) {
        self.faults.push(RuleFault { path: self.path.clone(), message: message.into() });
    }

    /// Reads what is one step further.
    fn at<T>(&mut self, step: impl Into<Value>, read: impl FnOnce(&mut Self) -> T) -> T {
        self.path.push(step.into());
        let value = read(self);
        self.path.pop();
        value
    }

    fn object<'a>(&mut self, value: &'a Value, known: &[&str]) -> Option<&'a Map<String, Value>> {
        let Some(fields) = value.as_object() else {
            self.refuse("an object is expected");
            return None;
        };
        for name in fields.keys().filter(|name| !known.contains(&name.as_str())) {
            let message = format!("there is no such field; there are {}", known.join(", "));
            self.at(name.as_str(), |reader| reader.refuse(message));
        }
        Some(fields)
    }

    fn rule(&mut self, value: &Value) -> Option<Rule> {
        let fields = self.object(value, &["name", "when", "outcome", "reason", "label", "severity"])?;
        let field = |name: &str| fields.get(name).filter(|value| !value.is_null());
        let name = self.at("name", |reader| reader.name(field("name")));
        self.nodes = 0;
        let when = self.at("when", |reader| match field("when") {
            Some(value) => reader.predicate(value, 1),
            None => reader.missing(),
        });
        let outcome = self.at("outcome", |reader| reader.word(field("outcome"), &RuleOutcome::ALL));
        let reason = self.at("reason", |reader| reader.word(field("reason"), Reason::ALL));
        let label = self.at("label", |reader| reader.label(field("label"), outcome));
        let severity = self.at("severity", |reader| field("severity").and_then(|value| reader.share(value)));
        if outcome == Some(RuleOutcome::Remove) {
            self.removal(when.as_ref(), reason);
        }
        Some(Rule { name: name?, when: when?, outcome: outcome?, reason: reason?, label, severity })
    }

    /// Only a person deletes for good; but for spam, where the model is all but certain.
    fn removal(&mut self, when: Option<&Predicate>, reason: Option<Reason>) {
        if reason.is_some_and(|reason| reason.family() != Family::Spam) {
            self.at("reason", |reader| reader.refuse("a rule with the outcome REMOVE has a reason of the family SPAM"));
        }
        if when.is_some_and(|when| !when.demands_spam()) {
            let message = format!("a rule with the outcome REMOVE demands spam with at_least {LEAST_REMOVED} or more");
            self.at("when", |reader| reader.refuse(message));
        }
    }

    fn missing<T>(&mut self) -> Option<T> {
        self.refuse("field required");
        None
    }

    fn name(&mut self, value: Option<&Value>) -> Option<String> {
        let Some(value) = value else { return self.missing() };
        let name = value.as_str().filter(|name| (1..=MAX_NAME).contains(&name.chars().count()));
        let plain = name.filter(|name| name.chars().all(|c| c.is_ascii_alphanumeric() || "-_. ".contains(c)));
        if plain.is_none() {
            self.refuse(format!("a name has 1 to {MAX_NAME} letters, digits, blanks, points, dashes and underscores"));
        }
        plain.map(str::to_owned)
    }

    fn word<T: Copy>(&mut self, value: Option<&Value>, words: &[(&'static str, T)]) -> Option<T> {
        let Some(value) = value else { return self.missing() };
        let found = value.as_str().and_then(|text| words.iter().find(|(word, _)| *word == text));
        if found.is_none() {
            let known: Vec<_> = words.iter().map(|(word, _)| *word).collect();
            self.refuse(format!("one of these is expected: {}", known.join(", ")));
        }
        found.map(|(_, meaning)| *meaning)
    }

    fn label(&mut self, value: Option<&Value>, outcome: Option<RuleOutcome>) -> Option<String> {
        match (value, outcome) {
            (None, Some(RuleOutcome::Label)) => self.missing(),
            (None, _) => None,
            (Some(value), Some(RuleOutcome::Label)) => {
                let label = value.as_str().filter(|label| (1..=LONGEST_LABEL).contains(&label.chars().count()));
                let plain = label.filter(|label| label.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c)));
                if plain.is_none() {
                    self.refuse(format!("a label has 1 to {LONGEST_LABEL} letters, digits, dashes and underscores"));
                }
                plain.map(str::to_owned)
            }
            (Some(_), _) => {
                self.refuse("only a rule with the outcome LABEL has a label");
                None
            }
        }
    }

    fn share(&mut self, value: &Value) -> Option<f64> {
        let share = value.as_f64().filter(|share| (0.0..=1.0).contains(share));
        if share.is_none() {
            self.refuse("a number from 0 to 1 is expected");
        }
        share
    }

    fn predicate(&mut self, value: &Value, depth: usize) -> Option<Predicate> {
        self.nodes += 1;
        if depth > MAX_DEPTH {
            self.refuse(format!("predicates are nested at most {MAX_DEPTH} deep"));
            return None;
        }
        if self.nodes > MAX_NODES {
            if self.nodes == MAX_NODES + 1 {
                self.refuse(format!("a rule has at most {MAX_NODES} predicates"));
            }
            return None;
        }
        let fields = value.as_object();
        let kinds = ["all", "any", "not", "signal", "language", "audience"];
        let given: Vec<&str> =
            kinds.into_iter().filter(|kind| fields.is_some_and(|fields| fields.contains_key(*kind))).collect();
        let (Some(fields), [kind]) = (fields, &given[..]) else {
            self.refuse(format!("an object with one of these is expected: {}", kinds.join(", ")));
            return None;
        };
        let inside = &fields[*kind];
        if *kind == "signal" {
            return self.comparison(value);
        }
        self.object(value, &[kind])?;
        self.at(*kind, |reader| match *kind {
            "all" => reader.predicates(inside, depth).map(Predicate::All),
            "any" => reader.predicates(inside, depth).map(Predicate::Any),
            "not" => reader.predicate(inside, depth + 1).map(|part| Predicate::Not(Box::new(part))),
            "language" => reader.languages(inside).map(Predicate::Language),
            _ => reader.audiences(inside).map(Predicate::Audience),
        })
    }

    fn list<'a>(&mut self, value: &'a Value) -> Option<&'a [Value]> {
        let list = value.as_array().filter(|list| (1..=MAX_VALUES).contains(&list.len()));
        if list.is_none() {
            self.refuse(format!("a list of 1 to {MAX_VALUES} is expected"));
        }
        list.map(Vec::as_slice)
    }

    fn predicates(&mut self, value: &Value, depth: usize) -> Option<Vec<Predicate>> {
        let list = self.list(value)?;
        // Each is read, so that the faults of all are reported.
        let read: Vec<_> = list
            .iter()
            .enumerate()
            .map(|(place, part)| self.at(place, |reader| reader.predicate(part, depth + 1)))
            .collect();
        read.into_iter().collect()
    }

    fn languages(&mut self, value: &Value) -> Option<Vec<String>> {
        let list = self.list(value)?;
        let is_language = |word: &&str| (2..=8).contains(&word.len()) && word.bytes().all(|c| c.is_ascii_lowercase());
        let words: Option<Vec<String>> =
            list.iter().map(|word| word.as_str().filter(is_language).map(str::to_owned)).collect();
        if words.is_none() {
            self.refuse("languages by ISO 639-3 are expected, such as eng, or short, or und");
        }
        words
    }

    fn audiences(&mut self, value: &Value) -> Option<Vec<SubjectType>> {
        let list = self.list(value)?;
        let kinds: Option<Vec<_>> = list
            .iter()
            .map(|word| match word.as_str()? {
                "POST" => Some(SubjectType::Post),
                "COMMENT" => Some(SubjectType::Comment),
                "MEDIA" => Some(SubjectType::Media),
                "USER" => Some(SubjectType::User),
                _ => None,
            })
            .collect();
        if kinds.is_none() {
            self.refuse("POST, COMMENT, MEDIA and USER are expected");
        }
        kinds
    }

    fn comparison(&mut self, value: &Value) -> Option<Predicate> {
        let fields = self.object(value, &["signal", "at_least", "at_most"])?;
        let operand = self.at("signal", |reader| {
            let operand = fields["signal"].as_str().and_then(Operand::parse);
            if operand.is_none() {
                reader.refuse(format!("there is no such signal; there are {}", Operand::names().join(", ")));
            }
            operand
        });
        match (fields.get("at_least"), fields.get("at_most")) {
            (Some(bound), None) => {
                let bound = self.at("at_least", |reader| reader.bound(bound, operand));
                Some(Predicate::AtLeast(operand?, bound?))
            }
            (None, Some(bound)) => {
                let bound = self.at("at_most", |reader| reader.bound(bound, operand));
                Some(Predicate::AtMost(operand?, bound?))
            }
            _ => {
                self.refuse("either at_least or at_most is expected");
                None
            }
        }
    }

    fn bound(&mut self, value: &Value, operand: Option<Operand>) -> Option<Bound> {
        let threshold = match value.as_str() {
            Some("label") => Some(Bound::Label),
            Some("hide") => Some(Bound::Hide),
            _ => None,
        };
        match (threshold, value.as_f64()) {
            (Some(bound), _) if matches!(operand, None | Some(Operand::Head(_))) => Some(bound),
            (Some(_), _) => {
                self.refuse("only the heads of the text model have thresholds; a number is expected");
                None
            }
            (None, Some(number)) if number >= 0.0 => Some(Bound::Number(number)),
            _ => {
                self.refuse("a number that is not negative is expected, or for a head of the text model label or hide");
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// A rule deletes nothing for good but spam, where the model is all but certain whatever else the rule asks.
    #[test]
    fn a_rule_removes_spam_alone() {
        let spam = |least: f64| json!({ "signal": "spam", "at_least": least });
        let links = json!({ "signal": "links", "at_least": 1 });
        let rule = |when: &Value, reason| json!([{ "name": "r", "when": when, "outcome": "REMOVE", "reason": reason }]);
        let both = json!({ "all": [links, spam(0.995)] });
        for when in [spam(0.99), both.clone(), json!({ "any": [both, spam(1.0)] })] {
            let read = parse_rules(rule(&when, "SPAM_COMMERCIAL").as_array().unwrap()).unwrap();
            assert_eq!(read[0].outcome, RuleOutcome::Remove);
        }
        let other = json!({ "signal": "toxic", "at_least": 1 });
        let label = json!({ "signal": "spam", "at_least": "hide" });
        let either = json!({ "any": [spam(0.99), links] });
        for when in [spam(0.98), label, links, other, either, json!({ "not": spam(0.99) })] {
            let message = "a rule with the outcome REMOVE demands spam with at_least 0.99 or more";
            assert_eq!(faults(&rule(&when, "SPAM_LINK")), [("0.when".to_owned(), message.to_owned())], "{when}");
        }
        let message = "a rule with the outcome REMOVE has a reason of the family SPAM";
        assert_eq!(faults(&rule(&spam(0.99), "HATE_SLUR")), [("0.reason".to_owned(), message.to_owned())]);
    }

    fn faults(rules: &Value) -> Vec<(String, String)> {
        let path =
            |path: &[Value]| path.iter().map(|step| step.to_string().replace('"', "")).collect::<Vec<_>>().join(".");
        let faults = parse_rules(rules.as_array().unwrap()).unwrap_err();
        faults.iter().map(|fault| (path(&fault.path), fault.message.clone())).collect()
    }

    fn rule(when: &Value) -> Value {
        json!({ "name": "r", "when": when, "outcome": "HIDE", "reason": "SPAM_COMMERCIAL" })
    }

    #[test]
    fn a_rule_is_read_with_its_predicates() {
        let when = json!({ "all": [
            { "any": [{ "signal": "hate", "at_least": "hide" }, { "signal": "links", "at_most": 2 }] },
            { "not": { "language": ["eng", "und"] } },
            { "audience": ["POST"] },
        ] });
        let mut rule = rule(&when);
        rule["severity"] = json!(0.5);
        let [read] = &parse_rules(&[rule]).unwrap()[..] else { panic!("one rule") };
        let links = Operand::parse("links").unwrap();
        let expected = Predicate::All(vec![
            Predicate::Any(vec![
                Predicate::AtLeast(Operand::Head(crate::text_model::Head::Hate), Bound::Hide),
                Predicate::AtMost(links, Bound::Number(2.0)),
            ]),
            Predicate::Not(Box::new(Predicate::Language(vec!["eng".into(), "und".into()]))),
            Predicate::Audience(vec![SubjectType::Post]),
        ]);
        assert_eq!(read.when, expected);
        assert_eq!((read.outcome, read.reason, read.severity), (RuleOutcome::Hide, Reason::SpamCommercial, Some(0.5)));
    }

    /// Every fault is reported at once, each with its place.
    #[test]
    fn each_fault_is_reported_with_its_place() {
        let cases = [
            (json!({ "signal": "hat", "at_least": 1 }), "0.when.signal", "there is no such signal"),
            (
                json!({ "all": [{ "signal": "hate", "at_least": 1 }, {}] }),
                "0.when.all.1",
                "an object with one of these",
            ),
            (json!({ "any": [] }), "0.when.any", "a list of 1 to 64"),
            (json!({ "not": { "signal": "links", "at_least": "hide" } }), "0.when.not.at_least", "only the heads"),
            (json!({ "signal": "hate" }), "0.when", "either at_least or at_most"),
            (json!({ "signal": "hate", "at_least": 1, "at_most": 2 }), "0.when", "either at_least or at_most"),
            (json!({ "signal": "hate", "at_least": -1 }), "0.when.at_least", "a number that is not negative"),
            (json!({ "signal": "hate", "at_least": "ban" }), "0.when.at_least", "a number that is not negative"),
            (json!({ "language": ["English"] }), "0.when.language", "languages by ISO 639-3"),
            (json!({ "audience": ["PLANET"] }), "0.when.audience", "POST, COMMENT, MEDIA and USER"),
            (json!({ "language": ["eng"], "more": 1 }), "0.when.more", "there is no such field"),
            (json!([]), "0.when", "an object with one of these"),
        ];
        for (when, place, message) in cases {
            let faults = faults(&json!([rule(&when)]));
            assert_eq!(faults.len(), 1, "{when}: {faults:?}");
            assert!(faults[0].0 == place && faults[0].1.starts_with(message), "{when}: {faults:?}");
        }
        let bad = json!([{ "name": "a/b", "outcome": "BAN", "label": "x", "severity": 2, "more": 1 }, 7]);
        let places: Vec<String> = faults(&bad).into_iter().map(|fault| fault.0).collect();
        assert_eq!(places, ["0.more", "0.name", "0.when", "0.outcome", "0.reason", "0.label", "0.severity", "1"]);
        let twice = rule(&json!({ "audience": ["POST"] }));
        assert_eq!(faults(&json!([twice, twice])), [("1.name".to_owned(), "another rule is named \"r\"".to_owned())]);
    }

    /// A rule cannot be nested or grown until its evaluation is expensive.
    #[test]
    fn size_and_depth_are_bounded() {
        let leaf = json!({ "audience": ["POST"] });
        let deep = (0..MAX_DEPTH).fold(leaf.clone(), |inside, _| json!({ "not": inside }));
        assert!(faults(&json!([rule(&deep)]))[0].1.contains("nested at most 8 deep"));
        let wide = json!({ "all": vec![leaf.clone(); 33] });
        assert!(faults(&json!([rule(&json!({ "any": [wide, wide] }))]))[0].1.contains("at most 64 predicates"));
        assert!(parse_rules(&vec![rule(&leaf); MAX_RULES + 1]).unwrap_err()[0].message.contains("at most 64 rules"));
        let deepest = (0..200_000).fold(String::new(), |text, _| text + "[");
        assert!(serde_json::from_str::<Value>(&deepest).is_err(), "the JSON itself is bounded");
    }
}
