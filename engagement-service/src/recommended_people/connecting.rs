//! Connects a user to a person through the auth service, which owns connections, with the token of the user: what they may not do
//! there, they may not do here.
use axum::http::{HeaderMap, StatusCode};
use uuid::Uuid;

use super::PERSON_NOT_FOUND;
use crate::core::api::errors::{Error, NOT_AUTHENTICATED};
use crate::core::app::App;
use crate::core::app::identity::bearer;
use crate::core::ground::telemetry::spans;

const AWAY: Error = Error::Refused(StatusCode::SERVICE_UNAVAILABLE, "The auth service is unavailable");
const REFUSED: Error = Error::Refused(
    StatusCode::BAD_REQUEST,
    "Can not connect: the caller has blocked the user, or has 10,000 connections",
);

/// Connects the user who sends these headers to a person; who is connected stays so.
pub async fn connect(app: &App, headers: &HeaderMap, person: Uuid) -> Result<(), Error> {
    let token = bearer(headers).ok_or(NOT_AUTHENTICATED)?;
    let auth = app.settings.producers.iter().find(|producer| producer.name == "auth-service").ok_or(AWAY)?;
    let url = format!("{}/api/v1/users/{person}/connect", auth.url);
    let answer = spans::call(app.http.post(url).bearer_auth(token)).await.map_err(|error| {
        tracing::warn!(%error, "a connection could not be asked for");
        AWAY
    })?;
    match answer.status() {
        status if status.is_success() => Ok(()),
        StatusCode::BAD_REQUEST => Err(REFUSED),
        StatusCode::UNAUTHORIZED => Err(Error::Refused(StatusCode::UNAUTHORIZED, "Invalid credential")),
        StatusCode::FORBIDDEN => Err(Error::Refused(StatusCode::FORBIDDEN, "Muted users cannot write")),
        StatusCode::NOT_FOUND => Err(PERSON_NOT_FOUND),
        StatusCode::TOO_MANY_REQUESTS => Err(Error::TooMany(retry_after(answer.headers()))),
        status => {
            tracing::warn!(%status, "a connection was not made");
            Err(AWAY)
        }
    }
}

/// How long the auth service wants to be left alone; a second where it does not say.
fn retry_after(headers: &reqwest::header::HeaderMap) -> std::time::Duration {
    let seconds = headers.get("retry-after").and_then(|value| value.to_str().ok()?.parse().ok());
    std::time::Duration::from_secs(seconds.unwrap_or(1))
}
