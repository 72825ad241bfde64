//! Reads all contents again after a new model, or new policies: a page at a time, at a pace that leaves the rest of the service
//! alone, and from where it was after a restart.
use std::time::Duration;

use super::models::Reanalysis;
use super::outcomes::Subjected;
use super::reading::Pipeline;
use super::signals::analyse;
use crate::contents::models::lock_texts_after;
use crate::core::app::App;
use crate::core::ground::worker::{Outcome, Worker};
use crate::subjects::SubjectKey;

/// Contents that are read in one transaction: their locks make consumers wait some ten milliseconds.
const PAGE: i64 = 20;
/// How often it is looked whether there is something to read again.
const POLL: Duration = Duration::from_secs(10);
/// How many pages there are between two lines of the log.
const PAGES_PER_LINE: i64 = 50;

/// The worker that reads all contents again.
pub struct Reanalyser {
    app: App,
    pipeline: Pipeline,
}

impl Reanalyser {
    /// A worker for the reading that `moderation-service reanalyse` begins.
    pub fn new(app: &App, pipeline: Pipeline) -> Self {
        Self { app: app.clone(), pipeline }
    }

    /// The pause after a page, by the rate of the settings.
    fn pause(&self, done: i64) -> Duration {
        let rate = f64::from(self.pipeline.settings.moderation_reanalysis_rate);
        #[expect(clippy::cast_precision_loss, reason = "a page is small")]
        Duration::from_secs_f64(done as f64 / rate)
    }
}

impl Worker for Reanalyser {
    async fn step(&mut self) -> anyhow::Result<Outcome> {
        let mut tx = self.app.db.begin().await?;
        let Some(reading) = Reanalysis::lock(&mut tx).await? else { return Ok(Outcome::Idle(POLL)) };
        let page = lock_texts_after(&mut tx, reading.cursor, PAGE).await?;
        let Some(last) = page.last().map(|content| content.id) else {
            Reanalysis::finish(&mut tx).await?;
            self.app.commit(tx).await?;
            tracing::info!(contents = reading.done, "all contents were read again");
            return Ok(Outcome::Idle(POLL));
        };
        let done = i64::try_from(page.len())?;
        let contents = page.into_iter().map(|content| Subjected {
            key: SubjectKey { r#type: content.kind, id: content.id },
            author: content.author,
            version: content.version,
            text: content.text,
        });
        analyse(&mut tx, &self.pipeline, contents.collect()).await?;
        Reanalysis::advance(&mut tx, last, done).await?;
        self.app.commit(tx).await?;
        metrics::counter!("contents_reanalysed_total").increment(done.unsigned_abs());
        let all = reading.done + done;
        if all / PAGE % PAGES_PER_LINE == 0 {
            tracing::info!(done = all, total = reading.total, "contents are read again");
        }
        Ok(Outcome::Idle(self.pause(done)))
    }
}
