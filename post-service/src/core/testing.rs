//! What tests speak to: the service's own router, with a database and a Redis of its own for each test.
use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode, header};
use clap::Parser;
use http_body_util::BodyExt;
use metrics_exporter_prometheus::PrometheusBuilder;
use redis::AsyncCommands;
use secrecy::ExposeSecret;
use serde_json::Value;
use sqlx::ConnectOptions;
use sqlx::postgres::PgConnectOptions;
use std::time::Duration;
use tower::ServiceExt;
use uuid::Uuid;

use super::events::consumer::{Consumer, Step};
use super::events::relay::Relay;
use super::{App, Service, database, security};
use crate::settings::Settings;

/// Databases of Redis that tests take turns in; the first is kept for counting.
const DATABASES: u32 = 9999;

/// A service under test.
pub struct Platform {
    pub app: App,
    router: Router,
}

/// An answer.
#[derive(Debug)]
pub struct Reply {
    pub status: StatusCode,
    pub headers: HeaderMap,
    /// The body; null when it is empty or no JSON.
    pub body: Value,
}

impl Platform {
    /// The service with empty stores and these settings beside the needed ones.
    pub async fn start(service: &'static Service, database: PgConnectOptions, settings: &[&str]) -> Self {
        let mut arguments = vec!["test".to_owned(), "--database-url".into(), database.to_url_lossy().to_string()];
        arguments.extend(["--service-token".into(), "operator".into()]);
        arguments.extend(security::stand_in().await);
        if !settings.contains(&"--rate-limits") {
            arguments.extend(["--rate-limits".into(), "off".into()]);
        }
        arguments.extend(settings.iter().map(|argument| (*argument).to_owned()));
        let mut settings = Settings::try_parse_from(arguments).unwrap();
        settings.base.redis_url = own_redis(settings.base.redis_url.expose_secret()).await.into();
        let metrics = PrometheusBuilder::new().build_recorder().handle();
        let app = App::new(service, settings, metrics).unwrap();
        database::prepare(&app.db, service.schema, service.migrations).await.unwrap();
        app.prepared.send_replace(true);
        Self { router: app.router(), app }
    }

    /// Sends a request as it is.
    pub async fn send(&self, request: Request<Body>) -> Reply {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        Reply { status: parts.status, headers: parts.headers, body: serde_json::from_slice(&bytes).unwrap_or_default() }
    }

    /// Sends a request with a token and a body of JSON, where given. The path is the one under `/api/v1`.
    pub async fn call(&self, method: &str, path: &str, token: Option<&str>, body: Option<Value>) -> Reply {
        let mut request = Request::builder().method(method).uri(format!("/api/v1{path}"));
        if let Some(token) = token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
        self.send(request.header(header::CONTENT_TYPE, "application/json").body(body).unwrap()).await
    }

    /// Carries all that was told to Redis; what a stream then holds, oldest first.
    pub async fn told(&self, stream: &'static str) -> Vec<Value> {
        Relay::new(&self.app).relay(stream).await.unwrap();
        let entries: redis::streams::StreamRangeReply = self.app.redis.clone().xrange_all(stream).await.unwrap();
        let message = |entry: &redis::streams::StreamId| entry.get::<String>("message").unwrap();
        entries.ids.iter().map(|entry| serde_json::from_str(&message(entry)).unwrap()).collect()
    }

    /// Lets the service hear an event as an original service would tell it, and all that waits before it.
    pub async fn hear(&self, stream: &str, message: &Value) -> Vec<Step> {
        let fields = [("message", message.to_string()), ("type", "json".to_owned())];
        let _: String = self.app.redis.clone().xadd(stream, "*", &fields).await.unwrap();
        self.listen(stream).await
    }

    /// Lets the service hear all that a stream holds.
    pub async fn listen(&self, stream: &str) -> Vec<Step> {
        let subscription = (self.app.service.listens)().into_iter().find(|heard| heard.stream == stream).unwrap();
        let lease = tokio::sync::watch::channel(true).1;
        let mut consumer = Consumer::new(self.app.clone(), subscription, lease);
        let mut steps = Vec::new();
        loop {
            match consumer.consume(Duration::from_millis(1)).await.unwrap() {
                Step::Nothing => return steps,
                Step::Applied { fresh: 0, duplicates: 0 } => {}
                step => steps.push(step),
            }
        }
    }
}

/// The token of somebody of whom nothing is known yet, and who they are.
pub fn somebody() -> (String, Uuid) {
    let id = Uuid::now_v7();
    (id.to_string(), id)
}

async fn own_redis(url: &str) -> String {
    let server =
        url.trim_end_matches(|c: char| c.is_ascii_digit() && url.matches('/').count() > 2).trim_end_matches('/');
    let client = redis::Client::open(format!("{server}/0")).unwrap();
    let turn: u32 = client.get_multiplexed_async_connection().await.unwrap().incr("tests", 1).await.unwrap();
    let own = format!("{server}/{}", 1 + turn % DATABASES);
    let mut connection = redis::Client::open(own.as_str()).unwrap().get_multiplexed_async_connection().await.unwrap();
    redis::cmd("FLUSHDB").query_async::<()>(&mut connection).await.unwrap();
    own
}
