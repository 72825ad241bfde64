//! Calls of providers: bounded in time and size, without redirects, and never into a private network.
use std::time::Duration;

use axum::http::{HeaderMap, StatusCode, header};
use chrono::{DateTime, Utc};
use futures::FutureExt;
use futures::future::BoxFuture;
use oauth2::{AsyncHttpClient, HttpRequest, HttpResponse};
use reqwest::{RequestBuilder, Url};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::addresses::AddressGuard;
use crate::core::api::errors::Error;
use crate::core::ground::http_client;

/// The longest that a call of a provider may take, whatever the settings say, its connection and its whole answer included.
pub const LONGEST_CALL: Duration = Duration::from_secs(8);
/// How long a connection to a provider may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// The largest answer that is read, in bytes: key sets and discovery documents have some 10 KiB.
const LARGEST_ANSWER: usize = 1024 * 1024;
/// What the service calls itself; GitHub's API demands a name.
const USER_AGENT: &str = "social-network auth-service";
/// How long a provider is left alone that has had too many requests, where it does not say, and at most.
const USUAL_PAUSE: Duration = Duration::from_secs(30);
const LONGEST_PAUSE: Duration = Duration::from_hours(24);

/// Why a provider was of no use. The texts are for the log, and hold no token and no word of a person.
#[derive(Debug, thiserror::Error)]
pub enum ProviderFault {
    /// It does not answer, or not as the protocol has it: the same may succeed later.
    #[error("away: {0}")]
    Away(String),
    /// It has had too many requests of this platform, and wants to be left alone for so long.
    #[error("too many requests; again in {} s", .0.as_secs())]
    TooMany(Duration),
    /// It does not accept what it was given: a code, a token, or this client.
    #[error("refused: {0}")]
    Refused(String),
    /// What it answered is not about this sign-in, or cannot be trusted.
    #[error("not valid: {0}")]
    Invalid(String),
}

impl ProviderFault {
    /// A word for it, in metrics.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Away(_) => "away",
            Self::TooMany(_) => "too_many",
            Self::Refused(_) => "refused",
            Self::Invalid(_) => "invalid",
        }
    }
}

impl From<ProviderFault> for Error {
    fn from(fault: ProviderFault) -> Self {
        match fault {
            ProviderFault::Away(_) | ProviderFault::TooMany(_) => {
                Self::Refused(StatusCode::BAD_GATEWAY, "The provider does not answer as it should; try again later")
            }
            ProviderFault::Refused(_) => {
                Self::Refused(StatusCode::BAD_REQUEST, "The provider does not accept this sign-in; begin again")
            }
            ProviderFault::Invalid(_) => Self::Refused(
                StatusCode::BAD_REQUEST,
                "The provider's answer is not valid for this sign-in; begin again",
            ),
        }
    }
}

impl From<super::addresses::AddressRefusal> for ProviderFault {
    fn from(refusal: super::addresses::AddressRefusal) -> Self {
        Self::Away(refusal.to_string())
    }
}

/// The client with which providers are called.
#[derive(Clone)]
pub struct ProviderHttp {
    client: reqwest::Client,
    /// What its addresses are checked with.
    pub guard: AddressGuard,
}

impl ProviderHttp {
    /// A client whose calls take so long at most.
    pub fn new(guard: AddressGuard, timeout: Duration) -> anyhow::Result<Self> {
        // Through a proxy, the proxy would look the names up, and not the guard.
        let client = http_client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(timeout)
            .user_agent(USER_AGENT)
            .no_proxy()
            .dns_resolver(guard)
            .https_only(!guard.allow_private)
            .build()?;
        Ok(Self { client, guard })
    }

    /// A request of this client, to be sent by [`send`](Self::send).
    pub fn request(&self, method: reqwest::Method, url: &Url) -> RequestBuilder {
        self.client.request(method, url.clone()).header(header::ACCEPT, "application/json")
    }

    /// Sends a request and reads its answer, which is an answer of the protocol: neither a redirect nor a failure of the
    /// server.
    pub async fn send(&self, request: RequestBuilder) -> Result<HttpResponse, ProviderFault> {
        let away = |cause: reqwest::Error| {
            let kind = if cause.is_timeout() { "no answer in time" } else { "no connection, or a broken answer" };
            ProviderFault::Away(kind.to_owned())
        };
        let mut response = request.send().await.map_err(away)?;
        let status = response.status();
        if status == StatusCode::TOO_MANY_REQUESTS {
            return Err(ProviderFault::TooMany(pause(response.headers(), Utc::now())));
        }
        if status.is_redirection() || status.is_server_error() {
            return Err(ProviderFault::Away(format!("status {}", status.as_u16())));
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(away)? {
            if body.len() + chunk.len() > LARGEST_ANSWER {
                return Err(ProviderFault::Away("the answer is too large".to_owned()));
            }
            body.extend_from_slice(&chunk);
        }
        let mut answer = HttpResponse::new(body);
        *answer.status_mut() = status;
        *answer.headers_mut() = std::mem::take(response.headers_mut());
        Ok(answer)
    }

    /// Sends a request of the `oauth2` crate.
    async fn exchange(&self, request: HttpRequest) -> Result<HttpResponse, ProviderFault> {
        let refused = |_| ProviderFault::Away("a request cannot be written".to_owned());
        let request = reqwest::Request::try_from(request).map_err(refused)?;
        let mut answer = self.send(RequestBuilder::from_parts(self.client.clone(), request)).await?;
        // GitHub answers errors of OAuth with 200.
        let is_error = |body: &[u8]| {
            let body: Value = serde_json::from_slice(body).unwrap_or_default();
            body.get("error").is_some() && body.get("access_token").is_none()
        };
        if answer.status() == StatusCode::OK && is_error(answer.body()) {
            *answer.status_mut() = StatusCode::BAD_REQUEST;
        }
        Ok(answer)
    }

    /// What a document of JSON says, for the owner of a token where one is given.
    pub async fn get<T: DeserializeOwned>(&self, url: &Url, token: Option<&str>) -> Result<T, ProviderFault> {
        let mut request = self.request(reqwest::Method::GET, url);
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        let answer = self.send(request).await?;
        if answer.status() != StatusCode::OK {
            return Err(ProviderFault::Refused(format!("status {}", answer.status().as_u16())));
        }
        let kind = answer.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let essence = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        if essence != "application/json" && !(essence.starts_with("application/") && essence.ends_with("+json")) {
            return Err(ProviderFault::Away("the answer is no JSON".to_owned()));
        }
        serde_json::from_slice(answer.body()).map_err(|_| ProviderFault::Away("a document has another form".to_owned()))
    }
}

/// How long a provider wants to be left alone: `Retry-After` in seconds or as a date (RFC 9110, section 10.2.3).
fn pause(headers: &HeaderMap, now: DateTime<Utc>) -> Duration {
    let said = headers.get(header::RETRY_AFTER).and_then(|value| value.to_str().ok());
    let by_date = |text: &str| (DateTime::parse_from_rfc2822(text).ok()?.with_timezone(&Utc) - now).to_std().ok();
    let said = said.and_then(|text| text.parse().ok().map(Duration::from_secs).or_else(|| by_date(text)));
    said.unwrap_or(USUAL_PAUSE).clamp(Duration::from_secs(1), LONGEST_PAUSE)
}

impl<'c> AsyncHttpClient<'c> for ProviderHttp {
    type Error = ProviderFault;
    type Future = BoxFuture<'c, Result<HttpResponse, ProviderFault>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        self.exchange(request).boxed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_is_read_in_seconds_and_as_a_date_and_has_bounds() {
        let now = "2026-11-20T12:00:00Z".parse().unwrap();
        let read = |text: &'static str| {
            let headers = HeaderMap::from_iter([(header::RETRY_AFTER, text.parse().unwrap())]);
            pause(&headers, now).as_secs()
        };
        assert_eq!(pause(&HeaderMap::new(), now), USUAL_PAUSE);
        assert_eq!((read("77"), read("0"), read("999999999")), (77, 1, 86_400));
        assert_eq!(read("Fri, 20 Nov 2026 12:02:00 GMT"), 120);
        assert_eq!((read("Fri, 20 Nov 2026 11:00:00 GMT"), read("soon"), read("-5")), (30, 30, 30));
    }
}
