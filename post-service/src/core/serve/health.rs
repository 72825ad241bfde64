//! Liveness, readiness, lag and metrics of the service.
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Extension, Json, Router};
use serde_json::{Value, json};
use sqlx::Connection;

use crate::core::app::App;
use crate::core::events::backlog;
use crate::core::ground::http_client;
use crate::core::ground::settings::HealthCheck;
use crate::core::ground::telemetry::meters;

/// How long Postgres may take to say that it is there.
const POSTGRES_TIMEOUT: Duration = Duration::from_secs(3);
/// How long the service may take to say how it is: its own patience, and a moment for the rest.
const CHECK_TIMEOUT: Duration = Duration::from_secs(4);

/// The streams that the service consumes.
type Subscribed = Arc<[&'static str]>;

/// Asks the service that listens on this address of this machine. An error holds its answer, or that there was none.
pub async fn ask(host: IpAddr, port: u16, check: HealthCheck) -> anyhow::Result<()> {
    // To connect to the address that stands for all of this machine's leads to this machine.
    let address = std::net::SocketAddr::from((host, port));
    let path = format!("{check:?}").to_ascii_lowercase();
    let client = http_client::builder().timeout(CHECK_TIMEOUT).no_proxy().build()?;
    let answer = client.get(format!("http://{address}/health/{path}")).send().await.context("no answer")?;
    let (status, text) = (answer.status(), answer.text().await?);
    anyhow::ensure!(status == StatusCode::OK, "{status}: {text}");
    Ok(())
}

/// `/health/live` answers as long as the process does; `/health/ready` asks Postgres and Redis; `/health/serve` is for what
/// sends requests here, and asks neither: an outage of what all replicas share must not take every one of them out of
/// service at once, and says which process answers, since two may share an address. `/health/lag` says beside readiness how far behind events are; `/metrics` is Prometheus text.
pub fn routes(subscribed: Subscribed) -> Router<App> {
    Router::new()
        .route("/health/live", get(|| async { Json(json!({ "live": true })) }))
        .route("/health/ready", get(readiness))
        .route("/health/serve", get(serves))
        .route("/health/lag", get(lag))
        .route("/metrics", get(metrics))
        .layer(Extension(subscribed))
}

/// Whether the service can work, and what of that it needs is there.
async fn readiness(State(app): State<App>) -> (StatusCode, Json<Value>) {
    let (migrated, mut redis) = (*app.prepared.borrow(), app.redis.clone());
    let postgres = async { app.db.acquire().await?.ping().await };
    let redis = async { redis::cmd("PING").query_async::<String>(&mut redis).await };
    let (postgres, redis) = tokio::join!(tokio::time::timeout(POSTGRES_TIMEOUT, postgres), redis);
    let (postgres, redis) = (matches!(postgres, Ok(Ok(()))), redis.is_ok());
    let ready = migrated && postgres && redis;
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(json!({ "ready": ready, "migrated": migrated, "postgres": postgres, "redis": redis })))
}

async fn serves(State(app): State<App>) -> (StatusCode, Json<Value>) {
    let serves = *app.prepared.borrow() && !app.draining.is_cancelled();
    let status = if serves { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(json!({ "serves": serves, "process": std::process::id() })))
}

/// The state of the service, for a page that shows it to a person; `events` is null as long as a store cannot be asked.
async fn lag(State(app): State<App>, Extension(subscribed): Extension<Subscribed>) -> (StatusCode, Json<Value>) {
    let (status, Json(mut state)) = readiness(State(app.clone())).await;
    // A pool whose server is away would be waited for.
    let events = if status == StatusCode::OK { log_failure(backlog::load(&app, &subscribed).await) } else { None };
    state["service"] = json!(app.name);
    state["events"] = json!(events);
    state["progress"] = app.progress.borrow().clone();
    (status, Json(state))
}

/// What was measured; nothing when it could not be, which is logged. The rest is as true as before: an operator looks at
/// it during an outage.
fn log_failure<T>(measure: anyhow::Result<T>) -> Option<T> {
    measure.inspect_err(|error| tracing::warn!(error = format!("{error:#}"), "the events could not be measured")).ok()
}

async fn metrics(State(app): State<App>, Extension(subscribed): Extension<Subscribed>) -> String {
    meters::measure(app.name, &app.db);
    log_failure(backlog::measure(&app, &subscribed).await);
    app.metrics.render()
}
