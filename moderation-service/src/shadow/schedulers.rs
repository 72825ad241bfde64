//! The worker that reads with the model in shadow.
use std::sync::Arc;
use std::time::Duration;

use super::models::{FollowedText, ShadowProgress, ShadowReading};
use super::services::heads_agreed;
use crate::analyses::scoring::thresholds;
use crate::core::app::App;
use crate::core::ground::worker::{Outcome, Worker};
use crate::policies::evaluation::evaluate;
use crate::policies::models::load_policies;
use crate::policies::rules::{Facts, ModelScores};
use crate::text_model::{HEADS, TextModel};

/// Texts that are read in one transaction, which holds nothing but the place.
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
        let mut tx = self.app.db.begin().await?;
        let Some(mut progress) = ShadowProgress::lock(&mut tx).await? else { return Ok(Outcome::Idle(POLL)) };
        let skipped = progress.skip(&mut tx).await?;
        metrics::counter!("shadow_texts_total", "outcome" => "skipped").increment(skipped.unsigned_abs());
        let version = self.model.version().to_owned();
        let texts = FollowedText::list(&mut tx, &progress, &version, self.sample, PAGE).await?;
        let Some((at, id)) = texts.last().map(|last| (last.at, last.analysis)) else {
            ShadowProgress::save(&mut tx, progress.horizon.max(progress.at), uuid::Uuid::max()).await?;
            self.app.commit(tx).await?;
            return Ok(Outcome::Idle(POLL));
        };
        let readings = self.read(&mut tx, texts).await?;
        ShadowReading::save_all(&mut tx, &version, &thresholds(&*self.model), &readings).await?;
        ShadowProgress::save(&mut tx, at, id).await?;
        self.app.commit(tx).await?;
        metrics::counter!("shadow_texts_total", "outcome" => "read").increment(readings.len() as u64);
        Ok(Outcome::Busy)
    }
}

impl ShadowReader {
    /// Reads texts off the async threads, and judges them as they would have been with these scores.
    async fn read(
        &self,
        tx: &mut sqlx::PgTransaction<'_>,
        texts: Vec<FollowedText>,
    ) -> anyhow::Result<Vec<ShadowReading>> {
        let policies = load_policies(&mut **tx).await?;
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
