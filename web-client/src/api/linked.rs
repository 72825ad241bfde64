//! Accounts elsewhere by which people sign in, as pages show them.
use axum::http::{HeaderMap, Method, StatusCode};
use chrono::{DateTime, Utc};
use reqwest::header;
use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

use super::Caller;
use super::failures::Failure;
use super::people::Tokens;

/// A provider by which people can sign in.
#[derive(Clone, Debug, Deserialize)]
pub struct Provider {
    pub name: String,
    pub title: String,
    /// Whether it says when its people sign in, so that a sign-in by it can be a fresh one.
    #[serde(default)]
    pub fresh: bool,
}

/// An account elsewhere that is linked to the caller's.
#[derive(Clone, Debug, Deserialize)]
pub struct LinkedAccount {
    pub id: Uuid,
    pub provider: String,
    pub name: Option<String>,
    pub email: Option<String>,
    pub linked_at: DateTime<Utc>,
    #[serde(default)]
    pub active: bool,
}

/// A sign-in that is to be finished elsewhere: where, and the cookie by which the browser is known when it comes back.
pub struct Departure {
    pub url: String,
    pub cookies: HeaderMap,
}

/// What a browser has come back with.
pub enum Arrival {
    SignedIn(Tokens),
    Linked,
}

#[derive(Deserialize)]
struct Authorization {
    authorization_url: String,
}

impl Caller {
    /// The providers; none while the API does not answer, since there is another way in.
    pub async fn providers(&self) -> Vec<Provider> {
        self.get(&["auth", "providers"], &[]).await.unwrap_or_else(|failure| {
            tracing::warn!(%failure, "a page without providers");
            Vec::new()
        })
    }

    /// Begins a sign-in (`sign-in`) or a link (`link`) at a provider; a fresh sign-in, where what follows needs one there as well.
    pub async fn depart(&self, provider: &str, purpose: &str, fresh: bool) -> Result<Departure, Failure> {
        let request = self.request(Method::POST, &["auth", "providers", provider, purpose])?;
        let request = if fresh { request.query(&[("fresh", "true")]) } else { request };
        let answer = self.answer(request).await?;
        let lines = answer.headers().get_all(header::SET_COOKIE).into_iter().cloned();
        let cookies = lines.map(|line| (header::SET_COOKIE, line)).collect();
        let Authorization { authorization_url: url } = super::caller::read(answer).await?;
        if !["https://", "http://"].iter().any(|scheme| url.starts_with(scheme)) {
            return Err(Failure::Away("a provider without an address of the web".to_owned()));
        }
        Ok(Departure { url, cookies })
    }

    /// Finishes it with what the provider has sent along, in the browser that has begun it.
    pub async fn arrive(&self, sent: &Value, cookie: &str) -> Result<Arrival, Failure> {
        let request = self.request(Method::POST, &["auth", "providers", "callback"])?.json(sent);
        let answer = self.answer(request.header(header::COOKIE, cookie)).await?;
        if answer.status() == StatusCode::CREATED {
            return Ok(Arrival::Linked);
        }
        super::caller::read(answer).await.map(Arrival::SignedIn)
    }
}
