//! Access tokens of linked accounts, from the auth service, which alone stores them.
use std::time::Duration;

use axum::http::StatusCode;
use chrono::Utc;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use uuid::Uuid;

use super::PROVIDER;
use super::sources::pause;
use crate::core::app::App;
use crate::core::ground::telemetry::spans;

/// The sentence of the auth service (`NOT_LINKED` in its `linked_accounts/broker.rs`) for a person without a link. The status alone
/// is no proof of that: a provider that is not configured there is a 404 as well, and so is the route in a release without it.
const NOT_LINKED: &str = "The user has no account of this provider linked";

/// What the auth service has for a person.
pub enum Brokered {
    Token(SecretString),
    /// The person has no account of the provider linked.
    NotLinked,
    /// The provider does not accept the link any more, until its person signs in by it.
    Refused,
    /// The provider has had too many requests, and wants to be left alone for so long.
    TooMany(Duration),
    /// The auth service or the provider is away, or refreshes the token just now.
    Away(String),
}

#[derive(Deserialize)]
struct BrokeredAnswer {
    access_token: String,
}

#[derive(Deserialize)]
struct BrokerRefusal {
    detail: String,
}

/// A fresh access token of a person.
pub async fn fresh_token(app: &App, person: Uuid) -> Brokered {
    let Some(auth) = app.settings.producers.iter().find(|producer| producer.name == "auth-service") else {
        return Brokered::Away("no auth-service among PRODUCERS".into());
    };
    let Some(service_token) = &app.settings.service_token else {
        return Brokered::Away("SERVICE_TOKEN is not set".into());
    };
    let url = format!("{}/internal/linked-accounts/{person}/{PROVIDER}/token", auth.url);
    let answer = match spans::call(app.http.get(url).bearer_auth(service_token.expose_secret())).await {
        Ok(answer) => answer,
        Err(cause) => return Brokered::Away(cause.to_string()),
    };
    match answer.status() {
        StatusCode::NOT_FOUND => match answer.json::<BrokerRefusal>().await {
            Ok(refusal) if refusal.detail == NOT_LINKED => Brokered::NotLinked,
            Ok(refusal) => Brokered::Away(refusal.detail),
            Err(cause) => Brokered::Away(cause.to_string()),
        },
        StatusCode::CONFLICT => Brokered::Refused,
        StatusCode::TOO_MANY_REQUESTS => Brokered::TooMany(pause(answer.headers(), Utc::now())),
        status if status.is_success() => match answer.json::<BrokeredAnswer>().await {
            Ok(answer) => Brokered::Token(answer.access_token.into()),
            Err(cause) => Brokered::Away(cause.to_string()),
        },
        status => Brokered::Away(status.to_string()),
    }
}
