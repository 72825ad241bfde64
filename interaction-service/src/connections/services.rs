//! Reads the auth service's list of connections.
use reqwest::StatusCode;
use secrecy::ExposeSecret;

use super::schemas::ConnectionPage;
use crate::core::app::App;
use crate::core::ground::telemetry::spans;

/// The page of the list at a cursor. None where there is no such list: no service token is set, the auth service is not among
/// `PRODUCERS`, or it is the original.
pub async fn fetch(app: &App, cursor: &str) -> anyhow::Result<Option<ConnectionPage>> {
    let owner = app.settings.producers.iter().find(|producer| producer.name == "auth-service");
    let (Some(owner), Some(token)) = (owner, app.settings.service_token.as_ref()) else { return Ok(None) };
    let request = app.http.get(format!("{}/internal/read-model/connections", owner.url));
    let request = if cursor.is_empty() { request } else { request.query(&[("cursor", cursor)]) };
    let answer = spans::call(request.bearer_auth(token.expose_secret())).await?;
    if answer.status() == StatusCode::NOT_FOUND {
        return Ok(None);
    }
    Ok(Some(answer.error_for_status()?.json().await?))
}
