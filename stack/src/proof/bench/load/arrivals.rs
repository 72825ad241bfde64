//! The times at which the requests of an open loop begin.
//!
//! They are released by a thread that does nothing else: timers of the runtime go by whole milliseconds, which is longer
//! than what is measured.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Weak};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use tokio::sync::Semaphore;

/// Requests at a fixed distance, each taken by the next free connection.
pub struct ArrivalSchedule {
    begin: Instant,
    per_second: u32,
    count: u32,
    next: AtomicU32,
    /// As many permits as requests are due and not taken.
    released: Arc<Semaphore>,
}

impl ArrivalSchedule {
    /// A number of requests per second for a time, the first one now.
    pub fn begin(begin: Instant, per_second: u32, time: Duration) -> Result<ArrivalSchedule> {
        let count = time.as_millis() * u128::from(per_second) / 1000;
        let count = u32::try_from(count).context("these are too many requests for one run")?;
        let released = Arc::new(Semaphore::new(0));
        let waiting = Arc::downgrade(&released);
        thread::Builder::new()
            .name("arrivals".to_owned())
            .spawn(move || release(begin, per_second, count, &waiting))
            .context("no thread can be started")?;
        Ok(ArrivalSchedule { begin, per_second, count, next: AtomicU32::default(), released })
    }

    /// Waits for the next one: its number, and when it should have begun. None when there are no more.
    pub async fn next(&self) -> Option<(u32, Instant)> {
        if self.next.load(Ordering::Relaxed) < self.count {
            self.released.acquire().await.ok()?.forget();
        }
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        (number < self.count).then(|| (number, self.begin + due(number, self.per_second)))
    }
}

/// Releases one after the other when it is due, as long as a connection waits; then releases all that still wait.
fn release(begin: Instant, per_second: u32, count: u32, waiting: &Weak<Semaphore>) {
    for number in 0..count {
        let left = (begin + due(number, per_second)).saturating_duration_since(Instant::now());
        if !left.is_zero() {
            #[expect(clippy::disallowed_methods, reason = "a thread of its own, which has nothing else to do")]
            thread::sleep(left);
        }
        let Some(released) = waiting.upgrade() else { return };
        released.add_permits(1);
    }
    if let Some(released) = waiting.upgrade() {
        released.add_permits(Semaphore::MAX_PERMITS / 2);
    }
}

/// When the request of this number arrives, counted from the first.
fn due(number: u32, per_second: u32) -> Duration {
    Duration::from_secs(1) * number / per_second
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrivals_keep_their_distance_and_do_not_drift() {
        assert_eq!(due(1, 500), Duration::from_millis(2));
        assert_eq!(due(3_600_000, 500), Duration::from_hours(2));
        assert_eq!(due(7, 7), Duration::from_secs(1), "also a rate that does not divide a second");
    }

    #[tokio::test]
    async fn requests_arrive_once_in_order_and_never_early() {
        let begin = Instant::now();
        let arrivals = ArrivalSchedule::begin(begin, 1000, Duration::from_millis(20)).unwrap();
        let mut numbers = Vec::new();
        while let Some((number, due)) = arrivals.next().await {
            assert_eq!(due, begin + Duration::from_millis(number.into()));
            assert!(Instant::now() >= due, "{number} is early");
            numbers.push(number);
        }
        assert_eq!(numbers, (0..20).collect::<Vec<_>>());
        assert_eq!(arrivals.next().await, None, "and the end stays the end");
    }
}
