//! A collector of traces for a test: it takes spans by OTLP over HTTP, and keeps them.
use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::routing::post;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value::Value};
use prost::Message;

/// A span, as it was exported.
#[derive(Clone, Debug)]
pub struct ExportedSpan {
    pub service: String,
    pub name: String,
    pub kind: &'static str,
    pub trace: String,
    pub id: String,
    pub parent: String,
    pub links: Vec<String>,
    pub failed: bool,
    /// Numbers as text.
    pub attributes: HashMap<String, String>,
}

/// The spans so far, and the address that takes them.
pub struct Collector {
    pub endpoint: String,
    spans: Arc<Mutex<Vec<ExportedSpan>>>,
}

impl Collector {
    /// Listens anywhere on this machine.
    pub async fn start() -> Self {
        let spans: Arc<Mutex<Vec<ExportedSpan>>> = Arc::default();
        let router = Router::new().route("/v1/traces", post(take)).with_state(spans.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        tokio_util::task::TaskTracker::new().spawn(async { axum::serve(listener, router).await });
        Self { endpoint, spans }
    }

    /// The spans of a trace, in the order of their beginnings.
    pub fn of(&self, trace: &str) -> Vec<ExportedSpan> {
        self.spans.lock().unwrap().iter().filter(|span| span.trace == trace).cloned().collect()
    }
}

async fn take(State(exported): State<Arc<Mutex<Vec<ExportedSpan>>>>, body: Bytes) {
    let request = ExportTraceServiceRequest::decode(body).unwrap();
    for resource in request.resource_spans {
        let of = texts(&resource.resource.unwrap().attributes);
        let spans = resource.scope_spans.into_iter().flat_map(|scope| scope.spans);
        exported.lock().unwrap().extend(spans.map(|span| ExportedSpan {
            service: of["service.name"].clone(),
            kind: span.kind().as_str_name().trim_start_matches("SPAN_KIND_"),
            trace: hex(&span.trace_id),
            id: hex(&span.span_id),
            parent: hex(&span.parent_span_id),
            links: span.links.iter().map(|link| hex(&link.span_id)).collect(),
            failed: span.status.as_ref().is_some_and(|status| status.code == 2),
            attributes: texts(&span.attributes),
            name: span.name,
        }));
    }
}

fn hex(bytes: &[u8]) -> String {
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.filter_map(|digit| char::from_digit(digit.into(), 16)).collect()
}

fn texts(attributes: &[KeyValue]) -> HashMap<String, String> {
    let text = |value: &Option<AnyValue>| match value.as_ref().and_then(|value| value.value.as_ref()) {
        Some(Value::StringValue(text)) => text.clone(),
        Some(Value::IntValue(number)) => number.to_string(),
        other => format!("{other:?}"),
    };
    attributes.iter().map(|pair| (pair.key.clone(), text(&pair.value))).collect()
}
