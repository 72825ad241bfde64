//! What is told of each kind of work: names and attributes by OpenTelemetry's semantic conventions for HTTP and messaging
//! (version 1.37). No attribute holds a query, an address, a token or somebody's words.
use axum::http::{HeaderValue, StatusCode, Uri};
use opentelemetry::KeyValue;
use opentelemetry::trace::{SpanBuilder, SpanKind};
use uuid::Uuid;

use crate::core::ground::telemetry::Trace;

/// A request that is answered here, by its route; `none` where there is none.
pub fn serve(method: &'static str, route: &str, uri: &Uri) -> SpanBuilder {
    let (route, name) = if route == "none" {
        (None, method.to_owned())
    } else {
        (Some(KeyValue::new("http.route", route.to_owned())), format!("{method} {route}"))
    };
    let attributes = [
        KeyValue::new("http.request.method", method),
        KeyValue::new("url.scheme", "http"),
        KeyValue::new("url.path", uri.path().to_owned()),
    ];
    // The conventions' name for a method that they do not know.
    SpanBuilder::from_name(if method == "_OTHER" { "HTTP".to_owned() } else { name })
        .with_kind(SpanKind::Server)
        .with_attributes(attributes.into_iter().chain(route))
}

/// How an answer is told of.
pub fn answered(status: StatusCode) -> ([KeyValue; 1], Option<String>) {
    let failure = status.is_server_error().then(|| status.to_string());
    ([KeyValue::new("http.response.status_code", i64::from(status.as_u16()))], failure)
}

/// Sends a request to another service of the platform, as part of the trace at hand.
pub async fn call(request: reqwest::RequestBuilder) -> reqwest::Result<reqwest::Response> {
    let (client, request) = request.build_split();
    let mut request = request?;
    let trace = Trace::within(|| ask(&request));
    if let Some(traceparent) = trace.traceparent().and_then(|text| HeaderValue::try_from(text).ok()) {
        request.headers_mut().insert("traceparent", traceparent);
    }
    let answer = trace.scope(client.execute(request)).await;
    match &answer {
        Ok(answer) => {
            let (attributes, failure) = answered(answer.status());
            trace.end(attributes, failure);
        }
        Err(cause) => trace.end([], Some(if cause.is_timeout() { "timeout" } else { "no answer" }.into())),
    }
    answer
}

fn ask(request: &reqwest::Request) -> SpanBuilder {
    let (method, url) = (request.method(), request.url());
    SpanBuilder::from_name(method.to_string()).with_kind(SpanKind::Client).with_attributes([
        KeyValue::new("http.request.method", method.to_string()),
        KeyValue::new("server.address", url.host_str().unwrap_or_default().to_owned()),
        KeyValue::new("server.port", i64::from(url.port_or_known_default().unwrap_or_default())),
        KeyValue::new("url.full", format!("{}{}", url.origin().ascii_serialization(), url.path())),
    ])
}

/// What is done with a stream: its name is the operation and the stream.
fn messaging(operation: &'static str, kind: SpanKind, stream: &str) -> (SpanBuilder, Vec<KeyValue>) {
    let attributes = vec![
        KeyValue::new("messaging.system", "redis"),
        KeyValue::new("messaging.operation.name", operation),
        KeyValue::new("messaging.operation.type", operation),
        KeyValue::new("messaging.destination.name", stream.to_owned()),
    ];
    (SpanBuilder::from_name(format!("{operation} {stream}")).with_kind(kind), attributes)
}

/// Events that are written into the outbox: what everything that they bring about is a part of.
pub fn create(stream: &str, events: usize) -> SpanBuilder {
    let (span, attributes) = messaging("create", SpanKind::Producer, stream);
    span.with_attributes(attributes.into_iter().chain(count(events)))
}

/// An event that is carried from the outbox to the stream, with others of its batch.
pub fn send(stream: &str, id: Uuid, batch: usize) -> SpanBuilder {
    let (span, attributes) = messaging("send", SpanKind::Client, stream);
    span.with_attributes(attributes.into_iter().chain(count(batch)).chain([message(id)]))
}

/// An event that is applied, with others of its batch.
pub fn process(stream: &str, group: &'static str, id: Option<Uuid>, batch: usize) -> SpanBuilder {
    let (span, attributes) = messaging("process", SpanKind::Consumer, stream);
    let group = KeyValue::new("messaging.consumer.group.name", group);
    span.with_attributes(attributes.into_iter().chain(count(batch)).chain(id.map(message)).chain([group]))
}

fn message(id: Uuid) -> KeyValue {
    KeyValue::new("messaging.message.id", id.to_string())
}

/// The size of a batch, where there is one.
fn count(batch: usize) -> Option<KeyValue> {
    (batch > 1).then(|| KeyValue::new("messaging.batch.message_count", i64::try_from(batch).unwrap_or(i64::MAX)))
}
