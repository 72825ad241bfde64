//! An end in order: nothing new is accepted, what is under way is answered, and live streams end at once.
use std::time::Duration;

use anyhow::Context;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// How long requests under way may take after a stop: less than the ten seconds after which a container is killed.
const GRACE: Duration = Duration::from_secs(8);

/// The signals that ask for an end.
pub struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    /// From here on they end nothing by themselves.
    pub fn listen() -> anyhow::Result<Self> {
        let terminate = signal(SignalKind::terminate()).context("SIGTERM cannot be awaited")?;
        let interrupt = signal(SignalKind::interrupt()).context("SIGINT cannot be awaited")?;
        Ok(Self { terminate, interrupt })
    }

    /// Cancels the token on the first signal; returns when the time for an orderly end is over.
    pub async fn stop(mut self, stop: &CancellationToken) {
        tokio::select! { _ = self.terminate.recv() => {}, _ = self.interrupt.recv() => {} }
        stop.cancel();
        tokio::time::sleep(GRACE).await;
    }
}
