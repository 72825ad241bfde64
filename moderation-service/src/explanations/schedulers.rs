//! The worker that explains, and the one that counts what waits for it.
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;

use super::models::WaitingExplanation;
use crate::analyses::scoring::{Explanation, NO_MODEL, explain_scores, explained};
use crate::contents::models as contents;
use crate::core::app::App;
use crate::core::ground::worker::{Outcome, Worker};
use crate::text_model::TextModel;

/// How often it is looked whether something waits, when no commit of this process says so.
const POLL: Duration = Duration::from_secs(2);
/// How often an explanation is begun: what three processes did not survive is given up.
const MAX_TRIES: i16 = 3;
/// How often what waits is counted.
const COUNT_INTERVAL: Duration = Duration::from_secs(15);

/// Explains analyses, one in a step.
pub struct Explainer {
    pub app: App,
    /// The model that has read the texts, as it is given to what has time; without one nothing new waits.
    pub model: Option<Arc<dyn TextModel>>,
}

impl Explainer {
    /// The explanation of an analysis, and what has become of it.
    async fn explain(&self, waiting: &mut WaitingExplanation) -> anyhow::Result<(&'static str, Explanation)> {
        if waiting.tries > MAX_TRIES {
            tracing::warn!(analysis = %waiting.analysis, "an explanation is given up after {MAX_TRIES} tries");
            return Ok(("given_up", Explanation::default()));
        }
        let (Some(model), Some(text)) = (self.model.clone(), waiting.text.take()) else {
            return Ok(("obsolete", Explanation::default()));
        };
        let (Some(scores), Some(thresholds)) = (&waiting.scores, &waiting.thresholds) else {
            return Ok(("obsolete", Explanation::default()));
        };
        let heads = explained(&scores.0, &thresholds.0, &waiting.matched.0);
        let found = tokio::task::spawn_blocking(move || explain_scores(&*model, &text, &heads)).await;
        Ok(("explained", found.context("the model panicked").flatten()?))
    }
}

impl Worker for Explainer {
    async fn step(&mut self) -> anyhow::Result<Outcome> {
        let version = self.model.as_ref().map_or(NO_MODEL, |model| model.version());
        let Some(mut waiting) = WaitingExplanation::take(&self.app.db, version).await? else {
            return Ok(Outcome::Idle(POLL));
        };
        let (mut outcome, explanation) = match self.explain(&mut waiting).await {
            Ok(explained) => explained,
            Err(cause) => {
                metrics::counter!("explanations_total", "outcome" => "failed").increment(1);
                return Err(cause.context(format!("analysis {} could not be explained", waiting.analysis)));
            }
        };
        if outcome == "explained" {
            let mut tx = self.app.db.begin().await?;
            contents::lock(&mut tx, &[waiting.content]).await?;
            if !waiting.save(&mut tx, &explanation).await? {
                outcome = "obsolete";
            }
            self.app.commit(tx).await?;
        } else {
            waiting.give_up(&self.app.db).await?;
        }
        metrics::counter!("explanations_total", "outcome" => outcome).increment(1);
        Ok(Outcome::Busy)
    }
}

/// Counts what waits, but for what no replica with its model has taken: that is given up.
pub struct ExplanationCounter {
    pub app: App,
    /// The model that explains here.
    pub model_version: String,
}

impl Worker for ExplanationCounter {
    async fn step(&mut self) -> anyhow::Result<Outcome> {
        let given_up = WaitingExplanation::give_up_other_models(&self.app.db, &self.model_version).await?;
        metrics::counter!("explanations_total", "outcome" => "given_up").increment(given_up);
        let waiting = WaitingExplanation::count(&self.app.db).await?;
        #[expect(clippy::cast_precision_loss, reason = "a number of rows stays far below 2^52")]
        metrics::gauge!("explanations_pending").set(waiting as f64);
        Ok(Outcome::Idle(COUNT_INTERVAL))
    }
}
