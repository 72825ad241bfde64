//! How long things took: percentiles with three digits, from a microsecond to a minute.

use std::time::Duration;

use anyhow::Result;
use hdrhistogram::Histogram;

use crate::proof::bench::milliseconds;

/// The longest time that is told apart, in microseconds, and the digits that are kept.
const LONGEST: u64 = 60_000_000;
const DIGITS: u8 = 3;

/// How long things took.
pub struct Times(Histogram<u64>);

impl Times {
    pub fn new() -> Result<Times> {
        Ok(Times(Histogram::new_with_max(LONGEST, DIGITS)?))
    }

    pub fn note(&mut self, took: Duration) -> Result<()> {
        Ok(self.0.record(u64::try_from(took.as_micros())?)?)
    }

    /// Takes in what somebody else has noted.
    pub fn add(&mut self, others: &Times) -> Result<()> {
        Ok(self.0.add(&others.0)?)
    }

    /// How many things there were.
    pub fn count(&self) -> u64 {
        self.0.len()
    }

    /// The time that this share of all things did not exceed; zero when there was none.
    pub fn at(&self, quantile: f64) -> Duration {
        Duration::from_micros(self.0.value_at_quantile(quantile))
    }

    /// A row of a table: what, how often, median, p95, p99 and the longest.
    pub fn row(&self, what: &str) -> Vec<String> {
        let at = |quantile| milliseconds(self.at(quantile));
        vec![what.to_owned(), self.count().to_string(), at(0.5), at(0.95), at(0.99), at(1.0)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_has_its_percentiles_in_milliseconds() {
        let (mut times, mut others) = (Times::new().unwrap(), Times::new().unwrap());
        for number in 1..=50 {
            times.note(Duration::from_millis(number)).unwrap();
            others.note(Duration::from_millis(50 + number)).unwrap();
        }
        times.add(&others).unwrap();
        assert_eq!(times.row("all"), ["all", "100", "50.01 ms", "95.04 ms", "99.01 ms", "100.03 ms"]);
    }
}
