//! The text model as an analysis uses it: its thresholds as rules read them, and why a text was judged as it was.
use std::time::Instant;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::policies::Mode;
use crate::policies::evaluation::Match;
use crate::policies::rules::{HeadThresholds, RuleOutcome};
use crate::text_model::explain::{BUDGET, explain_heads};
use crate::text_model::{HEADS, Head, TextModel};

/// The version of analyses that no model took part in.
pub const NO_MODEL: &str = "none";
/// The heads that are explained where no rule has acted on more. Heads that are highest in the same passage share its readings, so of a short
/// text all of them together cost some twenty.
const LABELS: usize = 2;
/// The spans that are kept of each head.
const SPANS: usize = 5;

/// What a model has said about a text.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ReadScores {
    pub scores: [f64; HEADS],
    /// Whether the text was too long to be read whole.
    pub is_partial: bool,
}

/// Why a text has its scores.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Explanation {
    pub spans: Vec<WeighedSpan>,
    /// Whether some of the text was left out of the search for them.
    pub is_partial: bool,
}

/// A part of a text that weighs in a score.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct WeighedSpan {
    /// The head whose score it raises
    pub head: String,
    /// The first character, and the one behind the last
    pub start: usize,
    pub end: usize,
    /// By how much the log-odds of the score fall without it
    pub weight: f64,
}

/// From where on each head of a model means something.
pub fn thresholds(model: &dyn TextModel) -> [HeadThresholds; HEADS] {
    model.calibrations().map(|head| HeadThresholds { label: head.label.into(), hide: head.hide.map(f64::from) })
}

/// The heads whose scores are explained: those that an enforced rule has compared, and those for which the text has a label, the highest
/// first, until there are two.
pub fn explained(scores: &[f64; HEADS], thresholds: &[HeadThresholds; HEADS], matched: &[Match]) -> Vec<Head> {
    let acted = matched.iter().filter(|found| found.mode == Mode::Enforce && found.outcome != RuleOutcome::Allow);
    let compared: Vec<&str> =
        acted.flat_map(|found| &found.comparisons).map(|comparison| comparison.signal.as_str()).collect();
    let score = |head: &Head| scores[*head as usize];
    let is_compared = |head: &Head| compared.contains(&head.name());
    let mut heads: Vec<Head> = Head::ALL.into_iter().filter(is_compared).collect();
    let is_labelled = |head: &Head| score(head) >= thresholds[*head as usize].label && !is_compared(head);
    let mut labelled: Vec<Head> = Head::ALL.into_iter().filter(is_labelled).collect();
    labelled.sort_by(|a, b| score(b).total_cmp(&score(a)));
    labelled.truncate(LABELS.saturating_sub(heads.len()));
    heads.extend(labelled);
    heads.sort_by(|a, b| score(b).total_cmp(&score(a)));
    heads
}

/// The parts of a text that weigh most in the scores of heads, as far as they are found [in time](BUDGET).
pub fn explain_scores(model: &dyn TextModel, text: &str, heads: &[Head]) -> anyhow::Result<Explanation> {
    let mut explanation = Explanation::default();
    if heads.is_empty() {
        return Ok(explanation);
    }
    let found = explain_heads(model, text, heads, Instant::now() + BUDGET)?;
    explanation.is_partial = found.is_partial;
    for (head, heaviest) in heads.iter().zip(found.heads) {
        let heaviest = heaviest.into_iter().take(SPANS);
        explanation.spans.extend(heaviest.map(|span| WeighedSpan {
            head: head.name().to_owned(),
            start: span.start,
            end: span.end,
            weight: span.weight.into(),
        }));
    }
    Ok(explanation)
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::subjects::means::Comparison;
    use crate::subjects::reasons::Reason;

    fn found(mode: Mode, outcome: RuleOutcome, signals: &[&str]) -> Match {
        Match {
            policy: Uuid::nil(),
            version: 1,
            mode,
            rule: "r".to_owned(),
            outcome,
            reason: Reason::OtherRules,
            label: None,
            severity: 0.0,
            comparisons: signals.iter().map(|signal| Comparison::reached(signal, 0.2, 0.1)).collect(),
        }
    }

    /// Whatever a rule has acted on is explained, also below the label; what only has a label, as far as there is room.
    #[test]
    fn what_a_rule_has_acted_on_is_explained() {
        let thresholds = [HeadThresholds { label: 0.5, hide: None }; HEADS];
        let scores = [0.6, 0.2, 0.7, 0.1, 0.9];
        let of = |matched: &[Match]| explained(&scores, &thresholds, matched);
        assert_eq!(of(&[]), [Head::Spam, Head::Sexism], "the two highest labels");
        let acted = |signals: &[&str]| found(Mode::Enforce, RuleOutcome::Hold, signals);
        assert_eq!(of(&[acted(&["hate", "links"])]), [Head::Spam, Head::Hate]);
        assert_eq!(of(&[acted(&["hate"]), acted(&["threat", "toxic"])]), [Head::Toxic, Head::Hate, Head::Threat]);
        let shadow = found(Mode::Shadow, RuleOutcome::Hide, &["hate"]);
        let allowed = found(Mode::Enforce, RuleOutcome::Allow, &["threat"]);
        assert_eq!(of(&[shadow, allowed]), [Head::Spam, Head::Sexism], "nothing has followed from them");
        assert_eq!(explained(&[0.0; HEADS], &thresholds, &[]), []);
    }
}
