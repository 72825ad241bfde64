//! What the services report on `/metrics` during a run: their subscriptions, and counters over all lives of a process.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Result, ensure};
use reqwest::Client;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};

use crate::client;
use crate::platform::metrics::{Metrics, Series};
use crate::platform::replicas::Replica;

/// How often every process is asked: what a killed process had counted must not be lost with it.
const EVERY: Duration = Duration::from_secs(1);
/// How long one answer may take; it needs the database and Redis, which may be away.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);

/// A service that subscribes to a stream.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct StreamSubscription {
    /// The noun of the service.
    pub noun: &'static str,
    pub stream: String,
}

/// All subscriptions of a platform that is ready: every service measures its lag for each of them.
pub async fn subscriptions(replicas: &[Replica], port_base: u16) -> Result<Vec<StreamSubscription>> {
    let http = client::http(ANSWER_TIMEOUT * 2)?;
    let mut subscriptions = BTreeSet::new();
    for replica in replicas {
        let metrics = Metrics::scrape(&http, &replica.url(port_base)).await?;
        let lag = metrics.of("events_lag");
        let streams = lag.map(|(series, _)| series.label("stream").to_owned());
        subscriptions.extend(streams.map(|stream| StreamSubscription { noun: replica.service.noun, stream }));
    }
    ensure!(!subscriptions.is_empty(), "no service reports a subscription");
    Ok(subscriptions.into_iter().collect())
}

/// A counter of one process, over all of its lives.
#[derive(Debug, Default, Clone, Copy, PartialEq)]
struct Counter {
    /// The sum of the lives before this one.
    before: f64,
    now: f64,
}

impl Counter {
    fn update(&mut self, value: f64) {
        // A counter that shrinks began again at 0.
        if value < self.now {
            self.before += self.now;
        }
        self.now = value;
    }
}

/// The counters by process, name and labels.
type Counters = Arc<Mutex<BTreeMap<(usize, Series), Counter>>>;

/// Reads the counters of all processes until it is dropped.
#[derive(Debug)]
pub struct CounterTotals {
    counters: Counters,
    _reading: JoinSet<()>,
}

impl CounterTotals {
    pub fn start(replicas: &[Replica], port_base: u16) -> Result<CounterTotals> {
        let http = client::http(ANSWER_TIMEOUT)?;
        let counters = Counters::default();
        let mut reading = JoinSet::new();
        for (place, replica) in replicas.iter().enumerate() {
            reading.spawn(read(http.clone(), place, replica.url(port_base), Arc::clone(&counters)));
        }
        Ok(CounterTotals { counters, _reading: reading })
    }

    /// The sum of all counters of a name. Up to a second before each kill is missing.
    pub fn total(&self, name: &str) -> u64 {
        let counters = self.counters.lock().unwrap_or_else(PoisonError::into_inner);
        let of_name = counters.iter().filter(|((_, series), _)| series.name == name);
        let total: f64 = of_name.map(|(_, counter)| counter.before + counter.now).sum();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "counts are small and whole")]
        let total = total as u64;
        total
    }
}

async fn read(http: Client, place: usize, url: String, counters: Counters) {
    let mut turns = interval(EVERY);
    turns.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        turns.tick().await;
        // A process that does not answer is down, or stopped, as planned.
        let Ok(metrics) = Metrics::scrape(&http, &url).await else { continue };
        let mut counters = counters.lock().unwrap_or_else(PoisonError::into_inner);
        for (series, value) in metrics.all() {
            counters.entry((place, series.clone())).or_default().update(value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_counts_of_every_life_are_added_up() {
        let mut counter = Counter::default();
        for value in [1.0, 5.0, 2.0, 3.0, 0.0] {
            counter.update(value);
        }
        assert_eq!(counter, Counter { before: 8.0, now: 0.0 });
    }
}
