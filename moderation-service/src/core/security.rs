//! Who is calling: the token of a person, checked by the auth service, and the token of the platform's own operators.
//!
//! A token is checked by calling the auth service, through a small cache so that a page of ten requests costs one call.
//! The cache holds the SHA-256 of tokens, never tokens; concurrent first uses of a token share one call; a verdict is
//! forgotten after seconds, which bounds how long a token that was revoked still works, and at once when an event says that
//! something about its person has changed. When the auth service is away, cached verdicts hold to their end and everybody
//! else gets a 503: nobody becomes anonymous or trusted by an outage.
//!
//! Every replica has a cache of its own, so each follows those events by itself.
use std::time::{Duration, Instant};

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode, header};
use chrono::{DateTime, Utc};
use moka::future::Cache;
use moka::{Entry, Expiry};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use uuid::Uuid;

use super::errors::Error;
use super::events::follower::Follower;
use super::telemetry::{spans, trace};
use super::{App, outgoing, worker};

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

/// What tells that verdicts about a person are out of date; each has the person's id.
const EVICTING: [&str; 3] = ["session_revoked", "user_updated", "user_deleted"];

/// What a person may do beyond their own things.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Role {
    #[default]
    User,
    /// May delete what others wrote.
    Moderator,
    Admin,
}

/// Whether a person may write.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Status {
    #[default]
    Active,
    /// The address was never verified.
    Inactive,
    /// May read and delete, and write nothing.
    Muted,
    /// Has no valid token; the auth service says no before anybody hears of this.
    Banned,
}

/// The person who calls, as the auth service knows them. An auth service of the original tells no role.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct User {
    pub id: Uuid,
    #[serde(default)]
    pub role: Role,
    #[serde(default)]
    status: Status,
    /// The end of the token, where it has one.
    #[serde(default)]
    expires_at: Option<DateTime<Utc>>,
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
        Some(match verdict {
            Verdict::Invalid => NEGATIVE,
            Verdict::Valid(user) => user.expires_at.map_or(POSITIVE, |end| {
                let left = (end - Utc::now()).to_std().unwrap_or(Duration::ZERO);
                left.min(POSITIVE)
            }),
        })
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
        let http = outgoing::client().timeout(TIMEOUT).pool_max_idle_per_host(CONNECTIONS).build()?;
        let verdicts =
            Cache::builder().max_capacity(CAPACITY).expire_after(Believed).support_invalidation_closures().build();
        Ok(Self { access: access.clone(), http, verdicts })
    }

    async fn user(&self, token: &str) -> Result<User, Error> {
        let key: [u8; 32] = Sha256::digest(token).into();
        let verdict = self.verdicts.entry(key).or_try_insert_with(self.ask(token)).await;
        let outcome = match &verdict {
            Ok(entry) if entry.is_fresh() => "asked",
            Ok(_) => "hit",
            Err(_) => "unreachable",
        };
        metrics::counter!("token_checks_total", "outcome" => outcome).increment(1);
        match verdict.map(Entry::into_value) {
            Ok(Verdict::Valid(user)) => Ok(user),
            Ok(Verdict::Invalid) => Err(Error::Refused(StatusCode::UNAUTHORIZED, "Invalid credential")),
            Err(away) => {
                tracing::warn!(error = %away, "a token could not be checked");
                Err(Error::AuthenticationUnavailable)
            }
        }
    }

    /// Forgets what it believes about a person.
    fn forget(&self, person: Uuid) -> anyhow::Result<()> {
        let about = move |_: &[u8; 32], verdict: &Verdict| matches!(verdict, Verdict::Valid(user) if user.id == person);
        self.verdicts.invalidate_entries_if(about)?;
        Ok(())
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
        let answer = spans::call(self.http.get(url).bearer_auth(token)).await.map_err(away)?;
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
        // What was found out for a limit or a key holds for the handler of the same request.
        if let Some(user) = parts.extensions.get::<Self>() {
            return Ok(user.clone());
        }
        let token = bearer(&parts.headers).ok_or(Error::NotAuthenticated)?;
        let user = app.verifier.user(token).await?;
        trace::note_caller(user.id, &format!("{:?}", user.role));
        // Here and not in the handlers, so that a route which forgets it cannot be written.
        let writes = matches!(parts.method, Method::POST | Method::PUT | Method::PATCH);
        if writes && user.status == Status::Muted {
            return Err(Error::Refused(StatusCode::FORBIDDEN, "Muted users cannot write"));
        }
        parts.extensions.insert(user.clone());
        Ok(user)
    }
}

/// Starts to follow what makes verdicts out of date.
pub fn start(app: &App) {
    for stream in EVICTING {
        app.tasks.spawn(worker::run(app.clone(), follower(app, stream)));
    }
}

/// Whatever a replica may have missed costs it all that it believes.
fn follower(app: &App, stream: &'static str) -> Follower {
    Follower::new(app, stream, heard, |app| app.verifier.verdicts.invalidate_all())
}

/// What is read of an event about a person: an account's own id, or the person whose session ended.
#[derive(Deserialize)]
struct About {
    user_id: Option<Uuid>,
    id: Option<Uuid>,
}

fn heard(app: &App, message: &str) -> anyhow::Result<()> {
    let about: About = serde_json::from_str(message)?;
    about.user_id.or(about.id).map_or(Ok(()), |person| app.verifier.forget(person))
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

/// The settings for a test: an auth service of its own, to which a UUID is the valid token of that user, with `:STATUS` and
/// `:ROLE` behind it where they are not the usual ones, and every other text is none.
#[cfg(test)]
pub async fn stand_in() -> Vec<String> {
    use axum::routing::get;
    use serde_json::json;

    async fn verify_token(headers: HeaderMap) -> axum::response::Response {
        use axum::response::IntoResponse;
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
    use redis::AsyncCommands;
    use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

    use super::*;
    use crate::SERVICE;
    use crate::core::testing::Platform;
    use crate::core::testing::counted::Counted;
    use crate::core::worker::Worker;

    async fn user(app: &App, method: Method, token: &str) -> Result<User, Error> {
        let request =
            axum::http::Request::builder().method(method).header(header::AUTHORIZATION, format!("Bearer {token}"));
        let (mut parts, ()) = request.body(()).unwrap().into_parts();
        User::from_request_parts(&mut parts, app).await
    }

    #[sqlx::test(migrations = false)]
    async fn a_muted_person_reads_and_deletes_and_does_not_write(_: PgPoolOptions, database: PgConnectOptions) {
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

    #[sqlx::test(migrations = false)]
    async fn an_event_about_somebody_makes_their_verdict_forgotten(_: PgPoolOptions, database: PgConnectOptions) {
        let app = Platform::start(&SERVICE, database, &[]).await.app;
        let [anna, bert] = [(); 2].map(|()| Uuid::now_v7());
        let key = |id: Uuid| <[u8; 32]>::from(Sha256::digest(id.to_string()));
        for (stream, name) in EVICTING.into_iter().zip(["user_id", "id", "id"]) {
            let mut follower = follower(&app, stream);
            follower.begin().await.unwrap();
            for id in [anna, bert] {
                user(&app, Method::GET, &id.to_string()).await.unwrap();
            }
            let message = serde_json::json!({ name: anna, "reason": "a test" }).to_string();
            let _: String =
                app.redis.clone().xadd(stream, "*", &[("message", message.as_str()), ("type", "json")]).await.unwrap();
            follower.step().await.unwrap();
            let believed = [anna, bert].map(|id| app.verifier.verdicts.contains_key(&key(id)));
            assert_eq!(believed, [false, true], "{stream}");
        }
        follower(&app, "user_updated").begin().await.unwrap();
        assert!(!app.verifier.verdicts.contains_key(&key(bert)), "what it may have missed costs everything");
    }

    #[sqlx::test(migrations = false)]
    async fn it_is_counted_which_verdicts_were_known_and_which_had_to_be_asked_for(
        _: PgPoolOptions,
        database: PgConnectOptions,
    ) {
        let platform = Platform::start(&SERVICE, database, &[]).await;
        let nobody = "http://127.0.0.1:1/verify-token".parse().unwrap();
        let alone = platform.beside(|settings| settings.security.authentication_verification_url = nobody).app;
        let counted = Counted::begin();
        let token = Uuid::now_v7().to_string();
        for _ in 0..3 {
            user(&platform.app, Method::GET, &token).await.unwrap();
        }
        assert!(matches!(user(&alone, Method::GET, &token).await, Err(Error::AuthenticationUnavailable)));
        for (outcome, checks) in [("asked", 1), ("hit", 2), ("unreachable", 1)] {
            counted.assert(&format!("token_checks_total{{outcome=\"{outcome}\"}} {checks}"));
        }
    }

    #[test]
    fn no_verdict_outlives_its_token() {
        let verdict =
            |expires_at| Verdict::Valid(User { id: Uuid::nil(), role: Role::User, status: Status::Active, expires_at });
        let believed = |verdict| Believed.expire_after_create(&[0; 32], &verdict, Instant::now()).unwrap();
        assert_eq!(believed(verdict(None)), POSITIVE);
        assert_eq!(believed(verdict(Some(Utc::now() + POSITIVE * 2))), POSITIVE);
        let soon = believed(verdict(Some(Utc::now() + Duration::from_secs(3))));
        assert!(soon <= Duration::from_secs(3) && soon > Duration::from_secs(2), "{soon:?}");
        assert_eq!(believed(verdict(Some(Utc::now()))), Duration::ZERO);
        assert_eq!(believed(Verdict::Invalid), NEGATIVE);
    }
}
