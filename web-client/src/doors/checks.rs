//! Health: whether the process answers, and whether the API does behind it.
use std::process::ExitCode;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::app::{self, App};
use crate::ground::settings::{Probe, Settings};

/// How long the gateway, or this process, may take to say that it lives.
const PATIENCE: Duration = Duration::from_secs(2);

/// `GET /health/live`
pub async fn live() -> Json<Value> {
    Json(json!({ "live": true }))
}

/// `GET /health/ready`: with the gateway; a page can be shown without one service, and none without all of them.
pub async fn ready(State(app): State<App>) -> (StatusCode, Json<Value>) {
    let asked =
        app.http.get(app.settings.api_url.join("/health/live").unwrap_or_else(|_| app.settings.api_url.clone()));
    let answer = asked.timeout(PATIENCE).send().await;
    let gateway = answer.is_ok_and(|answer| answer.status().is_success());
    let status = if gateway { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(json!({ "ready": gateway, "gateway": gateway })))
}

/// Asks the process that runs on this host and port.
pub async fn ask(settings: &Settings, probe: Probe) -> ExitCode {
    let path = if probe == Probe::Live { "live" } else { "ready" };
    let host = if settings.host.is_unspecified() { "127.0.0.1".to_owned() } else { settings.host.to_string() };
    app::provide_tls();
    let answer = reqwest::Client::new()
        .get(format!("http://{host}:{}/health/{path}", settings.port))
        .timeout(PATIENCE)
        .send()
        .await;
    if answer.is_ok_and(|answer| answer.status().is_success()) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
