//! Exports spans to a collector, by OTLP over HTTP, where the settings name one; otherwise nothing of this runs.
//!
//! Spans that have ended wait in a bounded queue (`OTEL_BSP_MAX_QUEUE_SIZE`, 2048) for a thread that sends them in batches.
//! No request waits for it: what does not fit is dropped, and a collector that is away is logged when it goes and comes back.
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures::future::BoxFuture;
use opentelemetry::KeyValue;
use opentelemetry::trace::TracerProvider;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::resource::{EnvResourceDetector, TelemetryResourceDetector};
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider};
use tokio::runtime::Handle;

use crate::core::ground::http_client;
use crate::core::ground::settings::Base;

/// How long a collector may take to answer.
const EXPORT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long the export of the last spans may take when the service stops.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(1);

static EXPORT: OnceLock<(SdkTracerProvider, SdkTracer)> = OnceLock::new();
/// Whether the export is over: spans of a provider that was shut down have no ids.
static STOPPED: AtomicBool = AtomicBool::new(false);

/// Makes spans; none where no collector takes them.
pub fn tracer() -> Option<&'static SdkTracer> {
    EXPORT.get().filter(|_| !STOPPED.load(Ordering::Relaxed)).map(|(_, tracer)| tracer)
}

/// Starts the export, where there is a collector. Sampler, queue and headers are the SDK's own settings (`OTEL_…`).
pub fn start(service: &'static str, base: &Base) -> anyhow::Result<()> {
    let endpoint = base.otel_exporter_otlp_endpoint.trim_end_matches('/');
    if endpoint.is_empty() {
        return Ok(());
    }
    let http = http_client::builder().timeout(EXPORT_TIMEOUT).build()?;
    let collector = CollectorClient { http, runtime: Handle::current(), away: AtomicBool::new(false) };
    let exporter = SpanExporter::builder()
        .with_http()
        .with_http_client(collector)
        .with_endpoint(format!("{endpoint}/v1/traces"))
        .build()?;
    let resource = Resource::builder_empty()
        .with_service_name(service)
        .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
        .with_detectors(&[Box::new(TelemetryResourceDetector), Box::new(EnvResourceDetector::new())])
        .with_attributes(base.otel_service_name.clone().map(|name| KeyValue::new("service.name", name)));
    let provider = SdkTracerProvider::builder().with_resource(resource.build()).with_batch_exporter(exporter).build();
    let tracer = provider.tracer(service);
    anyhow::ensure!(EXPORT.set((provider, tracer)).is_ok(), "traces are exported already");
    Ok(())
}

/// Exports what still waits, and no more.
pub async fn stop() {
    let Some((provider, _)) = EXPORT.get() else { return };
    STOPPED.store(true, Ordering::Relaxed);
    if let Ok(Err(cause)) = tokio::task::spawn_blocking(|| provider.shutdown_with_timeout(FLUSH_TIMEOUT)).await {
        tracing::warn!(%cause, "the last spans were not exported");
    }
}

/// The HTTP client of the exporter.
#[derive(Debug)]
struct CollectorClient {
    http: reqwest::Client,
    /// Where requests are made: the thread that sends has no reactor of its own.
    runtime: Handle,
    away: AtomicBool,
}

impl HttpClient for CollectorClient {
    fn send_bytes<'a, 'b>(&'a self, request: Request<Bytes>) -> BoxFuture<'b, Result<Response<Bytes>, HttpError>>
    where
        'a: 'b,
        Self: 'b,
    {
        Box::pin(async move {
            let http = self.http.clone();
            let answer = self.runtime.spawn(async move { http.send_bytes(request).await }).await;
            let outcome = answer.map_err(HttpError::from).flatten();
            let failure = match &outcome {
                Ok(answer) if answer.status().is_success() => None,
                Ok(answer) => Some(format!("it answered {}", answer.status())),
                Err(cause) => Some(cause.to_string()),
            };
            let was_away = self.away.swap(failure.is_some(), Ordering::Relaxed);
            match failure {
                Some(cause) if !was_away => {
                    tracing::warn!(cause, "the collector of traces is away; spans are dropped until it is back");
                }
                None if was_away => tracing::info!("the collector of traces is back"),
                _ => {}
            }
            outcome
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::ground::telemetry::tests::written;

    /// Sends as the thread of the SDK does, from outside of the runtime.
    fn send(collector: &CollectorClient, port: u16) -> bool {
        let request = Request::post(format!("http://127.0.0.1:{port}/v1/traces")).body(Bytes::new()).unwrap();
        collector.runtime.block_on(collector.send_bytes(request)).is_ok()
    }

    #[test]
    fn a_collector_that_is_away_is_logged_when_it_goes_and_when_it_comes_back() {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let there = runtime.block_on(crate::core::testing::collector::Collector::start());
        let there = there.endpoint.rsplit_once(':').unwrap().1.parse().unwrap();
        let (http, runtime_handle) = (http_client::builder().build().unwrap(), runtime.handle().clone());
        let collector = CollectorClient { http, runtime: runtime_handle, away: AtomicBool::new(false) };
        let lines = written(&[], || {
            assert_eq!([1, 1, there, there, 1].map(|port| send(&collector, port)), [false, false, true, true, false]);
        });
        let away = |line: &str| line.contains("WARN") && line.contains("is away");
        assert_eq!(lines.len(), 3, "{lines:?}");
        assert!(away(&lines[0]) && lines[1].contains("is back") && away(&lines[2]), "{lines:?}");
    }
}
