//! Fills a gap: fetches from the producer's outbox what Redis has lost.
use anyhow::{Context, bail};
use chrono::{DateTime, Utc};
use secrecy::ExposeSecret;
use serde::Deserialize;
use serde_json::value::RawValue;
use uuid::Uuid;

use super::{Event, Id};
use crate::core::App;
use crate::core::telemetry::spans;

/// An event as `GET /internal/events/{stream}` hands it out.
#[derive(Deserialize)]
struct Told {
    id: String,
    prev: String,
    event_id: Uuid,
    version: i16,
    occurred_at: DateTime<Utc>,
    traceparent: Option<String>,
    message: Box<RawValue>,
}

/// The events of a stream behind an id, in order, from the outbox of the service that tells it.
pub async fn fetch(app: &App, stream: &str, source: Option<&str>, after: Id) -> anyhow::Result<Vec<Event>> {
    let source = source.context("the entry behind the gap does not say who told it")?;
    let base = &app.settings.base;
    let Some(producer) = base.producers.iter().find(|producer| producer.name == source) else {
        bail!("no address of {source} is known; see the setting PRODUCERS");
    };
    let token = app.settings.security.service_token.as_ref().context("SERVICE_TOKEN is not set")?;
    let request = app
        .http
        .get(format!("{}/internal/events/{stream}", producer.url))
        .query(&[("after", after.to_string())])
        .bearer_auth(token.expose_secret());
    let told: Vec<Told> = spans::call(request).await?.error_for_status()?.json().await?;
    let event = |told: Told| {
        Ok(Event {
            id: told.id.parse()?,
            prev: Some(told.prev.parse()?),
            event_id: Some(told.event_id),
            source: Some(source.to_owned()),
            occurred_at: told.occurred_at,
            version: told.version,
            traceparent: told.traceparent,
            message: told.message.get().to_owned(),
        })
    };
    told.into_iter().map(event).collect()
}
