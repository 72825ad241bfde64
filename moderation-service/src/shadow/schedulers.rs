//! The worker that reads with the model in shadow.
use std::sync::Arc;
use std::time::Duration;

use uuid::Uuid;

use super::models::{FollowedText, ShadowProgress, ShadowReading};
use super::services::heads_agreed;
use crate::analyses::scoring::thresholds;
use crate::core::app::App;
use crate::core::ground::worker::{Outcome, Worker};
use crate::policies::evaluation::evaluate;
use crate::policies::models::load_policies;
use crate::policies::rules::{Facts, ModelScores};
use crate::text_model::{HEADS, TextModel};

/// Texts that are read under one lease.
const PAGE: i64 = 16;
/// How often it is looked whether there is something to read.
const POLL: Duration = Duration::from_secs(5);

/// Reads with the second model what the first one has read.
pub struct ShadowReader {
    pub app: App,
    pub model: Arc<dyn TextModel>,
    /// The share of texts that is read.
    pub sample: f64,
}

impl Worker for ShadowReader {
    async fn step(&mut self) -> anyhow::Result<Outcome> {
        let Some(progress) = ShadowProgress::take(&self.app.db).await? else { return Ok(Outcome::Idle(POLL)) };
        let outcome = self.follow(&progress).await;
        if outcome.is_err() {
            // Where that fails as well, the lease ends by itself.
            drop(progress.release(&self.app.db).await);
        }
        outcome
    }
}

impl ShadowReader {
    /// Reads the texts behind a place, and then stores what it has read if the place is still there.
    async fn follow(&self, progress: &ShadowProgress) -> anyhow::Result<Outcome> {
        let db = &self.app.db;
        let skipped = progress.count_skipped(db).await?;
        let version = self.model.version().to_owned();
        let texts = FollowedText::list(db, progress, &version, self.sample, PAGE).await?;
        let last = texts.last().map(|last| (last.at, last.analysis));
        let (at, id) = last.unwrap_or((progress.horizon.max(progress.at), Uuid::max()));
        let readings = if texts.is_empty() { Vec::new() } else { self.read(texts).await? };
        let mut tx = db.begin().await?;
        if !progress.advance(&mut *tx, at, id).await? {
            return Ok(Outcome::Idle(POLL));
        }
        ShadowReading::save_all(&mut tx, &version, &thresholds(&*self.model), &readings).await?;
        tx.commit().await?;
        metrics::counter!("shadow_texts_total", "outcome" => "skipped").increment(skipped.unsigned_abs());
        metrics::counter!("shadow_texts_total", "outcome" => "read").increment(readings.len() as u64);
        Ok(if readings.is_empty() { Outcome::Idle(POLL) } else { Outcome::Busy })
    }

    /// Reads texts off the async threads and in no transaction, and judges them as they would have been with these scores.
    async fn read(&self, texts: Vec<FollowedText>) -> anyhow::Result<Vec<ShadowReading>> {
        let policies = load_policies(&self.app.db).await?;
        let model = self.model.clone();
        let read = move || -> anyhow::Result<Vec<ShadowReading>> {
            let own = thresholds(&*model);
            let scores = model.read(&texts.iter().map(|text| text.text.as_str()).collect::<Vec<_>>())?;
            let judge = |(text, scores): (&FollowedText, [f64; HEADS])| {
                let found = Some(ModelScores { scores, thresholds: own });
                let facts = Facts { audience: text.kind, model: found, signals: &text.signals.0 };
                let agreed = heads_agreed((&text.scores.0, &text.thresholds.0), (&scores, &own));
                ShadowReading {
                    analysis: text.analysis,
                    scores,
                    heads_agreed: i16::try_from(agreed).unwrap_or(i16::MAX),
                    verdict: evaluate(&policies, &facts).outcome(),
                }
            };
            let scores = scores.iter().map(|read| read.scores.map(f64::from));
            Ok(texts.iter().zip(scores).map(judge).collect())
        };
        tokio::task::spawn_blocking(read).await?
    }
}
