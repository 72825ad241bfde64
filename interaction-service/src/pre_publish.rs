//! Asks moderation about a text before it is published, where `PRE_PUBLISH` says so.
//!
//! Moderation reads every text after it was published, and hides what breaks the rules; that takes a moment in which it is seen.
//! With this check the same verdict comes first, and the author is told at once. It is a call over the network, so it is made
//! outside of any transaction, once, and for two seconds at most. What happens when moderation does not answer is a choice between
//! two harms, which the operator makes: the text is published and read afterwards as ever (`open`), or refused for now (`closed`).
//!
//! This file is the same text in every service that publishes texts.
use std::time::Duration;

use anyhow::Context;
use axum::http::StatusCode;
use clap::{Args, ValueEnum};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::json;

use crate::core::api::errors::Error;
use crate::core::contract::fields::invalid;
use crate::core::ground::http_client;
use crate::core::ground::settings::Base;
use crate::core::ground::telemetry::spans;

/// Where moderation is asked.
const PATH: &str = "api/v1/analyze";
/// What the texts of this service become, for rules about one audience. This file is the same in each service that publishes texts.
const AUDIENCE: &str = if matches!(env!("CARGO_PKG_NAME").as_bytes(), b"post-service") { "POST" } else { "COMMENT" };
/// Idle connections kept.
const MAX_IDLE_CONNECTIONS: usize = 16;
/// The code of the refusal, by which a client knows it from other invalid input.
const REFUSED: &str = "content_refused";

/// Whether moderation is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Switch {
    On,
    Off,
}

/// What happens to a text that moderation could not be asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum FailureMode {
    /// It is published, and read afterwards.
    Open,
    /// It is refused with 503.
    Closed,
}

/// Settings of the check.
#[derive(Args, Clone, Debug)]
pub struct PrePublishSettings {
    /// Whether moderation is asked about a text before it is published
    #[arg(long, env = "PRE_PUBLISH", value_enum, default_value_t = Switch::Off)]
    pub pre_publish: Switch,

    /// What happens to a text when moderation does not answer: open publishes it, closed refuses it with 503
    #[arg(long, env = "PRE_PUBLISH_FAILURE", value_enum, default_value_t = FailureMode::Open)]
    pub pre_publish_failure: FailureMode,

    /// How long moderation is waited for, in milliseconds
    #[arg(long, env = "PRE_PUBLISH_TIMEOUT", default_value_t = 2_000, value_parser = clap::value_parser!(u64).range(1..=2_000))]
    pub pre_publish_timeout: u64,

    /// The moderation service, as a URL without a path
    #[arg(long, env = "MODERATION_URL", default_value = "http://127.0.0.1:8003")]
    pub moderation_url: reqwest::Url,
}

/// The way to moderation; none when it is not asked.
pub struct PrePublish(Option<Moderator>);

struct Moderator {
    url: reqwest::Url,
    http: reqwest::Client,
    token: SecretString,
    failure: FailureMode,
}

/// What moderation says, as far as it is read here.
#[derive(Deserialize)]
struct ModerationAnswer {
    results: Vec<ModerationResult>,
}

#[derive(Deserialize)]
struct ModerationResult {
    verdict: String,
    reason: Option<String>,
}

/// Moderation did not answer in time, or gave an unexpected answer.
#[derive(Debug, thiserror::Error)]
#[error("moderation is unreachable: {0}")]
struct ModerationUnreachable(String);

impl PrePublish {
    /// The check that the settings describe; it makes no call yet.
    pub fn new(settings: &PrePublishSettings, base: &Base) -> anyhow::Result<Self> {
        if settings.pre_publish == Switch::Off {
            return Ok(Self(None));
        }
        let token = base.service_token.clone();
        let timeout = Duration::from_millis(settings.pre_publish_timeout);
        Ok(Self(Some(Moderator {
            url: settings.moderation_url.join(PATH).context("MODERATION_URL")?,
            http: http_client::builder().timeout(timeout).pool_max_idle_per_host(MAX_IDLE_CONNECTIONS).build()?,
            token: token.context("PRE_PUBLISH=on needs SERVICE_TOKEN, with which moderation is asked")?,
            failure: settings.pre_publish_failure,
        })))
    }

    /// Refuses a text that moderation would hide, if it is to be public, which is only asked where moderation is. `field` is where
    /// the author wrote it.
    pub async fn check(
        &self,
        field: &str,
        text: &str,
        is_public: impl Future<Output = Result<bool, Error>>,
    ) -> Result<(), Error> {
        let Some(moderator) = &self.0 else { return Ok(()) };
        if !is_public.await? {
            return Ok(());
        }
        let outcome = |outcome: &'static str| {
            metrics::counter!("pre_publish_checks_total", "outcome" => outcome).increment(1);
        };
        match moderator.ask(text).await {
            Ok(ModerationResult { verdict, .. }) if verdict != "HIDE" => {
                outcome("allowed");
                Ok(())
            }
            Ok(ModerationResult { reason, .. }) => {
                outcome("refused");
                let reason = reason.map(|reason| json!({ "reason": reason }));
                let sentence = "this text breaks the rules of the platform and was not published";
                Err(Error::Invalid(vec![invalid(&["body", field], sentence, REFUSED, reason)]))
            }
            Err(unreachable) => {
                tracing::warn!(error = %unreachable, "a text was not checked before it is published");
                outcome("unavailable");
                let closed = Error::Refused(StatusCode::SERVICE_UNAVAILABLE, "Moderation service unavailable");
                if moderator.failure == FailureMode::Closed { Err(closed) } else { Ok(()) }
            }
        }
    }
}

impl Moderator {
    async fn ask(&self, text: &str) -> Result<ModerationResult, ModerationUnreachable> {
        let unreachable = |cause: reqwest::Error| ModerationUnreachable(cause.without_url().to_string());
        let request = self.http.post(self.url.clone()).bearer_auth(self.token.expose_secret());
        let answer =
            spans::call(request.json(&json!({ "text": text, "audience": AUDIENCE }))).await.map_err(unreachable)?;
        if answer.status() != StatusCode::OK {
            return Err(ModerationUnreachable(format!("it answered {}", answer.status())));
        }
        let ModerationAnswer { results } = answer.json().await.map_err(unreachable)?;
        results.into_iter().next().ok_or_else(|| ModerationUnreachable("it answered without a result".to_owned()))
    }
}

/// A stub of moderation for tests: it hides texts with a bad word, and does not answer about those with a slow one.
#[cfg(test)]
pub mod stub {
    use std::sync::{Arc, Mutex};

    use axum::http::{HeaderMap, StatusCode, header};
    use axum::response::{IntoResponse, Response};
    use axum::routing::post;
    use serde_json::{Value, json};

    /// The texts that the stub was asked about.
    pub type Texts = Arc<Mutex<Vec<String>>>;

    /// Starts the stub: its address, and what it is asked.
    pub async fn start() -> (String, Texts) {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let texts = Texts::default();
        let asked = texts.clone();
        let answer =
            move |headers: HeaderMap, axum::Json(body): axum::Json<Value>| answer(asked.clone(), headers, body);
        let router = axum::Router::new().route("/api/v1/analyze", post(answer));
        tokio_util::task::TaskTracker::new().spawn(async { axum::serve(listener, router).await });
        (url, texts)
    }

    async fn answer(asked: Texts, headers: HeaderMap, body: Value) -> Response {
        let text = body["text"].as_str().unwrap().to_owned();
        asked.lock().unwrap().push(text.clone());
        if headers[header::AUTHORIZATION] != "Bearer operator" || text.contains("broken") {
            return StatusCode::FORBIDDEN.into_response();
        }
        if text.contains("slow") {
            std::future::pending::<()>().await;
        }
        let hides = text.contains("bad");
        let (verdict, reason) = if hides { ("HIDE", json!("OFFENSIVE_CONTENT")) } else { ("ALLOW", Value::Null) };
        axum::Json(json!({ "results": [{ "verdict": verdict, "reason": reason }] })).into_response()
    }
}
