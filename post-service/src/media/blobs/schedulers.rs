//! The sweep: deletes files to which nothing refers, pictures that were abandoned, and what killed processes have left.
use std::sync::Arc;
use std::time::Duration;

use uuid::Uuid;

use super::models::Blob;
use crate::core::app::App;
use crate::core::ground::jobs::Job;
use crate::core::ground::worker::{Outcome, Worker};
use crate::media::library::MediaLibrary;
use crate::media::models::Media;
use crate::media::signals;
use crate::media::store::StoredObject;
use crate::media::uploads::direct::models::DirectUpload;

/// Files that are deleted, and pictures that are, in one step.
const BATCH: i64 = 100;
/// How often the sweep looks for work without a commit that wakes it.
const POLL: Duration = Duration::from_secs(30);
/// How old an object without a row is before it counts as left behind: no upload is under way for so long.
const LEFT_BEHIND: Duration = Duration::from_hours(24);
/// Objects that are compared with the database at once.
const LISTED: usize = 1_000;
/// When the store is compared with the database: once an hour, away from the full hour when many other things happen.
const SCHEDULE: &str = "40 23 * * * *";
/// When what clients have written themselves is compared with what they have announced: once a minute, since an address does not bind the
/// size of what is written to it.
const INCOMING_SCHEDULE: &str = "50 * * * * *";

/// The worker that deletes the files of doomed blobs, and what was written for direct uploads that are over.
pub struct Sweeper {
    pub app: App,
    pub library: Arc<MediaLibrary>,
}

impl Sweeper {
    async fn delete_blob(&self, blob: Uuid) -> anyhow::Result<()> {
        self.library.store.delete(blob).await?;
        Blob::delete_doomed(&self.app.db, blob).await?;
        metrics::counter!("media_files_deleted_total", "cause" => "unreferenced").increment(1);
        Ok(())
    }

    async fn delete_incoming(&self, upload: Uuid) -> anyhow::Result<()> {
        self.library.store.delete_incoming(upload).await?;
        DirectUpload::delete_ended(&self.app.db, upload).await?;
        metrics::counter!("media_files_deleted_total", "cause" => "taken_over").increment(1);
        Ok(())
    }
}

impl Worker for Sweeper {
    async fn step(&mut self) -> anyhow::Result<Outcome> {
        let doomed = Blob::list_doomed(&self.app.db, BATCH).await?;
        let ended = DirectUpload::list_ended(&self.app.db, BATCH).await?;
        if doomed.is_empty() && ended.is_empty() {
            return Ok(Outcome::Idle(POLL));
        }
        // One that fails holds up no other, and is not the first of the next step; the step fails afterwards, which is logged, and is
        // tried again.
        let mut failure = Ok(());
        for blob in doomed {
            if let Err(cause) = self.delete_blob(blob).await {
                Blob::put_behind(&self.app.db, blob).await?;
                failure = Err(cause.context(format!("the file {blob}")));
            }
        }
        for upload in ended {
            if let Err(cause) = self.delete_incoming(upload).await {
                DirectUpload::put_behind(&self.app.db, upload).await?;
                failure = Err(cause.context(format!("the file of the upload {upload}")));
            }
        }
        failure.map(|()| Outcome::Busy)
    }
}

/// The job that deletes abandoned pictures, and compares the store with the database.
pub fn job(app: &App, library: &Arc<MediaLibrary>) -> Job {
    Job::new("media", SCHEDULE, (app.clone(), library.clone()), |(app, library)| async move {
        while delete_abandoned(&app).await? {}
        delete_left_behind(&app, &library, LEFT_BEHIND).await
    })
}

/// The job that gives up direct uploads, and deletes what clients have written that was not announced.
pub fn incoming_job(app: &App, library: &Arc<MediaLibrary>) -> Job {
    Job::new("incoming media", INCOMING_SCHEDULE, (app.clone(), library.clone()), |(app, library)| async move {
        while end_abandoned(&app).await? > 0 {}
        delete_unwanted(&app, &library).await
    })
}

/// Deletes pictures that nothing has shown for a day; false when there are no more.
pub async fn delete_abandoned(app: &App) -> anyhow::Result<bool> {
    let mut tx = app.db.begin().await?;
    let abandoned = Media::lock_abandoned(&mut tx, BATCH).await?;
    signals::deleted(&mut tx, &abandoned).await?;
    app.commit(tx).await?;
    Ok(!abandoned.is_empty())
}

/// Ends direct uploads that were not completed; how many they were. Each by itself: together they would lock what several people use of
/// their quotas in any order.
pub async fn end_abandoned(app: &App) -> anyhow::Result<usize> {
    let abandoned = DirectUpload::list_abandoned(&app.db, BATCH).await?;
    for upload in &abandoned {
        DirectUpload::end(&app.db, *upload).await?;
    }
    Ok(abandoned.len())
}

/// Deletes objects of this age that have no row, and unfinished files. One that cannot be deleted holds up no other.
pub async fn delete_left_behind(app: &App, library: &MediaLibrary, age: Duration) -> anyhow::Result<()> {
    let mut failure = Ok(());
    let mut after = None;
    loop {
        let objects = library.store.list(after, LISTED).await?;
        after = objects.last().map(|object| object.id);
        let old: Vec<_> = objects.iter().filter(|object| object.age >= age).map(|object| object.id).collect();
        for blob in Blob::without_row(&app.db, &old).await? {
            match library.store.delete(blob).await {
                Ok(()) => metrics::counter!("media_files_deleted_total", "cause" => "left_behind").increment(1),
                Err(cause) => failure = Err(anyhow::Error::from(cause).context(format!("the file {blob}"))),
            }
        }
        if objects.len() < LISTED {
            break;
        }
    }
    let unfinished = library.store.delete_temporary(age).await?;
    metrics::counter!("media_files_deleted_total", "cause" => "unfinished").increment(unfinished);
    failure
}

/// Deletes what clients have written that belongs to no upload, or is larger than they have announced. One that cannot be deleted holds up
/// no other.
pub async fn delete_unwanted(app: &App, library: &MediaLibrary) -> anyhow::Result<()> {
    let mut failure = Ok(());
    let mut after = None;
    loop {
        let objects = library.store.list_incoming(after, LISTED).await?;
        after = objects.last().map(|object| object.id);
        let size = |object: &StoredObject| i64::try_from(object.bytes).unwrap_or(i64::MAX);
        let (ids, bytes): (Vec<_>, Vec<_>) = objects.iter().map(|object| (object.id, size(object))).unzip();
        for upload in DirectUpload::list_unwanted(&app.db, &ids, &bytes).await? {
            match library.store.delete_incoming(upload).await {
                Ok(()) => metrics::counter!("media_files_deleted_total", "cause" => "not_announced").increment(1),
                Err(cause) => {
                    failure = Err(anyhow::Error::from(cause).context(format!("the file of the upload {upload}")));
                }
            }
        }
        if objects.len() < LISTED {
            return failure;
        }
    }
}
