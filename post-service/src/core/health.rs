//! Whether the service lives, whether it can work, and what it has counted.
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use anyhow::Context;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use clap::ValueEnum;
use serde_json::json;
use sqlx::{Connection, PgPool};

use super::{App, events};

/// How long Postgres may take to say that it is there.
const PATIENCE: Duration = Duration::from_secs(3);
/// How long the service may take to say how it is: its own patience, and a moment for the rest.
const ANSWER: Duration = Duration::from_secs(4);

/// What can be asked of a running service by its own binary: a container holds no other program that could.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Question {
    /// Whether the process answers
    Live,
    /// Whether its tables are there, and Postgres and Redis answer
    Ready,
}

/// Asks the service that listens on this address of this machine. An error says what it answered, or that it did not.
pub async fn ask(host: IpAddr, port: u16, question: Question) -> anyhow::Result<()> {
    // Who listens everywhere listens here.
    let host = match host {
        IpAddr::V4(Ipv4Addr::UNSPECIFIED) => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(Ipv6Addr::UNSPECIFIED) => Ipv6Addr::LOCALHOST.into(),
        host => host,
    };
    let address = std::net::SocketAddr::from((host, port));
    let path = match question {
        Question::Live => "live",
        Question::Ready => "ready",
    };
    // The provider may be there already, which is as good.
    drop(rustls::crypto::ring::default_provider().install_default());
    let client = reqwest::Client::builder().timeout(ANSWER).no_proxy().build()?;
    let answer = client.get(format!("http://{address}/health/{path}")).send().await.context("no answer")?;
    let (status, text) = (answer.status(), answer.text().await?);
    anyhow::ensure!(status == StatusCode::OK, "{status}: {text}");
    Ok(())
}

/// `/health/live` answers as long as the process does; `/health/ready` asks Postgres and Redis; `/metrics` is Prometheus text.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/health/live", get(|| async { Json(json!({ "live": true })) }))
        .route("/health/ready", get(ready))
        .route("/metrics", get(metrics))
}

async fn ping(db: &PgPool) -> anyhow::Result<()> {
    let answer = async { db.acquire().await?.ping().await };
    Ok(tokio::time::timeout(PATIENCE, answer).await??)
}

async fn ready(State(app): State<App>) -> Response {
    let migrated = *app.prepared.borrow();
    let mut redis = app.redis.clone();
    let (postgres, redis) =
        tokio::join!(ping(&app.db), async move { redis::cmd("PING").query_async::<String>(&mut redis).await });
    let (postgres, redis) = (postgres.is_ok(), redis.is_ok());
    let ready = migrated && postgres && redis;
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(json!({ "ready": ready, "migrated": migrated, "postgres": postgres, "redis": redis })))
        .into_response()
}

async fn metrics(State(app): State<App>) -> Response {
    let pool = [("state", "idle")];
    #[expect(clippy::cast_precision_loss, reason = "a pool has some tens of connections")]
    metrics::gauge!("database_connections", &pool).set(app.db.num_idle() as f64);
    metrics::gauge!("database_connections", "state" => "open").set(f64::from(app.db.size()));
    if let Err(error) = events::upkeep::measure(&app).await {
        // The rest is as true as before: an outage is when somebody looks at it.
        tracing::warn!(error = format!("{error:#}"), "the events could not be measured");
    }
    app.metrics.render().into_response()
}
