//! The background work of pictures.
use std::sync::Arc;

use tokio::sync::Semaphore;

use super::blobs::schedulers::Sweeper;
use super::library::MediaLibrary;
use super::processing::schedulers::{AT_ONCE, MediaWorker};
use crate::core::app::App;

/// Starts the workers that process pictures, and the one that deletes files.
pub fn start(app: &App, library: &Arc<MediaLibrary>) {
    let threads = Arc::new(Semaphore::new(AT_ONCE));
    for number in 1..=AT_ONCE {
        app.start_after_commits(format!("pictures {number}"), MediaWorker::new(app, library, &threads));
    }
    app.start_after_commits("files", Sweeper { app: app.clone(), library: library.clone() });
}
