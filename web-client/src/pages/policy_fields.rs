//! A policy as the fields of its form have it. What a rule is about is a field each; the predicate that it holds by is a tree, and is written
//! as the API has it.
use serde_json::{Map, Value, json};

use super::fields::Fields;
use crate::api::policies::{Policy, Rule};
use crate::doors::refusals::Refusal;
use crate::ground::words::fill;
use crate::texts::{DECISION_REASONS, Texts};

/// A policy in its form.
pub struct PolicyDraft {
    /// Under which a new one is made once.
    pub key: String,
    pub name: String,
    pub mode: String,
    pub note: String,
    /// That which is changed.
    pub version: String,
    pub rules: Vec<RuleFields>,
}

/// A rule in its form. Where it has neither a name nor a predicate there is none: the form has a place for one more.
#[derive(Default)]
pub struct RuleFields {
    /// Its place in the order, as it was entered.
    pub place: String,
    pub name: String,
    pub when: String,
    pub outcome: String,
    pub reason: String,
    pub label: String,
    pub severity: String,
    /// What else it has, as JSON.
    pub more: String,
    pub is_dropped: bool,
}

impl PolicyDraft {
    /// A new one, which is tried before it is in force.
    pub fn blank(key: String) -> Self {
        let (name, note, version) = (String::new(), String::new(), "0".to_owned());
        Self { key, name, mode: "SHADOW".to_owned(), note, version, rules: vec![RuleFields::blank(1)] }
    }

    pub fn of(policy: &Policy) -> Self {
        let mut rules: Vec<_> = (1..).zip(&policy.rules).map(|(place, rule)| RuleFields::of(place, rule)).collect();
        rules.push(RuleFields::blank(rules.len() + 1));
        let (name, mode, version) = (policy.name.clone(), policy.mode.clone(), policy.version.to_string());
        Self { key: String::new(), name, mode, note: String::new(), version, rules }
    }

    /// What was entered, and a place for one more rule.
    pub fn sent(fields: &Fields) -> Self {
        let text = |name: &str| fields.get(name).to_owned();
        let mut rules: Vec<_> = (0..fields.all("rule_name").len()).map(|row| RuleFields::sent(fields, row)).collect();
        if !rules.last().is_some_and(RuleFields::is_blank) {
            rules.push(RuleFields::blank(rules.len() + 1));
        }
        let (key, name, mode) = (text("key"), text("name"), text("mode"));
        Self { key, name, mode, note: text("note"), version: text("version"), rules }
    }

    /// The rules as the API takes them, in the order that was entered; why they are none, where a predicate is no JSON.
    pub fn rules(&self, t: &Texts) -> Result<Vec<Value>, Refusal> {
        let mut rules: Vec<_> = self.rules.iter().filter(|rule| !rule.is_blank() && !rule.is_dropped).collect();
        rules.sort_by_key(|rule| rule.place.trim().parse().unwrap_or(u32::MAX));
        rules.into_iter().map(|rule| rule.json(t)).collect()
    }
}

impl RuleFields {
    fn blank(place: usize) -> Self {
        Self { place: place.to_string(), outcome: "REVIEW".to_owned(), ..Self::default() }
    }

    fn of(place: usize, rule: &Rule) -> Self {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        Self {
            place: place.to_string(),
            name: rule.name.clone(),
            when: serde_json::to_string_pretty(&rule.when).unwrap_or_default(),
            outcome: rule.outcome.clone(),
            reason: text(&rule.reason),
            label: text(&rule.label),
            severity: rule.severity.map(|severity| severity.to_string()).unwrap_or_default(),
            more: Value::Object(rule.more.clone()).to_string(),
            is_dropped: false,
        }
    }

    fn sent(fields: &Fields, row: usize) -> Self {
        let text = |name: &str| fields.all(name).get(row).map(|value| (*value).to_owned()).unwrap_or_default();
        Self {
            place: text("rule_place"),
            name: text("rule_name"),
            when: text("rule_when"),
            outcome: text("rule_outcome"),
            reason: text("rule_reason"),
            label: text("rule_label"),
            severity: text("rule_severity"),
            more: text("rule_more"),
            is_dropped: fields.has("rule_drop", &row.to_string()),
        }
    }

    fn is_blank(&self) -> bool {
        self.name.trim().is_empty() && self.when.trim().is_empty()
    }

    /// The reasons that its field offers: its own, too, where that is one that moderators do not decide by.
    pub fn reasons(&self) -> Vec<&str> {
        let own = Some(self.reason.as_str()).filter(|own| !own.is_empty() && !DECISION_REASONS.contains(own));
        own.into_iter().chain(DECISION_REASONS).collect()
    }

    fn json(&self, t: &Texts) -> Result<Value, Refusal> {
        let unread = |_| Refusal::because(&fill(t.rule_no_json, &[&self.name]));
        let when: Value = serde_json::from_str(&self.when).map_err(unread)?;
        let mut rule: Map<String, Value> = serde_json::from_str(&self.more).unwrap_or_default();
        let name = self.name.trim();
        rule.extend([("name", json!(name)), ("when", when), ("outcome", json!(self.outcome))].map(named));
        for (field, text) in [("reason", &self.reason), ("label", &self.label)] {
            if !text.trim().is_empty() {
                rule.insert(field.to_owned(), json!(text.trim()));
            }
        }
        let severity = self.severity.trim();
        if !severity.is_empty() {
            // What is no number, the API refuses, with its place.
            let number = severity.parse::<f64>().map_or_else(|_| json!(severity), |number| json!(number));
            rule.insert("severity".to_owned(), number);
        }
        Ok(Value::Object(rule))
    }
}

fn named((name, value): (&str, Value)) -> (String, Value) {
    (name.to_owned(), value)
}
