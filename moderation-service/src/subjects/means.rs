//! What a machine has decided by, as it was then: it is kept with the decision, and stated to the author.
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A comparison that held: a number, and the bound that it reached
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Comparison {
    /// A head of the text model, or a signal
    pub signal: String,
    pub value: f64,
    /// The bound, where this much or more was asked for
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_least: Option<f64>,
    /// The bound, where this much or less was asked for
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_most: Option<f64>,
}

impl Comparison {
    /// A number that has reached its bound.
    pub fn reached(signal: &str, value: f64, bound: f64) -> Self {
        Self { signal: signal.to_owned(), value, at_least: Some(bound), at_most: None }
    }

    fn words(&self) -> String {
        let bound = match (self.at_least, self.at_most) {
            (Some(least), _) => format!(" (from {} on)", short(least)),
            (None, Some(most)) => format!(" (up to {})", short(most)),
            (None, None) => String::new(),
        };
        format!("{} {}{bound}", self.signal, short(self.value))
    }
}

/// A number with three digits behind the point at most.
fn short(number: f64) -> String {
    let text = format!("{number:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// What a machine has decided by
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AutomatedMeans {
    /// SHA-256 of the text or the picture that was read, in hexadecimal digits; null: nothing was
    pub content_hash: Option<String>,
    /// The model that has read it; null: none has
    pub model_version: Option<String>,
    /// The language of a text: ISO 639-3, `short` or `und`
    pub language: Option<String>,
    /// What the text model says, by head, 0 to 1
    pub scores: BTreeMap<String, f64>,
    /// The comparisons of the rule that held
    pub comparisons: Vec<Comparison>,
}

impl AutomatedMeans {
    /// The facts in words, as the author reads them; none when there are none.
    pub fn sentence(&self) -> Option<String> {
        let found: Vec<String> = self.comparisons.iter().map(Comparison::words).collect();
        let found = (!found.is_empty()).then(|| format!("What was found: {}.", found.join(", ")));
        let read = self.model_version.as_ref().map(|version| format!("It was read by the model {version}."));
        let parts: Vec<String> = found.into_iter().chain(read).collect();
        (!parts.is_empty()).then(|| parts.join(" "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_are_stated_in_words() {
        let most = Comparison { signal: "account_age_hours".into(), value: 3.25, at_least: None, at_most: Some(24.0) };
        let means = AutomatedMeans {
            model_version: Some("text-0123".to_owned()),
            comparisons: vec![
                Comparison::reached("hate", 0.984_375, 0.875),
                Comparison::reached("links", 2.0, 1.0),
                most,
            ],
            ..AutomatedMeans::default()
        };
        let expected = "What was found: hate 0.984 (from 0.875 on), links 2 (from 1 on), account_age_hours 3.25 (up to 24). \
            It was read by the model text-0123.";
        assert_eq!(means.sentence().as_deref(), Some(expected));
        assert_eq!(AutomatedMeans::default().sentence(), None);
    }
}
