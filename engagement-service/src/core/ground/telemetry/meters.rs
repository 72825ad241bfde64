//! What the service counts and measures, as `/metrics` shows it in Prometheus's terms. docs/operations.md lists all of it.
use std::time::Duration;

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;

use crate::core::ground::telemetry::process;

/// Upper bounds of the histograms, in seconds: from a cache hit to the longest request.
const BUCKETS: [f64; 12] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0];
/// The same for effects of events, which take milliseconds on a good day and an outage's length after it.
const EFFECT_BUCKETS: [f64; 14] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0, 300.0, 3600.0];
/// How often the samples of histograms are put into their buckets.
const UPKEEP: Duration = Duration::from_secs(5);

/// Starts counting, once per process; the handle renders what was counted.
pub fn start() -> anyhow::Result<PrometheusHandle> {
    let effects = Matcher::Full("events_effect_seconds".into());
    let builder = PrometheusBuilder::new().set_buckets(&BUCKETS)?.set_buckets_for_metric(effects, &EFFECT_BUCKETS)?;
    Ok(builder.install_recorder()?)
}

/// Puts the samples of histograms into their buckets until the service stops. Otherwise only a request for `/metrics` does,
/// and without a Prometheus every sample would stay in memory.
pub async fn run_upkeep(metrics: PrometheusHandle, stop: CancellationToken) {
    while stop.run_until_cancelled(tokio::time::sleep(UPKEEP)).await.is_some() {
        metrics.run_upkeep();
    }
}

/// Shows from the start what may never happen: an increase is seen between two values, and not when the first one appears.
pub fn start_counters(limits: impl Iterator<Item = &'static str>) {
    metrics::counter!("database_acquire_timeouts_total").increment(0);
    metrics::counter!("idempotency_replays_total").increment(0);
    for limit in limits {
        metrics::counter!("rate_limits_refused_total", "limit" => limit).increment(0);
        metrics::counter!("rate_limits_without_redis_total", "limit" => limit).increment(0);
    }
}

/// Sets the gauges that are measured on demand: what build this is, the process, and the pool of connections.
pub fn measure(service: &'static str, db: &PgPool) {
    metrics::gauge!("service_info", "service" => service, "version" => env!("CARGO_PKG_VERSION")).set(1.0);
    process::measure();
    let (open, idle) = (db.size(), u32::try_from(db.num_idle()).unwrap_or(u32::MAX));
    // Two reads, between which a connection may come back.
    for (state, connections) in [("open", open), ("idle", idle), ("in_use", open.saturating_sub(idle))] {
        metrics::gauge!("database_connections", "state" => state).set(f64::from(connections));
    }
    metrics::gauge!("database_connections_max").set(f64::from(db.options().get_max_connections()));
}

/// Counts a failure to get a connection in time; sqlx reports no other wait for one.
pub fn count_timeout(error: &sqlx::Error) {
    if matches!(error, sqlx::Error::PoolTimedOut) {
        metrics::counter!("database_acquire_timeouts_total").increment(1);
    }
}

/// One piece of work in flight, for as long as this lives: a request whose caller has gone also ends some time.
pub struct InFlight(metrics::Gauge);

impl InFlight {
    /// Counts one more.
    pub fn begin(gauge: metrics::Gauge) -> Self {
        gauge.increment(1.0);
        Self(gauge)
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.decrement(1.0);
    }
}
