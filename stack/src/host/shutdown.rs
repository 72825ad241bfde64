//! The request to stop: Ctrl-C, SIGTERM, or a terminal that was closed.

use anyhow::{Context, Result, bail};
use tokio::signal::unix::{Signal, SignalKind, signal};

/// From its creation on, none of the three signals ends this process by itself.
#[derive(Debug)]
pub struct Shutdown {
    interrupt: Signal,
    terminate: Signal,
    hang_up: Signal,
}

impl Shutdown {
    pub fn listen() -> Result<Shutdown> {
        let listen = |kind| signal(kind).context("signals cannot be received");
        Ok(Shutdown {
            interrupt: listen(SignalKind::interrupt())?,
            terminate: listen(SignalKind::terminate())?,
            hang_up: listen(SignalKind::hangup())?,
        })
    }

    /// Returns when one of the signals arrives.
    pub async fn requested(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            _ = self.hang_up.recv() => {}
        }
    }

    /// The outcome of the work, or an error when a signal arrives before it is done.
    pub async fn or<T>(&mut self, work: impl Future<Output = Result<T>>) -> Result<T> {
        tokio::select! {
            outcome = work => outcome,
            () = self.requested() => bail!("stopped before it was done"),
        }
    }
}

#[cfg(test)]
mod tests {
    use nix::sys::signal::{Signal, raise};
    use nix::unistd::getpid;

    use super::*;

    #[tokio::test]
    async fn work_that_is_done_in_time_is_not_stopped() {
        assert_eq!(Shutdown::listen().unwrap().or(async { Ok(getpid()) }).await.unwrap(), getpid());
    }

    #[tokio::test]
    async fn the_first_signal_ends_the_work() {
        let mut shutdown = Shutdown::listen().unwrap();
        raise(Signal::SIGTERM).unwrap();
        let error = shutdown.or(std::future::pending::<Result<()>>()).await.unwrap_err();
        assert_eq!(error.to_string(), "stopped before it was done");
    }
}
