//! Reads all contents again after a new model, or new policies: a page at a time, at a pace that leaves the rest of the service
//! alone, and from where it was after a restart.
use std::time::Duration;

use uuid::Uuid;

use super::models::Reanalysis;
use super::outcomes::Subjected;
use super::reading::Pipeline;
use super::signals::{analyse, read, take_reading};
use crate::contents::models::{StoredContent, list_texts_after, lock_texts};
use crate::core::app::App;
use crate::core::ground::worker::{Outcome, Worker};
use crate::subjects::SubjectKey;

/// Contents that are read before one transaction, which judges them: few enough that a replica that ends meanwhile has read little in vain.
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

impl From<StoredContent> for Subjected {
    fn from(content: StoredContent) -> Self {
        Self {
            key: SubjectKey { r#type: content.kind, id: content.id },
            author: content.author,
            version: content.version,
            text: content.text,
        }
    }
}

impl Worker for Reanalyser {
    async fn step(&mut self) -> anyhow::Result<Outcome> {
        let Some(reading) = Reanalysis::take(&self.app.db).await? else { return Ok(Outcome::Idle(POLL)) };
        let outcome = self.read_page(&reading).await;
        if outcome.is_err() {
            // Where that fails as well, the lease ends by itself.
            drop(reading.release(&self.app.db).await);
        }
        outcome
    }
}

impl Reanalyser {
    /// Reads the next page and then, in one transaction, judges those of its contents whose texts are still the same: another one was
    /// analysed when it was consumed.
    async fn read_page(&self, reading: &Reanalysis) -> anyhow::Result<Outcome> {
        let db = &self.app.db;
        let page = list_texts_after(db, reading.cursor, PAGE).await?;
        let Some(last) = page.last().map(|content| content.id) else {
            if reading.finish(db).await? {
                tracing::info!(contents = reading.done, "all contents were read again");
            }
            return Ok(Outcome::Idle(POLL));
        };
        let done = i64::try_from(page.len())?;
        let ids: Vec<Uuid> = page.iter().map(|content| content.id).collect();
        let texts = page.into_iter().map(|content| (content.id, content.text)).collect();
        let mut readings = read(db, &self.pipeline.reader, texts).await?;
        let mut tx = db.begin().await?;
        if !reading.advance(&mut tx, last, done).await? {
            // Another replica has stored the page, and goes on behind it.
            return Ok(Outcome::Idle(POLL));
        }
        let contents = lock_texts(&mut tx, &ids).await?.into_iter().map(Subjected::from);
        let same = contents.filter_map(|content| Some((take_reading(&mut readings, &content)?, content)));
        let same = same.map(|(reading, content)| (content, reading)).collect();
        analyse(&mut tx, &self.pipeline, same).await?;
        self.app.commit(tx).await?;
        metrics::counter!("contents_reanalysed_total").increment(done.unsigned_abs());
        let all = reading.done + done;
        if all / PAGE % PAGES_PER_LINE == 0 {
            tracing::info!(done = all, total = reading.total, "contents are read again");
        }
        Ok(Outcome::Idle(self.pause(done)))
    }
}
