//! The workers that process pictures.
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::Bytes;
use sha2::{Digest, Sha256};
use tokio::sync::Semaphore;
use uuid::Uuid;

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
/// How long the decoding of a picture is waited for.
const TIME_LIMIT: Duration = Duration::from_secs(20);
/// How often a picture is begun, before it counts as one that ends its worker.
const MAX_ATTEMPTS: i32 = 4;
/// How long a picture waits when the store is away, in seconds.
const STORE_PAUSE: f64 = 5.0;

/// A worker that processes one picture in a step.
pub struct MediaWorker {
    app: App,
    library: Arc<MediaLibrary>,
    /// The threads that decode. One that is given up goes on until it has reached a limit, and keeps its place meanwhile.
    threads: Arc<Semaphore>,
    time_limit: Duration,
}

impl MediaWorker {
    /// A worker of a process, all of whose workers share the threads.
    pub fn new(app: &App, library: &Arc<MediaLibrary>, threads: &Arc<Semaphore>) -> Self {
        Self { app: app.clone(), library: library.clone(), threads: threads.clone(), time_limit: TIME_LIMIT }
    }

    /// The same with another limit of time.
    #[cfg(test)]
    pub fn within(self, time_limit: Duration) -> Self {
        Self { time_limit, ..self }
    }

    async fn handle(&self, media: &LeasedMedia) -> anyhow::Result<()> {
        let began = Instant::now();
        let outcome = if media.attempts > MAX_ATTEMPTS {
            Err(MediaRefusal::NotProcessed)
        } else {
            let content = self.library.store.read(media.original).await?;
            self.decode(media, content).await?
        };
        let word = match outcome {
            Ok(image) => self.save(media, image).await.map(|()| "ready")?,
            Err(refusal) => self.refuse(media, refusal).await.map(|()| refusal.word())?,
        };
        metrics::counter!("media_processed_total", "outcome" => word).increment(1);
        metrics::histogram!("media_processing_seconds").record(began.elapsed());
        Ok(())
    }

    /// Decodes on a thread of its own, of which there are few.
    async fn decode(
        &self,
        media: &LeasedMedia,
        content: Bytes,
    ) -> anyhow::Result<Result<ProcessedImage, MediaRefusal>> {
        let place = self.threads.clone().acquire_owned().await?;
        let (kind, purpose) = (media.content_type.clone(), media.purpose);
        let work = tokio::task::spawn_blocking(move || {
            let _place = place;
            process(&content, &kind, purpose)
        });
        match tokio::time::timeout(self.time_limit, work).await {
            // A decoder that panics has met a file that it cannot read.
            Ok(done) => Ok(done.unwrap_or(Err(MediaRefusal::NotReadable))),
            Err(_) => Ok(Err(MediaRefusal::TooSlow)),
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
        if signals::ready(&mut tx, media, &processed, &renditions).await? {
            self.app.commit(tx).await?;
        } else {
            tx.rollback().await?;
            surplus = written.iter().map(|blob| blob.id).collect();
        }
        for blob in surplus {
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
        let Some(media) = LeasedMedia::take(&self.app.db).await? else {
            let queue = QueueState::load(&self.app.db).await?;
            #[expect(clippy::cast_precision_loss, reason = "a queue is shorter than 2^52")]
            metrics::gauge!("media_waiting").set(queue.waiting as f64);
            metrics::gauge!("media_oldest_waiting_seconds").set(queue.oldest);
            return Ok(Outcome::Idle(POLL));
        };
        match self.handle(&media).await {
            Ok(()) => Ok(Outcome::Busy),
            Err(error) => {
                // The store or the database is away, and not the picture at fault.
                media.give_back(&self.app.db, STORE_PAUSE).await?;
                Err(error)
            }
        }
    }
}
