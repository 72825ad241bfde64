//! The spans of each kind of work: names and attributes by OpenTelemetry's semantic conventions for HTTP and messaging
//! (version 1.37). No attribute holds a query, an address, a token or a user's words.
use axum::http::{HeaderValue, StatusCode, Uri};
use opentelemetry::KeyValue;
use opentelemetry::trace::{SpanBuilder, SpanKind};
use uuid::Uuid;

use crate::core::ground::telemetry::Trace;

/// A request that is answered here, by its route; `none` where there is none.
pub fn serve(method: &'static str, route: &str, uri: &Uri) -> SpanBuilder {
    let mut attributes = vec![
        KeyValue::new("http.request.method", method),
        KeyValue::new("url.scheme", "http"),
        KeyValue::new("url.path", uri.path().to_owned()),
    ];
    if route != "none" {
        attributes.push(KeyValue::new("http.route", route.to_owned()));
    }
    // The conventions' name for a method that they do not know.
    let name = match (method, route) {
        ("_OTHER", _) => "HTTP".to_owned(),
        (_, "none") => method.to_owned(),
        _ => format!("{method} {route}"),
    };
    SpanBuilder::from_name(name).with_kind(SpanKind::Server).with_attributes(attributes)
}

/// Ends the span of a request with its answer: the status, and a failure if it is one.
pub fn end_answered(request: &Trace, status: StatusCode) {
    let failure = status.is_server_error().then(|| status.to_string());
    request.end([KeyValue::new("http.response.status_code", i64::from(status.as_u16()))], failure);
}

/// Sends a request to another service of the platform, as part of the trace at hand.
pub async fn call(request: reqwest::RequestBuilder) -> reqwest::Result<reqwest::Response> {
    let (client, request) = request.build_split();
    let mut request = request?;
    let trace = Trace::within(|| request_span(&request));
    if let Some(traceparent) = trace.traceparent().and_then(|text| HeaderValue::try_from(text).ok()) {
        request.headers_mut().insert("traceparent", traceparent);
    }
    let answer = trace.scope(client.execute(request)).await;
    match &answer {
        Ok(answer) => end_answered(&trace, answer.status()),
        Err(cause) => trace.end([], Some(if cause.is_timeout() { "timeout" } else { "no answer" }.into())),
    }
    answer
}

fn request_span(request: &reqwest::Request) -> SpanBuilder {
    let (method, url) = (request.method(), request.url());
    SpanBuilder::from_name(method.to_string()).with_kind(SpanKind::Client).with_attributes([
        KeyValue::new("http.request.method", method.to_string()),
        KeyValue::new("server.address", url.host_str().unwrap_or_default().to_owned()),
        KeyValue::new("server.port", i64::from(url.port_or_known_default().unwrap_or_default())),
        KeyValue::new("url.full", format!("{}{}", url.origin().ascii_serialization(), url.path())),
    ])
}

/// An operation on a stream, on one event or on a batch.
fn messaging(operation: &'static str, kind: SpanKind, stream: &str, id: Option<Uuid>, batch: usize) -> SpanBuilder {
    let mut attributes = vec![
        KeyValue::new("messaging.system", "redis"),
        KeyValue::new("messaging.operation.name", operation),
        KeyValue::new("messaging.operation.type", operation),
        KeyValue::new("messaging.destination.name", stream.to_owned()),
    ];
    attributes.extend(id.map(|id| KeyValue::new("messaging.message.id", id.to_string())));
    if batch > 1 {
        let count = i64::try_from(batch).unwrap_or(i64::MAX);
        attributes.push(KeyValue::new("messaging.batch.message_count", count));
    }
    SpanBuilder::from_name(format!("{operation} {stream}")).with_kind(kind).with_attributes(attributes)
}

/// Events that are written into the outbox: what everything that they bring about is a part of.
pub fn create(stream: &str, events: usize) -> SpanBuilder {
    messaging("create", SpanKind::Producer, stream, None, events)
}

/// An event that is published from the outbox to the stream, with others of its batch.
pub fn send(stream: &str, id: Uuid, batch: usize) -> SpanBuilder {
    messaging("send", SpanKind::Client, stream, Some(id), batch)
}

/// An event that is applied, with others of its batch.
pub fn process(stream: &str, group: &'static str, id: Option<Uuid>, batch: usize) -> SpanBuilder {
    let mut span = messaging("process", SpanKind::Consumer, stream, id, batch);
    span.attributes.get_or_insert_default().push(KeyValue::new("messaging.consumer.group.name", group));
    span
}
