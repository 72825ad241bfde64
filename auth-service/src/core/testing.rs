//! The platform of tests: the service's own router, with a database and a Redis of its own for each test.
pub mod collector;
pub mod counted;
pub mod link;
mod template;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode, header};
use clap::{ArgMatches, FromArgMatches};
use http_body_util::BodyExt;
use metrics_exporter_prometheus::PrometheusBuilder;
use redis::AsyncCommands;
use secrecy::ExposeSecret;
use serde_json::Value;
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Executor, Row};
use std::time::Duration;
use tower::ServiceExt;
use uuid::Uuid;

use crate::core::app::App;
use crate::core::doors::erasure::{self, Eraser};
use crate::core::events::Subscription;
use crate::core::events::consumer::{Consumer, Step};
use crate::core::events::relay::Relay;
use crate::core::ground::database;
use crate::core::ground::redis::RedisAddress;
use crate::core::ground::settings::Base;
use crate::core::ground::worker::{Outcome, Worker};
use crate::core::serve::{Features, Service};
use crate::matrix;

/// Databases of Redis that tests take turns in; the first is kept for counting.
const DATABASES: u32 = 9999;
/// How long a cluster may take to be emptied.
const REDIS_PATIENCE: Duration = Duration::from_secs(10);

/// A service under test.
pub struct Platform {
    pub app: App,
    pub service: &'static Service,
    pub router: Router,
    arguments: Vec<String>,
    subscriptions: Vec<Subscription>,
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
        arguments.extend(matrix::settings().await);
        if !settings.contains(&"--rate-limits") {
            arguments.extend(["--rate-limits".into(), "off".into()]);
        }
        arguments.extend(settings.iter().map(|argument| (*argument).to_owned()));
        let base = Base::from_arg_matches(&parse(service, &arguments)).unwrap();
        arguments.extend(["--redis-url".into(), own_redis(base.redis_url.expose_secret()).await]);
        template::fill(service, &database).await;
        let platform = Self::open(service, arguments);
        let app = &platform.app;
        // A database with a past of its own is migrated; a role behind a pooler gets its settings.
        database::prepare(&app.db, &app.direct, service.schema, service.migrations).await.unwrap();
        platform
    }

    fn open(service: &'static Service, arguments: Vec<String>) -> Self {
        let parsed = parse(service, &arguments);
        let app = service.open(&parsed, PrometheusBuilder::new().build_recorder().handle()).unwrap();
        let mut features = service.build(&app, &parsed).unwrap();
        app.prepared.send_replace(true);
        let router = service.router(&app, &mut features);
        Self { app, service, router, arguments, subscriptions: features.subscriptions }
    }

    /// The same stores, seen by another process of the service, with settings of its own.
    pub fn beside(&self, settings: &[&str]) -> Self {
        let arguments = self.arguments.iter().cloned().chain(settings.iter().map(|&argument| argument.to_owned()));
        Self::open(self.service, arguments.collect())
    }

    /// The settings that it was started with.
    pub fn settings(&self) -> ArgMatches {
        parse(self.service, &self.arguments)
    }

    /// What it does in the background and on a schedule.
    pub fn features(&self) -> Features {
        self.service.build(&self.app, &self.settings()).unwrap()
    }

    /// The streams that it consumes.
    pub fn subscribed(&self) -> Vec<&'static str> {
        self.subscriptions.iter().map(|subscription| subscription.stream).collect()
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

    /// Publishes all that waits in the outbox; what a stream then holds, oldest first.
    pub async fn published(&self, stream: &'static str) -> Vec<Value> {
        Relay::new(&self.app).relay(stream).await.unwrap();
        let entries: redis::streams::StreamRangeReply = self.app.redis.clone().xrange_all(stream).await.unwrap();
        let message = |entry: &redis::streams::StreamId| entry.get::<String>("message").unwrap();
        entries.ids.iter().map(|entry| serde_json::from_str(&message(entry)).unwrap()).collect()
    }

    /// Lets the service erase what it holds about a person, and run the second pass as if a minute had passed.
    pub async fn erase(&self, person: Uuid) {
        let mut tx = self.app.db.begin().await.unwrap();
        erasure::begin(&mut tx, &[person]).await.unwrap();
        tx.commit().await.unwrap();
        for _ in 0..2 {
            self.app.db.execute("update erasure set confirmed_at = confirmed_at - interval '2 minutes'").await.unwrap();
            self.step_erasures().await;
        }
    }

    async fn step_erasures(&self) {
        let mut eraser = Eraser { app: self.app.clone(), erasure: &self.service.erasure };
        while eraser.step().await.unwrap() == Outcome::Busy {
            // What the step has published is relayed, as it would be meanwhile.
            for stream in self.app.publishes {
                self.published(stream).await;
            }
        }
    }

    /// What is held of one kind about a person, as the auth service gets it.
    pub async fn personal_data_of(&self, person: Uuid, kind: &str) -> Vec<Value> {
        let request = Request::get(format!("/internal/people/{person}/{kind}"));
        let request = request.header(header::AUTHORIZATION, "Bearer operator").body(Body::empty()).unwrap();
        let reply = self.send(request).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        serde_json::from_value(reply.body).unwrap()
    }

    /// Where a text is found: in which tables of the service, and under which keys of Redis that are its own.
    pub async fn finds(&self, text: &str) -> Vec<String> {
        let schema = self.service.schema;
        // The parts of a table are found in the table.
        let tables = format!(
            "select format('%I.%I', '{schema}', relname) from pg_class
            where relnamespace = '{schema}'::regnamespace and relkind in ('r', 'p') and not relispartition"
        );
        let tables = self.app.db.fetch_all(AssertSqlSafe(tables)).await.unwrap();
        let mut places = Vec::new();
        for table in tables.iter().map(|row| row.get::<String, _>(0)) {
            let held =
                format!("select exists (select from {table} as held where position('{text}' in held::text) > 0)");
            let held = self.app.db.fetch_one(AssertSqlSafe(held)).await.unwrap();
            places.extend(held.get::<bool, _>(0).then_some(table));
        }
        let mut redis = self.app.redis.clone();
        let keys: Vec<String> = redis.keys("*").await.unwrap();
        for key in keys {
            let kind: String = redis::cmd("TYPE").arg(&key).query_async(&mut redis).await.unwrap();
            let value: redis::Value = match kind.as_str() {
                "stream" if !self.app.publishes.contains(&key.as_str()) => continue,
                "stream" => redis::cmd("XRANGE").arg(&key).arg("-").arg("+").query_async(&mut redis).await.unwrap(),
                "hash" => redis::cmd("HGETALL").arg(&key).query_async(&mut redis).await.unwrap(),
                _ => redis::cmd("GET").arg(&key).query_async(&mut redis).await.unwrap(),
            };
            // Bulk strings print their bytes: escapes of what is not ASCII, itself else.
            places.extend((format!("{value:?}").contains(text) || key.contains(text)).then_some(key));
        }
        places.sort_unstable();
        places
    }

    /// Lets the service consume an event as an original service would publish it, and all that waits before it.
    pub async fn consume(&self, stream: &str, message: &Value) -> Vec<Step> {
        let fields = [("message", message.to_string()), ("type", "json".to_owned())];
        let _: String = self.app.redis.clone().xadd(stream, "*", &fields).await.unwrap();
        self.consume_waiting(stream).await
    }

    /// The consumer of a stream, which holds its lease.
    pub fn consumer_of(&self, stream: &str) -> Consumer {
        let subscription =
            self.subscriptions.iter().find(|subscription| subscription.stream == stream).unwrap().clone();
        Consumer::new(self.app.clone(), subscription, tokio::sync::watch::channel(true).1)
    }

    /// Lets the service consume all that a stream holds.
    pub async fn consume_waiting(&self, stream: &str) -> Vec<Step> {
        let mut consumer = self.consumer_of(stream);
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

/// The token and the id of a new user.
pub fn new_user() -> (String, Uuid) {
    let id = Uuid::now_v7();
    (id.to_string(), id)
}

/// Reads settings; of one that is given twice the last holds.
fn parse(service: &Service, arguments: &[String]) -> ArgMatches {
    service.command().args_override_self(true).try_get_matches_from(arguments).unwrap()
}

/// A database of Redis that no other test uses at the time. A cluster has one, which is emptied: there tests run one after another.
async fn own_redis(url: &str) -> String {
    let address: RedisAddress = url.parse().unwrap();
    if let RedisAddress::Cluster(_) = address {
        let mut cluster = address.connect(REDIS_PATIENCE).await.unwrap();
        redis::cmd("FLUSHALL").query_async::<()>(&mut cluster).await.unwrap();
        return url.to_owned();
    }
    let server =
        url.trim_end_matches(|c: char| c.is_ascii_digit() && url.matches('/').count() > 2).trim_end_matches('/');
    let client = redis::Client::open(format!("{server}/0")).unwrap();
    let turn: u32 = client.get_multiplexed_async_connection().await.unwrap().incr("tests", 1).await.unwrap();
    let own = format!("{server}/{}", 1 + turn % DATABASES);
    let mut connection = redis::Client::open(own.as_str()).unwrap().get_multiplexed_async_connection().await.unwrap();
    redis::cmd("FLUSHDB").query_async::<()>(&mut connection).await.unwrap();
    own
}
