//! What policies say about a content: which rules match, and what follows from them together.
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::Mode;
use super::rules::{Facts, Rule, RuleOutcome};
use crate::subjects::means::Comparison;
use crate::subjects::reasons::Reason;

/// A policy that is ready to be evaluated.
#[derive(Clone, Debug)]
pub struct CompiledPolicy {
    pub id: Uuid,
    pub version: i32,
    pub mode: Mode,
    pub rules: Vec<Rule>,
}

/// A rule that matched.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Match {
    pub policy: Uuid,
    pub version: i32,
    pub mode: Mode,
    pub rule: String,
    pub outcome: RuleOutcome,
    pub reason: Reason,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// How urgent it is for a person, 0 to 1
    pub severity: f64,
    /// The comparisons of the rule that held. Analyses of before there was that have none
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub comparisons: Vec<Comparison>,
}

/// What follows for a content from the policies that are enforced.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PolicyVerdict {
    /// All matches, in the order of policies and rules, those of shadow policies among them.
    pub matches: Vec<Match>,
    /// Whether the text was read in part: then no rule says that nothing is wrong with it, and it is for a person.
    pub is_partial: bool,
}

impl PolicyVerdict {
    fn enforced(&self) -> impl Iterator<Item = &Match> {
        self.matches.iter().filter(|found| found.mode == Mode::Enforce)
    }

    /// The strictest match that is enforced; of several, the first.
    pub fn strictest(&self) -> Option<&Match> {
        self.enforced().reduce(|first, next| if next.outcome > first.outcome { next } else { first })
    }

    /// The strictest match of those that do something to the content, and not only ask for a person; of several, the first.
    pub fn acting(&self) -> Option<&Match> {
        let acting = self.enforced().filter(|found| found.outcome != RuleOutcome::Review);
        acting.reduce(|first, next| if next.outcome > first.outcome { next } else { first })
    }

    /// What becomes of the content.
    pub fn outcome(&self) -> RuleOutcome {
        let least = if self.is_partial { RuleOutcome::Review } else { RuleOutcome::Allow };
        self.strictest().map_or(least, |found| found.outcome.max(least))
    }

    /// The labels of all matches, each once, in alphabetical order.
    pub fn labels(&self) -> Vec<&str> {
        let mut labels: Vec<&str> = self.enforced().filter_map(|found| found.label.as_deref()).collect();
        labels.sort_unstable();
        labels.dedup();
        labels
    }

    /// The match that asks for a person, the most urgent first; none when no rule does.
    pub fn review(&self) -> Option<&Match> {
        let asking = self.enforced().filter(|found| found.outcome == RuleOutcome::Review);
        asking.reduce(|first, next| if next.severity > first.severity { next } else { first })
    }
}

/// Evaluates policies. Rules are read in their order; one that allows ends its policy.
pub fn evaluate(policies: &[CompiledPolicy], facts: &Facts<'_>) -> PolicyVerdict {
    let mut matches = Vec::new();
    for policy in policies.iter().filter(|policy| policy.mode != Mode::Off) {
        for rule in policy.rules.iter().filter(|rule| rule.when.holds(facts)) {
            let outcome = rule.outcome_for(facts);
            matches.push(Match {
                policy: policy.id,
                version: policy.version,
                mode: policy.mode,
                rule: rule.name.clone(),
                outcome,
                reason: rule.reason,
                label: rule.label.clone().filter(|_| outcome == RuleOutcome::Label),
                severity: rule.severity.unwrap_or_else(|| facts.severity()),
                comparisons: rule.when.comparisons(facts),
            });
            if rule.outcome == RuleOutcome::Allow {
                break;
            }
        }
    }
    PolicyVerdict { matches, is_partial: facts.signals.read_in_part }
}
