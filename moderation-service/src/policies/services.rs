//! Tries rules on past contents, and holds the policies of now for those who ask often.
use std::sync::Arc;

use sqlx::PgPool;
use tokio::sync::watch;

use super::Mode;
use super::evaluation::{CompiledPolicy, evaluate};
use super::models::{Past, load_policies};
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

/// The policies that are not off, as they were a moment ago: a handler that answers within milliseconds reads them here and not in
/// the database. [`PolicyReader`](super::schedulers::PolicyReader) renews them; where it does not run they are read each time.
#[derive(Debug, Default)]
pub struct CurrentPolicies(watch::Sender<Option<Arc<Vec<CompiledPolicy>>>>);

impl CurrentPolicies {
    /// The policies. When the database is away, those that were read last hold.
    pub async fn get(&self, db: &PgPool) -> sqlx::Result<Arc<Vec<CompiledPolicy>>> {
        let held = self.0.borrow().clone();
        match held {
            Some(policies) => Ok(policies),
            None => Ok(Arc::new(load_policies(db).await?)),
        }
    }

    /// Reads them again, and holds them from now on.
    pub async fn renew(&self, db: &PgPool) -> sqlx::Result<()> {
        let policies = Arc::new(load_policies(db).await?);
        self.0.send_replace(Some(policies));
        Ok(())
    }
}
