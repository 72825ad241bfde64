//! What a process is for, and what follows from that for how it is stopped.

use std::time::Duration;

use nix::sys::signal::Signal;
use serde::{Deserialize, Serialize};

/// What a process is for: stages are started in this order and stopped in the reverse one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Stage {
    Postgres,
    Redis,
    Service,
    Gateway,
}

impl Stage {
    pub const STOPPING_ORDER: [Stage; 4] = [Stage::Gateway, Stage::Service, Stage::Redis, Stage::Postgres];

    pub fn stop_signal(self) -> Signal {
        match self {
            // SIGTERM would let Postgres wait for its clients; SIGINT ends their sessions and shuts down cleanly.
            Stage::Postgres => Signal::SIGINT,
            Stage::Redis | Stage::Service => Signal::SIGTERM,
            // To nginx, SIGTERM means at once, and SIGQUIT that what is under way may end.
            Stage::Gateway => Signal::SIGQUIT,
        }
    }

    /// How long it may take to stop before it is killed. A service promises 10 s.
    pub fn patience(self) -> Duration {
        Duration::from_secs(match self {
            Stage::Postgres => 30,
            Stage::Redis => 15,
            Stage::Service => 12,
            // It promises 5 s.
            Stage::Gateway => 8,
        })
    }
}
