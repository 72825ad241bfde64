//! The way of the handlers to the text model: bounded, so that what is too much is refused at once and does not wait for ever.
//!
//! What a text costs grows with its length: about 2 ms of one core per 128 bytes. So what is on its way is counted in bytes and not
//! in requests, and as much is let in as two cores read in about [`PATIENCE`]. A reader without a model refuses everything.
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::future::try_join_all;
use tokio::sync::Semaphore;

use crate::text_model::artefact::Calibration;
use crate::text_model::queue::Queue;
use crate::text_model::{HEADS, Scores, TextModel};

/// Bytes of texts on their way to the model at once. One request is smaller: its body is, as JSON.
const BYTES_AT_ONCE: u32 = 256 * 1024;
/// What each text counts at least, in bytes: an empty one costs something, too.
const MIN_COST: usize = 64;
/// The longest that a text waits and is read: the platform's services have given up then.
const PATIENCE: Duration = Duration::from_secs(2);

/// Why a text could not be read.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    #[error("The text model is off.")]
    NoModel,
    #[error("The text model has more to read than it can at the moment.")]
    Overloaded,
    #[error("the text model failed")]
    Failed(#[from] anyhow::Error),
}

/// A model and the queue before it.
struct Loaded {
    model: Arc<dyn TextModel>,
    queue: Queue,
    bytes: Semaphore,
}

/// Reads texts with a model, where there is one.
pub struct TextReader(Option<Loaded>);

impl TextReader {
    /// A reader with a model, which gets this many threads; or without one.
    pub fn new(model: Option<Arc<dyn TextModel>>, threads: usize) -> anyhow::Result<Self> {
        let load = |model: Arc<dyn TextModel>| -> anyhow::Result<Loaded> {
            let queue = Queue::start(&model, threads)?;
            Ok(Loaded { model, queue, bytes: Semaphore::new(usize::try_from(BYTES_AT_ONCE)?) })
        };
        Ok(Self(model.map(load).transpose()?))
    }

    fn loaded(&self) -> Result<&Loaded, Unreadable> {
        self.0.as_ref().ok_or(Unreadable::NoModel)
    }

    /// Which model reads.
    pub fn version(&self) -> Result<&str, Unreadable> {
        Ok(self.loaded()?.model.version())
    }

    /// From which scores on they mean something, per head.
    pub fn calibrations(&self) -> Result<&[Calibration; HEADS], Unreadable> {
        Ok(self.loaded()?.model.calibrations())
    }

    /// The scores of texts, in their order. All of them are let in, or none.
    pub async fn read(&self, texts: Vec<String>) -> Result<Vec<Scores>, Unreadable> {
        let begun = Instant::now();
        let read = self.read_in_time(texts).await;
        let outcome = match &read {
            Ok(_) => "read",
            Err(Unreadable::NoModel) => "no_model",
            Err(Unreadable::Overloaded) => "overloaded",
            Err(Unreadable::Failed(_)) => "failed",
        };
        metrics::counter!("text_analyses_total", "outcome" => outcome).increment(1);
        metrics::histogram!("text_analysis_duration_seconds").record(begun.elapsed());
        read
    }

    async fn read_in_time(&self, texts: Vec<String>) -> Result<Vec<Scores>, Unreadable> {
        let Loaded { queue, bytes, .. } = self.loaded()?;
        let cost = texts.iter().map(|text| text.len().max(MIN_COST)).sum::<usize>();
        let cost = u32::try_from(cost).map_err(|_| Unreadable::Overloaded)?;
        let Ok(_permit) = bytes.try_acquire_many(cost) else { return Err(Unreadable::Overloaded) };
        let read = try_join_all(texts.into_iter().map(|text| queue.read(text)));
        Ok(tokio::time::timeout(PATIENCE, read).await.map_err(|_| Unreadable::Overloaded)??)
    }
}
