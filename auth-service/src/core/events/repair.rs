//! Fills a gap: the producer hands out of its outbox what Redis has lost, and the consumer fetches it.
use anyhow::Context;
use reqwest::StatusCode;
use secrecy::ExposeSecret;

use crate::core::app::App;
use crate::core::events::outbox::NumberedEvent;
use crate::core::events::{Event, Id};
use crate::core::ground::telemetry::spans;

/// The events of a stream behind an id, in order, from the outbox of the service that publishes it; none when no service
/// does. The entry behind the gap names its source; in case that is not true, the others are asked too.
pub async fn fetch(app: &App, stream: &str, source: Option<&str>, after: Id) -> anyhow::Result<Vec<Event>> {
    let token = app.settings.service_token.as_ref().context("SERVICE_TOKEN is not set")?;
    let (named, others): (Vec<_>, Vec<_>) =
        app.settings.producers.iter().partition(|producer| Some(producer.name.as_str()) == source);
    for producer in named.into_iter().chain(others) {
        let url = format!("{}/internal/events/{stream}", producer.url);
        let request = app.http.get(url).query(&[("after", after.to_string())]).bearer_auth(token.expose_secret());
        let answer = spans::call(request).await?;
        if answer.status() != StatusCode::NOT_FOUND {
            return decode(&producer.name, answer.error_for_status()?.json().await?);
        }
    }
    Ok(Vec::new())
}

fn decode(source: &str, published: Vec<NumberedEvent>) -> anyhow::Result<Vec<Event>> {
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
