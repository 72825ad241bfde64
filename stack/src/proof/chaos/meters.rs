//! What the services count of themselves, read every second, so that what a killed process had counted is not forgotten.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use anyhow::{Context, Result};
use reqwest::Client;
use tokio::{
    task::JoinSet,
    time::{MissedTickBehavior, interval},
};

use crate::client;
use crate::proof::chaos::platform::Replica;

/// How often every process is asked.
const EVERY: Duration = Duration::from_secs(1);
/// How long one answer may take; it holds database and Redis, which may be away.
const PATIENCE: Duration = Duration::from_secs(5);

/// A counter of one process, over all of its lives.
#[derive(Debug, Default, Clone, Copy, PartialEq)]
struct Meter {
    /// What its lives before this one counted.
    before: f64,
    now: f64,
}

impl Meter {
    fn read(&mut self, value: f64) {
        // A counter that shrinks began anew.
        if value < self.now {
            self.before += self.now;
        }
        self.now = value;
    }
}

/// A counter with its labels, of one process.
type Series = (usize, String);

/// Reads the counters of all processes until it is dropped.
#[derive(Debug)]
pub struct Meters {
    read: Arc<Mutex<BTreeMap<Series, Meter>>>,
    _reading: JoinSet<()>,
}

impl Meters {
    pub fn start(replicas: &[Replica]) -> Result<Meters> {
        let http = client::http(PATIENCE)?;
        let read = Arc::default();
        let mut reading = JoinSet::new();
        for (place, replica) in replicas.iter().enumerate() {
            reading.spawn(watch(http.clone(), place, replica.url.clone(), Arc::clone(&read)));
        }
        Ok(Meters { read, _reading: reading })
    }

    /// What all processes counted under a name, whatever the labels. Up to a second before each kill is missing.
    pub fn total(&self, name: &str) -> u64 {
        let read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        let of_name = read.iter().filter(|((_, series), _)| series.split('{').next() == Some(name));
        let total: f64 = of_name.map(|(_, meter)| meter.before + meter.now).sum();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "counts are small and whole")]
        let total = total as u64;
        total
    }
}

async fn watch(http: Client, place: usize, url: String, read: Arc<Mutex<BTreeMap<Series, Meter>>>) {
    let mut turns = interval(EVERY);
    turns.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        turns.tick().await;
        // A process that does not answer is down, or asleep, as planned.
        let Ok(series) = ask(&http, &url).await else { continue };
        let mut read = read.lock().unwrap_or_else(PoisonError::into_inner);
        for (name, value) in series {
            read.entry((place, name)).or_default().read(value);
        }
    }
}

/// All that a process counts and measures, by name and labels.
pub async fn ask(http: &Client, url: &str) -> Result<Vec<(String, f64)>> {
    let answer = http.get(format!("{url}/metrics")).send().await?.error_for_status()?;
    let text = answer.text().await.context("the metrics break off")?;
    Ok(text.lines().filter_map(series).collect())
}

/// A line of Prometheus's text: `name{label="value"} 12`.
fn series(line: &str) -> Option<(String, f64)> {
    let (name, value) = line.rsplit_once(' ').filter(|_| !line.starts_with('#'))?;
    Some((name.to_owned(), value.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_life_counted_is_added_to_the_next() {
        let mut meter = Meter::default();
        for value in [1.0, 5.0, 2.0, 3.0, 0.0] {
            meter.read(value);
        }
        assert_eq!(meter, Meter { before: 8.0, now: 0.0 });
    }

    #[test]
    fn comments_are_no_series() {
        assert_eq!(series("# TYPE events_gap_total counter"), None);
        let found = series("events_gap_total{stream=\"post_viewed\"} 3");
        assert_eq!(found, Some(("events_gap_total{stream=\"post_viewed\"}".to_owned(), 3.0)));
    }
}
