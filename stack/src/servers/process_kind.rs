//! What a process is for, and what follows from that for how it is stopped.

use std::time::Duration;

use nix::sys::signal::Signal;
use serde::{Deserialize, Serialize};

/// What a process is for: stages are started in this order and stopped in the reverse one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ProcessKind {
    Postgres,
    Redis,
    Service,
    Gateway,
}

impl ProcessKind {
    pub const STOPPING_ORDER: [ProcessKind; 4] =
        [ProcessKind::Gateway, ProcessKind::Service, ProcessKind::Redis, ProcessKind::Postgres];

    pub fn stop_signal(self) -> Signal {
        match self {
            // SIGTERM would let Postgres wait for its clients; SIGINT ends their sessions and shuts down cleanly. It would let a
            // service drain first, for a load balancer that sends requests elsewhere; there is no elsewhere.
            ProcessKind::Postgres | ProcessKind::Service => Signal::SIGINT,
            ProcessKind::Redis => Signal::SIGTERM,
            // To nginx, SIGTERM means at once, and SIGQUIT that what is under way may end.
            ProcessKind::Gateway => Signal::SIGQUIT,
        }
    }

    /// How long it may take to stop before it is killed. A service promises 10 s.
    pub fn stop_timeout(self) -> Duration {
        Duration::from_secs(match self {
            ProcessKind::Postgres => 30,
            ProcessKind::Redis => 15,
            ProcessKind::Service => 12,
            // It promises 5 s.
            ProcessKind::Gateway => 8,
        })
    }
}
