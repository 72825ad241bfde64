//! A body of JSON as Google's APIs read it: names in `camelCase` or `snake_case`, null for what is not given, unknown names refused.
use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::StatusCode;
use serde::de::DeserializeOwned;

use super::refusals::Refusal;
use crate::core::contract::extract::BODY_LIMIT;

/// A body that was read.
pub struct GoogleJson<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for GoogleJson<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refusal> {
        let body = Bytes::from_request(request, state).await.map_err(|rejection| match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => Refusal::TooLarge(BODY_LIMIT),
            _ => Refusal::Payload("The body broke off.".to_owned()),
        })?;
        serde_json::from_slice(&body).map(Self).map_err(|cause| Refusal::Payload(format!("{cause}.")))
    }
}
