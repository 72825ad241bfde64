//! Who is calling: the token of a person, checked by the auth service, and the token of the platform's own operators.
//!
//! A token is checked by calling the auth service, through a small cache so that a page of ten requests costs one call.
//! The cache holds the SHA-256 of tokens, never tokens; concurrent first uses of a token share one call; a verdict is
//! forgotten after seconds, which bounds how long a token that was revoked still works. When the auth service is away,
//! cached verdicts hold to their end and everybody else gets a 503: nobody becomes anonymous or trusted by an outage.
use std::time::{Duration, Instant};

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use moka::Expiry;
use moka::future::Cache;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use uuid::Uuid;

use super::App;
use super::errors::Error;

/// How long a yes is believed.
const POSITIVE: Duration = Duration::from_secs(10);
/// How long a no is believed.
const NEGATIVE: Duration = Duration::from_secs(2);
/// Verdicts held at most; about 200 bytes each.
const CAPACITY: u64 = 100_000;
/// One call of the auth service may take this long.
const TIMEOUT: Duration = Duration::from_millis(300);
/// Calls made before the auth service counts as away.
const TRIES: u32 = 2;
/// Idle connections kept to the auth service.
const CONNECTIONS: usize = 16;

/// Settings of the token checks.
#[derive(clap::Args, Clone, Debug)]
pub struct Access {
    /// The auth service's verify-token, as a full URL
    #[arg(
        long,
        env = "AUTHENTICATION_VERIFICATION_URL",
        default_value = "http://127.0.0.1:8000/api/v1/auth/verify-token"
    )]
    pub authentication_verification_url: reqwest::Url,

    /// What operators and other services say on /internal/*; without it nobody may
    #[arg(long, env = "SERVICE_TOKEN", hide_env_values = true)]
    pub service_token: Option<SecretString>,
}

/// The person who calls, as the auth service knows them.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct User {
    pub id: Uuid,
}

#[derive(Clone, Debug)]
enum Verdict {
    Valid(User),
    Invalid,
}

/// The auth service did not answer in time, or not as an auth service does.
#[derive(Debug, thiserror::Error)]
#[error("the auth service cannot be asked: {0}")]
struct Away(String);

struct Believed;

impl Expiry<[u8; 32], Verdict> for Believed {
    fn expire_after_create(&self, _: &[u8; 32], verdict: &Verdict, _: Instant) -> Option<Duration> {
        Some(if matches!(verdict, Verdict::Valid(_)) { POSITIVE } else { NEGATIVE })
    }
}

/// Checks tokens by asking the auth service.
pub struct Verifier {
    access: Access,
    http: reqwest::Client,
    verdicts: Cache<[u8; 32], Verdict>,
}

impl Verifier {
    /// A verifier that has asked nothing yet.
    pub fn new(access: &Access) -> anyhow::Result<Self> {
        let http = reqwest::Client::builder()
            .timeout(TIMEOUT)
            .pool_max_idle_per_host(CONNECTIONS)
            .redirect(reqwest::redirect::Policy::none())
            .build()?;
        let verdicts = Cache::builder().max_capacity(CAPACITY).expire_after(Believed).build();
        Ok(Self { access: access.clone(), http, verdicts })
    }

    async fn user(&self, token: &str) -> Result<User, Error> {
        let key: [u8; 32] = Sha256::digest(token).into();
        match self.verdicts.try_get_with(key, self.ask(token)).await {
            Ok(Verdict::Valid(user)) => Ok(user),
            Ok(Verdict::Invalid) => Err(Error::Refused(StatusCode::UNAUTHORIZED, "Invalid credential")),
            Err(away) => {
                tracing::warn!(error = %away, "a token could not be checked");
                Err(Error::AuthenticationUnavailable)
            }
        }
    }

    async fn ask(&self, token: &str) -> Result<Verdict, Away> {
        let mut last = Away("not tried".into());
        for _ in 0..TRIES {
            match self.ask_once(token).await {
                Ok(verdict) => return Ok(verdict),
                Err(away) => last = away,
            }
        }
        Err(last)
    }

    async fn ask_once(&self, token: &str) -> Result<Verdict, Away> {
        let url = self.access.authentication_verification_url.clone();
        let away = |cause: reqwest::Error| Away(cause.without_url().to_string());
        let answer = self.http.get(url).bearer_auth(token).send().await.map_err(away)?;
        match answer.status() {
            StatusCode::OK => answer.json().await.map(Verdict::Valid).map_err(away),
            status if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS => {
                Err(Away(format!("it answered {status}")))
            }
            _ => Ok(Verdict::Invalid),
        }
    }
}

/// The token of an `Authorization: Bearer …` header; the scheme in any case.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

impl FromRequestParts<App> for User {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Error> {
        let token = bearer(&parts.headers).ok_or(Error::NotAuthenticated)?;
        app.verifier.user(token).await
    }
}

/// An operator, or another service of the platform: whoever knows the service token.
pub struct Operator;

impl FromRequestParts<App> for Operator {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Error> {
        let said = bearer(&parts.headers).ok_or(Error::NotAuthenticated)?;
        let expected = app.settings.security.service_token.as_ref().map(ExposeSecret::expose_secret);
        let knows = expected.is_some_and(|expected| bool::from(expected.as_bytes().ct_eq(said.as_bytes())));
        if knows { Ok(Self) } else { Err(Error::Refused(StatusCode::FORBIDDEN, "Not an operator")) }
    }
}

/// The settings for a test: an auth service of its own, to which every UUID is the valid token of that user, and every
/// other text is none.
#[cfg(test)]
pub async fn stand_in() -> Vec<String> {
    use axum::routing::get;
    use serde_json::json;

    async fn verify_token(headers: HeaderMap) -> axum::response::Response {
        use axum::response::IntoResponse;
        match bearer(&headers).and_then(|token| Uuid::try_parse(token).ok()) {
            Some(id) => axum::Json(json!({ "id": id, "status": "ACTIVE", "total_connections": 0 })).into_response(),
            None => StatusCode::UNAUTHORIZED.into_response(),
        }
    }
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/api/v1/auth/verify-token", listener.local_addr().unwrap());
    let router = axum::Router::new().route("/api/v1/auth/verify-token", get(verify_token));
    tokio_util::task::TaskTracker::new().spawn(async { axum::serve(listener, router).await });
    vec!["--authentication-verification-url".into(), url]
}
