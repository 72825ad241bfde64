//! What is counted about events, stream by stream; the counters that the relay, its numbering and the consumer raise.
use chrono::{DateTime, Utc};

use crate::core::events::Event;

/// Counters of a stream that the service tells.
const TOLD: [&str; 4] =
    ["events_appended_total", "events_fenced_total", "events_rewound_total", "events_foreign_total"];
/// Counters of a stream that the service hears.
const HEARD: [&str; 6] = [
    "events_consumed_total",
    "events_duplicate_total",
    "events_gap_total",
    "events_repaired_total",
    "events_retried_total",
    "events_parked_total",
];

/// Shows every counter from the start: the first rewind must be seen as an increase, and not as a new counter.
pub fn start(published: &[&'static str], subscribed: impl Iterator<Item = &'static str>) {
    for stream in published {
        for counter in TOLD {
            metrics::counter!(counter, "stream" => *stream).increment(0);
        }
    }
    for stream in subscribed {
        for counter in HEARD {
            metrics::counter!(counter, "stream" => stream).increment(0);
        }
    }
}

/// Records how long after they happened the events of a batch took effect, which they did when it was committed.
pub fn record_effect(stream: &'static str, batch: &[Event], committed: DateTime<Utc>) {
    let histogram = metrics::histogram!("events_effect_seconds", "stream" => stream);
    for event in batch {
        // Clocks of two machines differ; nothing takes effect before it happens.
        histogram.record((committed - event.occurred_at).to_std().unwrap_or_default());
    }
}
