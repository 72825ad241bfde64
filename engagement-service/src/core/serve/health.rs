//! Liveness, readiness, lag and metrics of the service.
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Json, Router};
use serde::Serialize;
use serde_json::json;
use sqlx::{Connection, PgPool};

use crate::core::app::App;
use crate::core::events::backlog::{self, Backlog};
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
    // A service that listens on all addresses listens on this one.
    let host = match host {
        IpAddr::V4(Ipv4Addr::UNSPECIFIED) => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(Ipv6Addr::UNSPECIFIED) => Ipv6Addr::LOCALHOST.into(),
        host => host,
    };
    let address = std::net::SocketAddr::from((host, port));
    let path = match check {
        HealthCheck::Live => "live",
        HealthCheck::Ready => "ready",
    };
    let client = http_client::builder().timeout(CHECK_TIMEOUT).no_proxy().build()?;
    let answer = client.get(format!("http://{address}/health/{path}")).send().await.context("no answer")?;
    let (status, text) = (answer.status(), answer.text().await?);
    anyhow::ensure!(status == StatusCode::OK, "{status}: {text}");
    Ok(())
}

/// `/health/live` answers as long as the process does; `/health/ready` asks Postgres and Redis; `/health/lag` says beside
/// it how far behind events are; `/metrics` is Prometheus text.
pub fn routes(subscribed: Subscribed) -> Router<App> {
    Router::new()
        .route("/health/live", get(|| async { Json(json!({ "live": true })) }))
        .route("/health/ready", get(ready))
        .route("/health/lag", get(lag))
        .route("/metrics", get(metrics))
        .layer(Extension(subscribed))
}

/// Whether the service can work, and what of that it needs is there.
#[derive(Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "an answer of yes or no to each check")]
struct Readiness {
    ready: bool,
    migrated: bool,
    postgres: bool,
    redis: bool,
}

impl Readiness {
    async fn of(app: &App) -> Self {
        let migrated = *app.prepared.borrow();
        let mut redis = app.redis.clone();
        let (postgres, redis) =
            tokio::join!(ping(&app.db), async move { redis::cmd("PING").query_async::<String>(&mut redis).await });
        let (postgres, redis) = (postgres.is_ok(), redis.is_ok());
        Self { ready: migrated && postgres && redis, migrated, postgres, redis }
    }

    fn status(&self) -> StatusCode {
        if self.ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }
    }
}

async fn ping(db: &PgPool) -> anyhow::Result<()> {
    let answer = async { db.acquire().await?.ping().await };
    Ok(tokio::time::timeout(POSTGRES_TIMEOUT, answer).await??)
}

async fn ready(State(app): State<App>) -> Response {
    let readiness = Readiness::of(&app).await;
    (readiness.status(), Json(readiness)).into_response()
}

/// The state of the service, for a page that shows it to a person.
#[derive(Serialize)]
struct Lag {
    service: &'static str,
    #[serde(flatten)]
    readiness: Readiness,
    /// Null as long as a store cannot be asked.
    events: Option<Backlog>,
}

async fn lag(State(app): State<App>, Extension(subscribed): Extension<Subscribed>) -> Response {
    let readiness = Readiness::of(&app).await;
    // A pool whose server is away would be waited for.
    let events = if readiness.ready { log_failure(backlog::load(&app, &subscribed).await) } else { None };
    (readiness.status(), Json(Lag { service: app.name, readiness, events })).into_response()
}

/// What was measured; nothing when it could not be, which is logged. The rest is as true as before: an operator looks at
/// it during an outage.
fn log_failure<T>(measure: anyhow::Result<T>) -> Option<T> {
    measure.inspect_err(|error| tracing::warn!(error = format!("{error:#}"), "the events could not be measured")).ok()
}

async fn metrics(State(app): State<App>, Extension(subscribed): Extension<Subscribed>) -> Response {
    meters::measure(app.name, &app.db);
    log_failure(backlog::measure(&app, &subscribed).await);
    app.metrics.render().into_response()
}
