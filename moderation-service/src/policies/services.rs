//! Tries rules on past contents.
use super::Mode;
use super::evaluation::{CompiledPolicy, evaluate};
use super::models::Past;
use super::rules::{Facts, ModelScores, Rule};
use super::schemas::{ChangedOut, SimulationOut};
use uuid::Uuid;

/// Changed contents that are shown.
const EXAMPLES: usize = 20;

/// What rules would have led to for past contents, had they been the only policy.
pub fn simulate(rules: Vec<Rule>, past: Vec<Past>) -> SimulationOut {
    let policies = [CompiledPolicy { id: Uuid::nil(), version: 0, mode: Mode::Enforce, rules }];
    let mut out = SimulationOut { contents: past.len(), ..SimulationOut::default() };
    for content in past {
        let model = content.scores.as_ref().zip(content.thresholds.as_ref());
        let model = model.map(|(scores, thresholds)| ModelScores { scores: scores.0, thresholds: thresholds.0 });
        let verdict = evaluate(&policies, &Facts { audience: content.kind, model, signals: &content.signals.0 });
        let outcome = verdict.outcome();
        *out.outcomes.entry(outcome.word()).or_default() += 1;
        for found in &verdict.matches {
            *out.hits.entry(found.rule.clone()).or_default() += 1;
        }
        if outcome != content.verdict {
            out.changed += 1;
            if out.examples.len() < EXAMPLES {
                let rule = verdict.strictest().map(|found| found.rule.clone());
                out.examples.push(ChangedOut::new(content, outcome, rule));
            }
        }
    }
    out
}
