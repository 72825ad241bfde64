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
/// The policy that is tried where it is to stand beside all others.
const NEW: Uuid = Uuid::nil();

/// The policies as they are enforced, and as they would be.
pub struct Proposal {
    enforced: Vec<CompiledPolicy>,
    proposed: Vec<CompiledPolicy>,
    /// The policy that is tried.
    tried: Uuid,
}

impl Proposal {
    /// Rules that are enforced in the place of those of a policy or, without one, behind all policies. `current` are those that are not
    /// off, and `order` has all in the order in which they are evaluated.
    pub fn new(current: Vec<CompiledPolicy>, order: &[Uuid], policy: Option<Uuid>, rules: Vec<Rule>) -> Self {
        let tried = policy.unwrap_or(NEW);
        let enforced: Vec<_> = current.into_iter().filter(|policy| policy.mode == Mode::Enforce).collect();
        let mut proposed: Vec<_> = enforced.iter().filter(|policy| policy.id != tried).cloned().collect();
        let before: Vec<&Uuid> = order.iter().take_while(|id| **id != tried).collect();
        let place = proposed.iter().filter(|policy| before.contains(&&policy.id)).count();
        proposed.insert(place, CompiledPolicy { id: tried, version: 0, mode: Mode::Enforce, rules });
        Self { enforced, proposed, tried }
    }
}

/// What would be different for past contents, by what was found in them: under the policies as they are enforced now, and with
/// those that are proposed.
pub fn simulate(proposal: &Proposal, past: Vec<Past>) -> SimulationOut {
    let mut out = SimulationOut { contents: past.len(), ..SimulationOut::default() };
    for content in past {
        let model = content.scores.as_ref().zip(content.thresholds.as_ref());
        let model = model.map(|(scores, thresholds)| ModelScores { scores: scores.0, thresholds: thresholds.0 });
        let facts = Facts { audience: content.kind, model, signals: &content.signals.0 };
        let (now, then) = (evaluate(&proposal.enforced, &facts), evaluate(&proposal.proposed, &facts));
        *out.outcomes_now.entry(now.outcome().word()).or_default() += 1;
        *out.outcomes.entry(then.outcome().word()).or_default() += 1;
        for found in then.matches.iter().filter(|found| found.policy == proposal.tried) {
            *out.hits.entry(found.rule.clone()).or_default() += 1;
        }
        if now.outcome() != then.outcome() || now.labels() != then.labels() {
            out.changed += 1;
            if out.examples.len() < EXAMPLES {
                let policy = then.strictest().map(|found| found.policy).filter(|policy| *policy != NEW);
                out.examples.push(ChangedOut::new(content, policy, &now, &then));
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
