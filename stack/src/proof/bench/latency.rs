//! Durations as percentiles with three digits, from a microsecond to ten minutes.

use std::time::Duration;

use anyhow::Result;
use hdrhistogram::Histogram;

/// The longest duration that is distinguished, in microseconds, and the digits that are kept.
const LONGEST: u64 = 600_000_000;
const DIGITS: u8 = 3;

pub struct LatencyHistogram(Histogram<u64>);

impl LatencyHistogram {
    pub fn new() -> Result<LatencyHistogram> {
        Ok(LatencyHistogram(Histogram::new_with_max(LONGEST, DIGITS)?))
    }

    pub fn record(&mut self, duration: Duration) -> Result<()> {
        Ok(self.0.record(u64::try_from(duration.as_micros())?)?)
    }

    /// Adds the durations of another histogram.
    pub fn add(&mut self, other: &LatencyHistogram) -> Result<()> {
        Ok(self.0.add(&other.0)?)
    }

    /// The number of durations.
    pub fn count(&self) -> u64 {
        self.0.len()
    }

    /// The duration that this share of all did not exceed; zero when there was none.
    pub fn quantile(&self, quantile: f64) -> Duration {
        Duration::from_micros(self.0.value_at_quantile(quantile))
    }
}

/// A duration as a latency is written: `3.42 ms`.
pub fn milliseconds(duration: Duration) -> String {
    format!("{:.2} ms", duration.as_secs_f64() * 1000.0)
}
