//! Metrics and traces on the way from the request over the outbox to the effect.
use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::Request;
use axum::routing::post;
use serde_json::json;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use tower::ServiceExt;

use crate::SERVICE;
use crate::core::api::errors::Error;
use crate::core::app::App;
use crate::core::events::tests::{STREAM, drain, publish, start};
use crate::core::ground::telemetry::export;
use crate::core::serve::layers;
use crate::core::testing::collector::{Collector, ExportedSpan};
use crate::core::testing::counted::Counted;

#[sqlx::test(migrations = false)]
async fn events_published_applied_parked_and_delivered_twice_are_counted(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    platform.publish_all(1..=2).await;
    platform.publish(json!({ "n": 3, "fails": "permanently" })).await;
    let counted = Counted::begin();
    platform.published(STREAM).await;
    drain(&mut platform.consumer()).await.unwrap();
    platform.redis(&["XGROUP", "SETID", STREAM, platform.app.group, "0"]).await;
    drain(&mut platform.consumer()).await.unwrap();
    let count = |name: &str, events| counted.assert(&format!("{name}{{stream=\"{STREAM}\"}} {events}"));
    count("events_appended_total", 3);
    count("events_duplicate_total", 3);
    count("events_parked_total", 1);
    // What is parked is consumed, and has no effect.
    count("events_consumed_total", 3);
    count("events_effect_seconds_count", 2);
}

async fn publish_one(State(app): State<App>) -> Result<(), Error> {
    let mut tx = app.db.begin().await?;
    publish(&mut tx, STREAM, &json!({ "n": 1 })).await?;
    Ok(app.commit(tx).await?)
}

/// The one test that exports spans: a process has one exporter.
#[sqlx::test(migrations = false)]
async fn one_trace_goes_from_the_caller_to_the_effect(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let collector = Collector::start().await;
    let mut base = platform.app.settings.clone();
    base.otel_exporter_otlp_endpoint.clone_from(&collector.endpoint);
    export::start(SERVICE.name, &base).unwrap();
    let routes = Router::new().route("/publish/{n}", post(publish_one)).with_state(platform.app.clone());
    let router = layers::with_middleware(&platform.app, routes);
    let traces = [1, 2].map(|n| format!("{n:0>32}"));
    for trace in &traces {
        let request =
            Request::post("/publish/7?q=secret").header("traceparent", format!("00-{trace}-00f067aa0ba902b7-01"));
        let answer = router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        assert_eq!(
            (answer.status().as_u16(), answer.headers()["x-request-id"].to_str().unwrap()),
            (200, trace.as_str())
        );
    }
    platform.published(STREAM).await;
    drain(&mut platform.consumer()).await.unwrap();
    // Spans that wait are exported when the service stops, and not seconds later.
    export::stop().await;

    let [first, second] = traces.map(|trace| {
        let spans = collector.of(&trace);
        assert_eq!(spans.len(), 4, "{spans:?}");
        ["POST /publish/{n}", "create conformance", "send conformance", "process conformance"].map(|name| {
            spans.iter().find(|span| span.name == name).unwrap_or_else(|| panic!("{name}: {spans:?}")).clone()
        })
    });
    for [request, create, send, process] in [&first, &second] {
        assert_eq!(request.parent, "00f067aa0ba902b7");
        let within: [(&ExportedSpan, &ExportedSpan, &str); 3] =
            [(create, request, "PRODUCER"), (send, create, "CLIENT"), (process, create, "CONSUMER")];
        for (part, whole, kind) in within {
            assert_eq!((&part.parent, part.kind, part.service.as_str()), (&whole.id, kind, SERVICE.name), "{part:?}");
            assert!(!part.failed);
        }
        assert_eq!((request.kind, &request.attributes["http.response.status_code"]), ("SERVER", &"200".to_owned()));
        assert_eq!(
            (&request.attributes["http.route"], &request.attributes["url.path"]),
            (&"/publish/{n}".into(), &"/publish/7".into())
        );
        assert_eq!(process.attributes["messaging.batch.message_count"], "2");
        assert_eq!(process.attributes["messaging.message.id"], send.attributes["messaging.message.id"]);
    }
    // Both were applied in one transaction: its span is the first one's, and the second one's is linked to it.
    assert_eq!((first[3].links.as_slice(), second[3].links.as_slice()), (&[][..], &[first[3].id.clone()][..]));
}
