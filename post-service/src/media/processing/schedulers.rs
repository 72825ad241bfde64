//! The workers that process pictures.
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow, bail};
use axum::body::Bytes;
use sha2::{Digest, Sha256};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use uuid::Uuid;

use super::clock::ThreadClock;
use super::models::{LeasedMedia, ProcessedMedia, QueueState, StoredRendition};
use super::services::{MediaRefusal, ProcessedImage, Rendition, process};
use super::signals;
use crate::core::app::App;
use crate::core::ground::worker::{Outcome, Worker};
use crate::media::blobs::models::Blob;
use crate::media::library::MediaLibrary;

/// Pictures that are processed at once in a process: each takes up to 400 MiB for some seconds.
pub const AT_ONCE: usize = 2;
/// How often a worker looks for work without a commit that wakes it.
const POLL: Duration = Duration::from_secs(2);
/// How long a picture may keep a processor busy.
const TIME_LIMIT: Duration = Duration::from_secs(20);
/// How often it is looked at whether it has.
const LOOK: Duration = Duration::from_millis(500);
/// How long a picture is waited for, however busy the machine is, and a picture that has to be alone for the others to end.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long all of a picture may take, with the store: less than a worker's step (`core/ground/worker.rs`), which would leave it taken.
const HANDLING: Duration = Duration::from_secs(50);
/// How often a picture is begun, before it counts as one that ends its worker: once beside others, which may have been the cause, and
/// from then on alone.
const MAX_ATTEMPTS: i32 = 4;
/// How long a picture waits when the store is away or the machine is overloaded, in seconds.
const PAUSE: f64 = 5.0;
/// How far the pictures that wait are counted.
const MAX_COUNTED: i64 = 10_000;

/// A worker that processes one picture in a step.
pub struct MediaWorker {
    app: App,
    library: Arc<MediaLibrary>,
    /// The threads that decode, [`AT_ONCE`]. One that is given up goes on until it has reached a limit, and keeps its place meanwhile.
    threads: Arc<Semaphore>,
    time_limit: Duration,
    patience: Duration,
}

impl MediaWorker {
    /// A worker of a process, all of whose workers share the threads.
    pub fn new(app: &App, library: &Arc<MediaLibrary>, threads: &Arc<Semaphore>) -> Self {
        let (app, library, threads) = (app.clone(), library.clone(), threads.clone());
        Self { app, library, threads, time_limit: TIME_LIMIT, patience: PATIENCE }
    }

    /// The same with other limits of time: of the processor, and of waiting.
    #[cfg(test)]
    pub fn within(self, time_limit: Duration, patience: Duration) -> Self {
        Self { time_limit, patience, ..self }
    }

    async fn handle(&self, media: &LeasedMedia, place: OwnedSemaphorePermit) -> anyhow::Result<()> {
        let began = Instant::now();
        let outcome = if media.attempts > MAX_ATTEMPTS {
            Err(MediaRefusal::NotProcessed)
        } else {
            let place = if media.is_suspect() { self.be_alone(place).await? } else { place };
            let content = self.library.store.read(media.original).await?;
            self.decode(media, content, place).await?
        };
        let word = match outcome {
            Ok(image) => self.save(media, image).await.map(|()| "ready")?,
            Err(refusal) => self.refuse(media, refusal).await.map(|()| refusal.word())?,
        };
        metrics::counter!("media_processed_total", "outcome" => word).increment(1);
        metrics::histogram!("media_processing_seconds").record(began.elapsed());
        Ok(())
    }

    /// All places instead of one: a picture that may have ended its worker is processed while no other is, so that its next end is its own
    /// and takes no other with it.
    async fn be_alone(&self, place: OwnedSemaphorePermit) -> anyhow::Result<OwnedSemaphorePermit> {
        // Two workers that kept theirs would wait for each other.
        drop(place);
        let all = self.threads.clone().acquire_many_owned(u32::try_from(AT_ONCE)?);
        Ok(tokio::time::timeout(self.patience, all).await.context("it is not alone yet")??)
    }

    /// Decodes on a thread of its own, of which there are few. An error is not the picture's fault.
    async fn decode(
        &self,
        media: &LeasedMedia,
        content: Bytes,
        place: OwnedSemaphorePermit,
    ) -> anyhow::Result<Result<ProcessedImage, MediaRefusal>> {
        let (kind, purpose) = (media.content_type.clone(), media.purpose);
        let (started, mut clock) = oneshot::channel();
        let mut work = tokio::task::spawn_blocking(move || {
            let _place = place;
            started.send(ThreadClock::begin()).ok();
            process(&content, &kind, purpose)
        });
        let (began, mut running) = (Instant::now(), None::<ThreadClock>);
        let look = LOOK.min(self.time_limit).min(self.patience);
        let done = loop {
            if let Ok(done) = tokio::time::timeout(look, &mut work).await {
                break done;
            }
            running = running.or_else(|| clock.try_recv().ok());
            // What its neighbours and the rest of the machine take is not counted.
            if running.as_ref().is_some_and(|clock| clock.elapsed() >= self.time_limit) {
                return Ok(Err(MediaRefusal::TooSlow));
            }
            if began.elapsed() >= self.patience {
                // One that has had half of its time is not begun again: its thread goes on, and the next one would be taken, too.
                let used = running.as_ref().map_or(Duration::ZERO, ThreadClock::elapsed);
                if used >= self.time_limit / 2 {
                    return Ok(Err(MediaRefusal::TooSlow));
                }
                bail!("the machine is overloaded");
            }
        };
        match done {
            Ok(done) => Ok(done),
            // A decoder that panics has met a file that it cannot read.
            Err(end) if end.is_panic() => Ok(Err(MediaRefusal::NotReadable)),
            Err(end) => Err(end.into()),
        }
    }

    /// Writes the files, and then makes the picture ready.
    async fn save(&self, media: &LeasedMedia, image: ProcessedImage) -> anyhow::Result<()> {
        let mut written = Vec::new();
        for rendition in &image.renditions {
            let blob = new_blob(rendition);
            self.library.store.put(blob.id, rendition.content.clone()).await?;
            written.push(blob);
        }
        let mut tx = self.app.db.begin().await?;
        if !media.lock(&mut tx).await? {
            tx.rollback().await?;
            return self.delete(written.into_iter().map(|blob| blob.id).collect()).await;
        }
        Blob::lock_equal(&mut tx, &written, media.original).await?;
        let (mut renditions, mut surplus) = (Vec::new(), Vec::new());
        for (rendition, new) in image.renditions.iter().zip(&written) {
            let blob = Blob::find_or_create(&mut tx, new).await?;
            surplus.extend((blob != new.id).then_some(new.id));
            let (width, height) = (pixels(rendition.width), pixels(rendition.height));
            renditions.push(StoredRendition { name: rendition.name, blob, width, height });
        }
        let processed = ProcessedMedia {
            width: pixels(image.width),
            height: pixels(image.height),
            blurhash: image.blurhash,
            perceptual_hash: image.perceptual_hash.cast_signed(),
        };
        signals::ready(&mut tx, media, &processed, &renditions).await?;
        self.app.commit(tx).await?;
        self.delete(surplus).await
    }

    /// Deletes files to which nothing refers.
    async fn delete(&self, blobs: Vec<Uuid>) -> anyhow::Result<()> {
        for blob in blobs {
            self.library.store.delete(blob).await?;
        }
        Ok(())
    }

    async fn refuse(&self, media: &LeasedMedia, refusal: MediaRefusal) -> anyhow::Result<()> {
        let mut tx = self.app.db.begin().await?;
        signals::refused(&mut tx, media, refusal.word()).await?;
        self.app.commit(tx).await?;
        Ok(())
    }
}

fn new_blob(rendition: &Rendition) -> Blob {
    Blob {
        id: Uuid::now_v7(),
        content_type: rendition.content_type.to_owned(),
        bytes: i64::try_from(rendition.content.len()).unwrap_or(i64::MAX),
        sha256: Sha256::digest(&rendition.content).to_vec(),
    }
}

fn pixels(side: u32) -> i32 {
    i32::try_from(side).unwrap_or(i32::MAX)
}

impl Worker for MediaWorker {
    async fn step(&mut self) -> anyhow::Result<Outcome> {
        // A picture is taken when there is a place for it: time in which it only waited would count as its own.
        let Ok(place) = self.threads.clone().try_acquire_owned() else { return Ok(Outcome::Idle(POLL)) };
        let Some(media) = LeasedMedia::take(&self.app.db).await? else {
            let queue = QueueState::load(&self.app.db, MAX_COUNTED).await?;
            #[expect(clippy::cast_precision_loss, reason = "it is counted up to 10,000")]
            metrics::gauge!("media_waiting").set(queue.waiting as f64);
            metrics::gauge!("media_oldest_waiting_seconds").set(queue.oldest);
            return Ok(Outcome::Idle(POLL));
        };
        let handled = tokio::time::timeout(HANDLING, self.handle(&media, place)).await;
        match handled.unwrap_or_else(|_| Err(anyhow!("it took too long beside the store"))) {
            Ok(()) => Ok(Outcome::Busy),
            Err(error) => {
                // The store, the database or the machine is at fault, and not the picture.
                media.give_back(&self.app.db, PAUSE).await?;
                Err(error.context(format!("the picture {}", media.id)))
            }
        }
    }
}
