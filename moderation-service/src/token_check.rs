//! Checks tokens by calling the auth service, through a small cache so that a page of ten requests costs one call.
//!
//! The cache holds the SHA-256 of tokens, never tokens; concurrent first uses of a token share one call. A verdict expires
//! after seconds, which bounds how long a revoked token still works, and is dropped at once when an event reports a change of
//! its user. While the auth service is unavailable, cached verdicts stay valid until they expire and every other caller gets
//! a 503: an outage makes no caller anonymous or trusted.
//!
//! Every replica has its own cache, so each replica follows those events itself. This file is the same text in every
//! service but the auth service, which looks up its own sessions instead.
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::http::StatusCode;
use axum::http::request::Parts;
use chrono::Utc;
use clap::{ArgMatches, Args, FromArgMatches};
use futures::FutureExt;
use futures::future::BoxFuture;
use moka::future::Cache;
use moka::{Entry, Expiry};
use sha2::{Digest, Sha256};
use sqlx::PgPool;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use uuid::Uuid;

use crate::core::api::errors::{Error, NOT_AUTHENTICATED};
use crate::core::app::identity::{Authenticate, User, bearer};
use crate::core::ground::http_client;
use crate::core::ground::telemetry::spans;

/// How long a valid verdict is cached.
const VALID_TTL: Duration = Duration::from_secs(10);
/// How long an invalid verdict is cached.
const INVALID_TTL: Duration = Duration::from_secs(2);
/// The largest number of cached verdicts; about 200 bytes each.
const CACHE_CAPACITY: u64 = 100_000;
/// The timeout of one call of the auth service.
const TIMEOUT: Duration = Duration::from_millis(300);
/// Calls made before the auth service counts as unavailable.
const MAX_TRIES: u32 = 2;
/// Idle connections kept to the auth service.
const MAX_IDLE_CONNECTIONS: usize = 16;
/// The streams whose events invalidate the verdicts about a user; each event has the user's id.
const INVALIDATING_STREAMS: [&str; 3] = ["session_revoked", "user_updated", "user_deleted"];

/// The answer while the auth service is unavailable; the sentence is the original's, letter by letter.
const UNAVAILABLE: Error = Error::Challenged(StatusCode::SERVICE_UNAVAILABLE, "Authetication service unavailable");

/// Settings of the check.
#[derive(Args, Clone, Debug)]
pub struct TokenCheck {
    /// The auth service's verify-token, as a full URL
    #[arg(
        long,
        env = "AUTHENTICATION_VERIFICATION_URL",
        default_value = "http://127.0.0.1:8000/api/v1/auth/verify-token"
    )]
    pub authentication_verification_url: reqwest::Url,
}

/// The auth service's verdict on a token.
#[derive(Clone, Debug)]
enum Verdict {
    Valid(User),
    Invalid,
}

/// The auth service did not answer in time, or gave an unexpected answer.
#[derive(Debug, thiserror::Error)]
#[error("the auth service is unreachable: {0}")]
struct Unreachable(String);

/// When a cached verdict expires.
struct VerdictExpiry;

impl Expiry<[u8; 32], Verdict> for VerdictExpiry {
    fn expire_after_create(&self, _: &[u8; 32], verdict: &Verdict, _: Instant) -> Option<Duration> {
        Some(match verdict {
            Verdict::Invalid => INVALID_TTL,
            Verdict::Valid(user) => user.expires_at.map_or(VALID_TTL, |end| {
                let left = (end - Utc::now()).to_std().unwrap_or(Duration::ZERO);
                left.min(VALID_TTL)
            }),
        })
    }
}

/// Checks tokens by calling the auth service.
pub struct TokenChecker {
    url: reqwest::Url,
    http: reqwest::Client,
    verdicts: Cache<[u8; 32], Verdict>,
}

/// The security scheme that the API description shows.
pub fn scheme() -> SecurityScheme {
    SecurityScheme::Http(HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("JWT").build())
}

/// A token checker with these settings; it makes no call yet.
pub fn authenticator(arguments: &ArgMatches, _: &PgPool) -> anyhow::Result<Arc<dyn Authenticate>> {
    Ok(Arc::new(TokenChecker::new(TokenCheck::from_arg_matches(arguments)?)?))
}

impl TokenChecker {
    fn new(settings: TokenCheck) -> anyhow::Result<Self> {
        let http = http_client::builder().timeout(TIMEOUT).pool_max_idle_per_host(MAX_IDLE_CONNECTIONS).build()?;
        let verdicts = Cache::builder()
            .max_capacity(CACHE_CAPACITY)
            .expire_after(VerdictExpiry)
            .support_invalidation_closures()
            .build();
        Ok(Self { url: settings.authentication_verification_url, http, verdicts })
    }

    async fn check(&self, token: &str) -> Result<User, Error> {
        let key: [u8; 32] = Sha256::digest(token).into();
        let verdict = self.verdicts.entry(key).or_try_insert_with(self.fetch_verdict(token)).await;
        let outcome = match &verdict {
            Ok(entry) if entry.is_fresh() => "asked",
            Ok(_) => "hit",
            Err(_) => "unreachable",
        };
        metrics::counter!("token_checks_total", "outcome" => outcome).increment(1);
        match verdict.map(Entry::into_value) {
            Ok(Verdict::Valid(user)) => Ok(user),
            Ok(Verdict::Invalid) => Err(Error::Refused(StatusCode::UNAUTHORIZED, "Invalid credential")),
            Err(unreachable) => {
                tracing::warn!(error = %unreachable, "a token could not be checked");
                Err(UNAVAILABLE)
            }
        }
    }

    async fn fetch_verdict(&self, token: &str) -> Result<Verdict, Unreachable> {
        let mut last = Unreachable("not tried".into());
        for _ in 0..MAX_TRIES {
            match self.fetch_verdict_once(token).await {
                Ok(verdict) => return Ok(verdict),
                Err(unreachable) => last = unreachable,
            }
        }
        Err(last)
    }

    async fn fetch_verdict_once(&self, token: &str) -> Result<Verdict, Unreachable> {
        let unreachable = |cause: reqwest::Error| Unreachable(cause.without_url().to_string());
        let answer = spans::call(self.http.get(self.url.clone()).bearer_auth(token)).await.map_err(unreachable)?;
        match answer.status() {
            StatusCode::OK => answer.json().await.map(Verdict::Valid).map_err(unreachable),
            status if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS => {
                Err(Unreachable(format!("it answered {status}")))
            }
            _ => Ok(Verdict::Invalid),
        }
    }
}

impl Authenticate for TokenChecker {
    fn authenticate<'a>(&'a self, request: &'a Parts) -> BoxFuture<'a, Result<User, Error>> {
        async { self.check(bearer(&request.headers).ok_or(NOT_AUTHENTICATED)?).await }.boxed()
    }

    fn invalidating_streams(&self) -> &'static [&'static str] {
        &INVALIDATING_STREAMS
    }

    fn forget(&self, user: Option<Uuid>) -> anyhow::Result<()> {
        let Some(user) = user else {
            self.verdicts.invalidate_all();
            return Ok(());
        };
        let concerned =
            move |_: &[u8; 32], verdict: &Verdict| matches!(verdict, Verdict::Valid(known) if known.id == user);
        Ok(self.verdicts.invalidate_entries_if(concerned).map(drop)?)
    }
}

/// Starts a stub of the auth service and returns the settings that lead to it. Its valid tokens are UUIDs, each of the user
/// with that id, followed by `:STATUS` and `:ROLE` where they are not the usual ones.
#[cfg(test)]
pub async fn start_stub_auth_service() -> Vec<String> {
    use axum::http::HeaderMap;
    use axum::response::{IntoResponse, Response};
    use axum::routing::get;
    use serde_json::json;

    async fn verify_token(headers: HeaderMap) -> Response {
        let mut words = bearer(&headers).unwrap_or_default().split(':');
        let id = words.next().and_then(|word| Uuid::try_parse(word).ok());
        let (status, role) = (words.next().unwrap_or("ACTIVE"), words.next().unwrap_or("USER"));
        match id.filter(|_| status != "BANNED") {
            Some(id) => axum::Json(json!({ "id": id, "status": status, "role": role })).into_response(),
            None => StatusCode::UNAUTHORIZED.into_response(),
        }
    }
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/api/v1/auth/verify-token", listener.local_addr().unwrap());
    let router = axum::Router::new().route("/api/v1/auth/verify-token", get(verify_token));
    tokio_util::task::TaskTracker::new().spawn(async { axum::serve(listener, router).await });
    vec!["--authentication-verification-url".into(), url]
}

#[cfg(test)]
mod tests {
    use axum::extract::FromRequestParts;
    use axum::http::{Method, Request, header};
    use redis::AsyncCommands;
    use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

    use super::*;
    use crate::SERVICE;
    use crate::core::app::App;
    use crate::core::app::identity::Role;
    use crate::core::doors::callers::verdict_follower;
    use crate::core::ground::worker::Worker;
    use crate::core::testing::Platform;
    use crate::core::testing::counted::Counted;

    async fn user(app: &App, method: Method, token: &str) -> Result<User, Error> {
        let request = Request::builder().method(method).header(header::AUTHORIZATION, format!("Bearer {token}"));
        let (mut parts, ()) = request.body(()).unwrap().into_parts();
        User::from_request_parts(&mut parts, app).await
    }

    #[sqlx::test(migrations = false)]
    async fn a_muted_user_reads_and_deletes_but_does_not_write(_: PgPoolOptions, database: PgConnectOptions) {
        let app = Platform::start(&SERVICE, database, &[]).await.app;
        let token = format!("{}:MUTED", Uuid::now_v7());
        for method in [Method::GET, Method::DELETE] {
            assert_eq!(user(&app, method, &token).await.unwrap().role, Role::User);
        }
        for method in [Method::POST, Method::PUT, Method::PATCH] {
            let refused = user(&app, method, &token).await;
            assert!(
                matches!(refused, Err(Error::Refused(StatusCode::FORBIDDEN, "Muted users cannot write"))),
                "{refused:?}"
            );
        }
        let banned = user(&app, Method::GET, &format!("{}:BANNED", Uuid::now_v7())).await;
        assert!(matches!(banned, Err(Error::Refused(StatusCode::UNAUTHORIZED, _))), "{banned:?}");
        let moderator = user(&app, Method::GET, &format!("{}:ACTIVE:MODERATOR", Uuid::now_v7())).await.unwrap();
        assert!(moderator.role > Role::User && moderator.role < Role::Admin);
    }

    /// Checks the tokens of two users and returns which checks called the auth service.
    async fn check_calls(app: &App, ids: [Uuid; 2]) -> [bool; 2] {
        let mut asked = [false; 2];
        for (id, asked) in ids.into_iter().zip(&mut asked) {
            let counted = Counted::begin();
            user(app, Method::GET, &id.to_string()).await.unwrap();
            *asked = counted.text().contains("token_checks_total{outcome=\"asked\"} 1");
        }
        asked
    }

    #[sqlx::test(migrations = false)]
    async fn an_event_about_a_user_drops_the_cached_verdict(_: PgPoolOptions, database: PgConnectOptions) {
        let app = Platform::start(&SERVICE, database, &[]).await.app;
        let [anna, bert] = [(); 2].map(|()| Uuid::now_v7());
        for (stream, name) in INVALIDATING_STREAMS.into_iter().zip(["user_id", "id", "id"]) {
            let mut follower = verdict_follower(&app, stream);
            follower.begin().await.unwrap();
            check_calls(&app, [anna, bert]).await;
            let message = serde_json::json!({ name: anna, "reason": "a test" }).to_string();
            let _: String =
                app.redis.clone().xadd(stream, "*", &[("message", message.as_str()), ("type", "json")]).await.unwrap();
            follower.step().await.unwrap();
            assert_eq!(check_calls(&app, [anna, bert]).await, [true, false], "{stream}");
        }
        verdict_follower(&app, "user_updated").begin().await.unwrap();
        assert_eq!(
            check_calls(&app, [anna, bert]).await,
            [true; 2],
            "a follower that may have missed events clears the cache"
        );
    }

    #[sqlx::test(migrations = false)]
    async fn checks_are_counted_by_their_outcome(_: PgPoolOptions, database: PgConnectOptions) {
        let platform = Platform::start(&SERVICE, database, &[]).await;
        let alone = platform.beside(&["--authentication-verification-url", "http://127.0.0.1:1/verify-token"]).app;
        let counted = Counted::begin();
        let token = Uuid::now_v7().to_string();
        for _ in 0..3 {
            user(&platform.app, Method::GET, &token).await.unwrap();
        }
        assert!(matches!(
            user(&alone, Method::GET, &token).await,
            Err(Error::Challenged(StatusCode::SERVICE_UNAVAILABLE, _))
        ));
        for (outcome, checks) in [("asked", 1), ("hit", 2), ("unreachable", 1)] {
            counted.assert(&format!("token_checks_total{{outcome=\"{outcome}\"}} {checks}"));
        }
    }
}
