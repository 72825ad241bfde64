//! The wish to stop: Ctrl-C, SIGTERM, or a terminal that was closed.

use anyhow::{Context, Result, bail};
use tokio::signal::unix::{Signal, SignalKind, signal};

/// From its creation on, none of the three signals ends this process by itself.
#[derive(Debug)]
pub struct Stop {
    interrupt: Signal,
    terminate: Signal,
    hang_up: Signal,
}

impl Stop {
    pub fn listen() -> Result<Stop> {
        let listen = |kind| signal(kind).context("signals cannot be received");
        Ok(Stop {
            interrupt: listen(SignalKind::interrupt())?,
            terminate: listen(SignalKind::terminate())?,
            hang_up: listen(SignalKind::hangup())?,
        })
    }

    /// Returns when somebody asks.
    pub async fn asked(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            _ = self.hang_up.recv() => {}
        }
    }

    /// What the work comes to, or an error when somebody asks before it is done.
    pub async fn or<T>(&mut self, work: impl Future<Output = Result<T>>) -> Result<T> {
        tokio::select! {
            outcome = work => outcome,
            () = self.asked() => bail!("stopped before it was done"),
        }
    }
}

#[cfg(test)]
mod tests {
    use nix::{
        sys::signal::{Signal, raise},
        unistd::getpid,
    };

    use super::*;

    #[tokio::test]
    async fn work_that_is_done_in_time_is_not_stopped() {
        assert_eq!(Stop::listen().unwrap().or(async { Ok(getpid()) }).await.unwrap(), getpid());
    }

    #[tokio::test]
    async fn the_first_signal_ends_the_work() {
        let mut stop = Stop::listen().unwrap();
        raise(Signal::SIGTERM).unwrap();
        let error = stop.or(std::future::pending::<Result<()>>()).await.unwrap_err();
        assert_eq!(error.to_string(), "stopped before it was done");
    }
}
