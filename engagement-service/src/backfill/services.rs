//! Reads the pages of the services that own what is copied.
use anyhow::Context;
use reqwest::StatusCode;
use secrecy::ExposeSecret;

use super::PAGE_ROWS;
use super::models::Progress;
use super::schemas::CopiedPage;
use crate::core::app::App;
use crate::core::ground::telemetry::spans;

/// The next page of a source; none where its owner has no such rows to read: it is an original service, or not among `PRODUCERS`.
pub async fn fetch(app: &App, progress: &Progress) -> anyhow::Result<Option<CopiedPage>> {
    let owner = progress.source.owner();
    let Some(producer) = app.settings.producers.iter().find(|producer| producer.name == owner) else { return Ok(None) };
    let token = app.settings.service_token.as_ref().context("SERVICE_TOKEN is not set")?;
    let url = format!("{}/internal/read-model/{}", producer.url, progress.source.word());
    let limit = PAGE_ROWS.to_string();
    let mut query = vec![("limit", limit.as_str())];
    query.extend(progress.cursor.as_deref().map(|cursor| ("cursor", cursor)));
    let request = app.http.get(url).query(&query).bearer_auth(token.expose_secret());
    let answer = spans::call(request).await?;
    if answer.status() == StatusCode::NOT_FOUND {
        return Ok(None);
    }
    Ok(Some(answer.error_for_status()?.json().await?))
}
