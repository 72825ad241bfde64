//! Fills a gap: the producer hands out of its outbox what Redis has lost, and the consumer fetches it.
use anyhow::Context;
use secrecy::ExposeSecret;

use crate::core::app::App;
use crate::core::events::outbox::NumberedEvent;
use crate::core::events::{Event, Id};
use crate::core::ground::telemetry::spans;

/// The events of a stream behind an id, in order, from the outbox of the service that publishes it.
pub async fn fetch(app: &App, stream: &str, source: Option<&str>, after: Id) -> anyhow::Result<Vec<Event>> {
    let source = source.context("the entry behind the gap does not name its producer")?;
    let producer = app.settings.producers.iter().find(|producer| producer.name == source);
    let producer = producer.with_context(|| format!("no address of {source} is known; see the setting PRODUCERS"))?;
    let token = app.settings.service_token.as_ref().context("SERVICE_TOKEN is not set")?;
    let request = app
        .http
        .get(format!("{}/internal/events/{stream}", producer.url))
        .query(&[("after", after.to_string())])
        .bearer_auth(token.expose_secret());
    let published: Vec<NumberedEvent> = spans::call(request).await?.error_for_status()?.json().await?;
    let event = |event: NumberedEvent| {
        Ok(Event {
            id: event.id.parse()?,
            prev: Some(event.prev.parse()?),
            event_id: Some(event.event_id),
            source: Some(source.to_owned()),
            occurred_at: event.occurred_at.0,
            version: event.version,
            traceparent: event.traceparent,
            message: event.message.get().to_owned(),
        })
    };
    published.into_iter().map(event).collect()
}
