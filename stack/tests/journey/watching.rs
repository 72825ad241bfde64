//! The trace of a request: one over all services, as they export it to a collector.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use anyhow::{Context, Result};
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::routing::post;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value::StringValue;
use prost::Message;
use reqwest::StatusCode;
use serde_json::json;
use tokio::net::TcpListener;

use crate::client::eventually;
use crate::platform::{PASSWORD, Platform, SERVICES};

const INSULT: &str = "You have understood nothing, and I hope you die.";
const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const CALLER: &str = "00f067aa0ba902b7";

/// Something that a service did, and what it was a part of.
#[derive(Debug, Clone)]
struct Span {
    service: String,
    name: String,
    trace: String,
    id: String,
    parent: String,
}

type Told = Arc<Mutex<Vec<Span>>>;

#[tokio::test]
async fn one_trace_goes_through_all_services() -> Result<()> {
    let (collector, told) = collect().await?;
    let settings = SERVICES.map(|service| {
        [format!("{service}.OTEL_EXPORTER_OTLP_ENDPOINT={collector}"), format!("{service}.OTEL_BSP_SCHEDULE_DELAY=100")]
    });
    let settings: Vec<&str> = settings.iter().flatten().flat_map(|setting| ["--set", setting]).collect();
    let mut platform = Platform::up(&settings);
    let ada = platform.api().join("ada@example.org", PASSWORD, ("Ada", "Lovelace"), &["BOOKS"]).await?;
    let post = ada.write_post("On engines", "They weave patterns.", &["BOOKS"], "POSTED").await?;

    // An insult is removed again, so that its trace goes on through moderation, back, and to the services that count comments.
    let url = format!("{}/api/v1/{}/comments", platform.url(0, 2), post.id);
    let token = ada.api.access_token().await?.context("signed in")?;
    let request = reqwest::Client::new().post(url).bearer_auth(token).json(&json!({ "content": INSULT }));
    let answer = request.header("traceparent", format!("00-{TRACE}-{CALLER}-01")).send().await?;
    assert_eq!((answer.status(), answer.headers()["x-request-id"].to_str()?), (StatusCode::CREATED, TRACE));

    // Each span with its service, and its parent.
    let parts = [
        ("interaction-service POST /api/v1/{post_id}/comments", CALLER),
        ("interaction-service GET", "interaction-service POST /api/v1/{post_id}/comments"),
        ("auth-service GET /api/v1/auth/verify-token", "interaction-service GET"),
        ("interaction-service create post_comment_created", "interaction-service POST /api/v1/{post_id}/comments"),
        ("interaction-service send post_comment_created", "interaction-service create post_comment_created"),
        ("post-service process post_comment_created", "interaction-service create post_comment_created"),
        ("engagement-service process post_comment_created", "interaction-service create post_comment_created"),
        ("moderation-service process post_comment_created", "interaction-service create post_comment_created"),
        (
            "moderation-service create moderation_post_comment_delete_requested",
            "moderation-service process post_comment_created",
        ),
        (
            "interaction-service process moderation_post_comment_delete_requested",
            "moderation-service create moderation_post_comment_delete_requested",
        ),
        ("post-service process post_comment_deleted", "interaction-service create post_comment_deleted"),
        ("engagement-service process post_comment_deleted", "interaction-service create post_comment_deleted"),
    ];
    let ask = async || Ok(named(&told.lock().unwrap()));
    let hidden = "interaction-service create post_comment_deleted";
    let complete = |named: &BTreeMap<String, Span>| {
        named.contains_key(hidden) && parts.iter().all(|(name, _)| named.contains_key(*name))
    };
    let (named, _) = eventually("the trace is complete", ask, complete).await?;
    for (name, whole) in parts {
        let parent = named.get(whole).map_or(CALLER, |span| &span.id);
        assert_eq!(named[name].parent, parent, "{name} is a part of {whole}: {named:#?}");
    }
    // Of the two events of a decision, the one that is consumed first hides the comment.
    let is_hidden_by = |event: &str| {
        let consumed = named.get(&format!("interaction-service process {event}"));
        consumed.is_some_and(|consumed| consumed.id == named[hidden].parent)
    };
    let events = ["moderation_post_comment_delete_requested", "moderation_decided"];
    assert!(events.into_iter().any(is_hidden_by), "{named:#?}");
    platform.stop();
    Ok(())
}

/// The spans of the trace by service and name; where there are several, the first.
fn named(told: &[Span]) -> BTreeMap<String, Span> {
    let mut named = BTreeMap::new();
    for span in told.iter().filter(|span| span.trace == TRACE) {
        named.entry(format!("{} {}", span.service, span.name)).or_insert_with(|| span.clone());
    }
    named
}

/// A collector, and the spans that it has received.
async fn collect() -> Result<(String, Told)> {
    let told = Told::default();
    let router = Router::new().route("/v1/traces", post(take)).with_state(told.clone());
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = format!("http://{}", listener.local_addr()?);
    #[expect(clippy::disallowed_methods, reason = "it lives as long as the test")]
    tokio::spawn(async { axum::serve(listener, router).await });
    Ok((address, told))
}

async fn take(State(told): State<Told>, body: Bytes) {
    let hex = |bytes: &[u8]| -> String {
        let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
        digits.filter_map(|digit| char::from_digit(digit.into(), 16)).collect()
    };
    for resource in ExportTraceServiceRequest::decode(body).unwrap().resource_spans {
        let attributes = resource.resource.unwrap().attributes;
        let name = attributes.into_iter().find(|attribute| attribute.key == "service.name").unwrap();
        let Some(StringValue(service)) = name.value.unwrap().value else { panic!("a service's name is a text") };
        let spans = resource.scope_spans.into_iter().flat_map(|scope| scope.spans);
        told.lock().unwrap().extend(spans.map(|span| Span {
            service: service.clone(),
            trace: hex(&span.trace_id),
            id: hex(&span.span_id),
            parent: hex(&span.parent_span_id),
            name: span.name,
        }));
    }
}
