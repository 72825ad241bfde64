//! The times at which the requests of an open loop begin.
//!
//! They are called out by a thread that does nothing else: timers of the runtime go by whole milliseconds, which is
//! longer than what is measured.

use std::{
    sync::{
        Arc, Weak,
        atomic::{AtomicU32, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use tokio::sync::Semaphore;

use crate::proof::bench::schedule::due;

/// Requests to come, at a fixed distance, each taken by whoever is free.
pub struct Arrivals {
    begin: Instant,
    per_second: u32,
    count: u32,
    next: AtomicU32,
    /// As many as are due and not taken; closed when all have been called out.
    called: Arc<Semaphore>,
}

impl Arrivals {
    /// So many per second for so long, the first one now.
    pub fn begin(begin: Instant, per_second: u32, time: Duration) -> Result<Arrivals> {
        let count = time.as_millis() * u128::from(per_second) / 1000;
        let count = u32::try_from(count).context("these are too many requests for one run")?;
        let called = Arc::new(Semaphore::new(0));
        let listening = Arc::downgrade(&called);
        thread::Builder::new()
            .name("arrivals".to_owned())
            .spawn(move || call_out(begin, per_second, count, &listening))
            .context("arrivals cannot be called out")?;
        Ok(Arrivals { begin, per_second, count, next: AtomicU32::default(), called })
    }

    /// Waits for the next one: its number, and when it should have begun. None when there are no more.
    pub async fn next(&self) -> Option<(u32, Instant)> {
        if self.next.load(Ordering::Relaxed) < self.count {
            self.called.acquire().await.ok()?.forget();
        }
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        (number < self.count).then(|| (number, self.begin + due(number, self.per_second)))
    }
}

/// Calls one after the other when it is due, as long as somebody listens; then lets all go who still wait.
fn call_out(begin: Instant, per_second: u32, count: u32, listening: &Weak<Semaphore>) {
    for number in 0..count {
        let left = (begin + due(number, per_second)).saturating_duration_since(Instant::now());
        if !left.is_zero() {
            #[expect(clippy::disallowed_methods, reason = "a thread of its own, which has nothing else to do")]
            thread::sleep(left);
        }
        let Some(called) = listening.upgrade() else { return };
        called.add_permits(1);
    }
    if let Some(called) = listening.upgrade() {
        called.add_permits(Semaphore::MAX_PERMITS / 2);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn everybody_comes_once_in_order_and_never_early() {
        let begin = Instant::now();
        let arrivals = Arrivals::begin(begin, 1000, Duration::from_millis(20)).unwrap();
        let mut numbers = Vec::new();
        while let Some((number, due)) = arrivals.next().await {
            assert_eq!(due, begin + Duration::from_millis(number.into()));
            assert!(Instant::now() >= due, "{number} came early");
            numbers.push(number);
        }
        assert_eq!(numbers, (0..20).collect::<Vec<_>>());
        assert_eq!(arrivals.next().await, None, "and the end stays the end");
    }
}
