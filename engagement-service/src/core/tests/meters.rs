//! What is counted: which lines `/metrics` has after which events. A test counts into a recorder of its own.
use axum::body::Body;
use axum::http::Request;
use serde_json::json;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

use crate::SERVICE;
use crate::core::events::{backlog, outbox};
use crate::core::ground::telemetry::meters;
use crate::core::testing::Platform;
use crate::core::testing::counted::Counted;
use crate::core::tests::get;

#[sqlx::test(migrations = false)]
async fn requests_are_counted_by_route_and_no_caller_makes_more_lines(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = Platform::start(&SERVICE, database, &[]).await;
    assert_eq!(get(&platform, "/metrics").await.status, 200, "nothing is counted, and nothing fails for it");
    let counted = Counted::begin();
    get(&platform, "/health/live").await;
    for path in ["/one", "/two"] {
        for method in ["BREW", "WHEN"] {
            platform.send(Request::builder().method(method).uri(path).body(Body::empty()).unwrap()).await;
        }
    }
    let requests = "http_request_duration_seconds_count";
    counted.assert(&format!("{requests}{{method=\"GET\",route=\"/health/live\",status=\"200\"}} 1"));
    counted.assert(&format!("{requests}{{method=\"_OTHER\",route=\"none\",status=\"404\"}} 4"));
    counted.assert("http_requests_in_flight 0");
}

#[sqlx::test(migrations = false)]
async fn the_pool_the_build_and_the_process_are_measured(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = Platform::start(&SERVICE, database, &["--database-pool", "7"]).await;
    let counted = Counted::begin();
    let held = platform.app.db.acquire().await.unwrap();
    meters::measure(SERVICE.name, &platform.app.db);
    let open = platform.app.db.size();
    drop(held);
    for line in [
        format!("service_info{{service=\"{}\",version=\"{}\"}} 1", SERVICE.name, env!("CARGO_PKG_VERSION")),
        format!("database_connections{{state=\"open\"}} {open}"),
        "database_connections{state=\"in_use\"} 1".into(),
        "database_connections_max 7".into(),
    ] {
        counted.assert(&line);
    }
    let text = counted.text();
    let value = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.unwrap_or_else(|| panic!("no {name} in\n{text}")).parse::<f64>().unwrap()
    };
    assert!(value("process_resident_memory_bytes") > 1e6 && value("process_open_fds") > 2.0, "{text}");
    assert!(value("process_start_time_seconds") > 1.7e9 && value("process_cpu_seconds_total") > 0.0, "{text}");
    assert!(value("process_max_fds") >= value("process_open_fds") && value("process_threads") >= 1.0, "{text}");
}

#[sqlx::test(migrations = false)]
async fn what_waits_is_measured_and_what_may_never_happen_is_there(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = Platform::start(&SERVICE, database, &[]).await;
    let mut tx = platform.app.db.begin().await.unwrap();
    outbox::publish(&mut tx, SERVICE.publishes[0], &json!({})).await.unwrap();
    tx.commit().await.unwrap();
    let counted = Counted::begin();
    let subscribed = platform.subscribed();
    backlog::start_counters(SERVICE.publishes, subscribed.iter().copied());
    meters::start_counters(SERVICE.limits.iter().map(|limit| limit.name));
    backlog::measure(&platform.app, &subscribed).await.unwrap();
    counted.assert(&format!("events_outbox_waiting{{stream=\"{}\"}} 1", SERVICE.publishes[0]));
    for stream in SERVICE.publishes {
        counted.assert(&format!("events_rewound_total{{stream=\"{stream}\"}} 0"));
    }
    for stream in subscribed {
        counted.assert(&format!("events_lag{{stream=\"{stream}\"}} 0"));
        counted.assert(&format!("events_gap_total{{stream=\"{stream}\"}} 0"));
    }
    counted.assert("database_acquire_timeouts_total 0");
}

#[sqlx::test(migrations = false)]
async fn a_refusal_by_a_limit_is_counted(_: PgPoolOptions, database: PgConnectOptions) {
    let name = SERVICE.limits[0].name;
    let platform = Platform::start(&SERVICE, database, &["--rate-limits", &format!("{name}=1/60+1")]).await;
    let counted = Counted::begin();
    for allowed in [true, false, false] {
        assert_eq!(platform.app.limits.take(name, "a subject").await.unwrap().allowed(), allowed);
    }
    counted.assert(&format!("rate_limits_refused_total{{limit=\"{name}\"}} 2"));
}

#[sqlx::test(migrations = false)]
async fn a_request_that_gets_no_connection_is_counted(_: PgPoolOptions, database: PgConnectOptions) {
    use crate::core::api::errors::Error;
    use axum::response::IntoResponse;

    Platform::start(&SERVICE, database, &[]).await;
    let counted = Counted::begin();
    meters::start_counters(SERVICE.limits.iter().map(|limit| limit.name));
    assert_eq!(Error::Database(sqlx::Error::PoolClosed).into_response().status(), 503);
    counted.assert("database_acquire_timeouts_total 0");
    assert_eq!(Error::Database(sqlx::Error::PoolTimedOut).into_response().status(), 503);
    counted.assert("database_acquire_timeouts_total 1");
}
