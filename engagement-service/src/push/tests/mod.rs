//! Push notifications, through local push services that check what they get and answer as they are asked to.
mod apns;
mod configuration;
mod deliveries;
mod fcm;
mod renewal;
mod web_push;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri, Version};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use clap::FromArgMatches;
use serde_json::{Value, json};
use sqlx::Row;
use sqlx::postgres::PgConnectOptions;
use tokio::sync::{Notify, Semaphore};
use uuid::Uuid;

use super::channels::PushChannels;
use super::schedulers::PushSender;
use super::signals::{PushRequest, request};
use crate::SERVICE;
use crate::core::ground::worker::{Outcome, Worker};
use crate::core::testing::Platform;
use crate::devices::Provider;
use crate::settings::Settings;

/// The private key of Web Push in tests, RFC 8291's for the sender.
const VAPID_KEY: &str = "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw";

/// A request that a push service got.
#[derive(Clone, Debug)]
struct Taken {
    version: Version,
    path: String,
    headers: HeaderMap,
    body: Bytes,
}

impl Taken {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).unwrap_or_else(|| panic!("no {name}")).to_str().unwrap()
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

/// What a push service is to answer.
#[derive(Clone, Debug)]
enum Planned {
    Answer(StatusCode, Vec<(&'static str, String)>, Value),
    /// It takes the request and never answers.
    Silence,
    /// It answers 201 when the test says so.
    Held,
}

fn answer(status: u16) -> Planned {
    Planned::Answer(StatusCode::from_u16(status).unwrap(), Vec::new(), Value::Null)
}

fn answer_with(status: u16, headers: &[(&'static str, &str)], body: Value) -> Planned {
    let headers = headers.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
    Planned::Answer(StatusCode::from_u16(status).unwrap(), headers, body)
}

/// A push service on this machine.
#[derive(Clone)]
struct PushService(Arc<Inner>);

struct Inner {
    url: String,
    taken: Mutex<Vec<Taken>>,
    plan: Mutex<VecDeque<Planned>>,
    /// One more request has arrived.
    arrived: Notify,
    /// Answers that may be given to held requests.
    released: Semaphore,
}

impl PushService {
    /// Answers 201 unless it is asked to answer otherwise.
    async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (taken, plan) = (Mutex::default(), Mutex::default());
        let service = Self(Arc::new(Inner { url, taken, plan, arrived: Notify::new(), released: Semaphore::new(0) }));
        let router = Router::new().fallback(take).with_state(service.clone());
        tokio_util::task::TaskTracker::new().spawn(async { axum::serve(listener, router).await });
        service
    }

    fn url(&self) -> &str {
        &self.0.url
    }

    /// The answers to the next requests.
    fn plan(&self, answers: impl IntoIterator<Item = Planned>) {
        self.0.plan.lock().unwrap().extend(answers);
    }

    /// What it got since it was asked last.
    fn taken(&self) -> Vec<Taken> {
        std::mem::take(&mut self.0.taken.lock().unwrap())
    }
}

async fn take(
    State(service): State<PushService>,
    version: Version,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    service.0.taken.lock().unwrap().push(Taken { version, path: uri.path().to_owned(), headers, body });
    let planned = service.0.plan.lock().unwrap().pop_front();
    service.0.arrived.notify_one();
    match planned.unwrap_or_else(|| answer(201)) {
        Planned::Answer(status, headers, body) => {
            let body = if body.is_null() { Body::empty() } else { Body::from(body.to_string()) };
            let mut response = (status, body).into_response();
            for (name, value) in headers {
                response.headers_mut().insert(name, value.parse().unwrap());
            }
            response
        }
        Planned::Silence => std::future::pending().await,
        Planned::Held => {
            service.0.released.acquire().await.unwrap().forget();
            StatusCode::CREATED.into_response()
        }
    }
}

/// The service with Web Push, and endpoints on this machine.
async fn with_web_push(database: PgConnectOptions) -> Platform {
    let settings = [
        "--vapid-private-key",
        VAPID_KEY,
        "--vapid-subject",
        "mailto:operators@example.org",
        "--push-allow-private",
        "true",
    ];
    Platform::start(&SERVICE, database, &settings).await
}

fn channels(platform: &Platform) -> PushChannels {
    let settings = Settings::from_arg_matches(&platform.settings()).unwrap();
    PushChannels::new(&settings.push, platform.app.settings.environment).unwrap()
}

/// The sender of a provider.
fn sender(platform: &Platform, provider: Provider) -> PushSender {
    let channel = channels(platform).all.into_iter().find(|channel| channel.provider() == provider);
    PushSender::new(&platform.app, channel.unwrap())
}

/// Sends what is due.
async fn send(platform: &Platform, provider: Provider) {
    let mut sender = sender(platform, provider);
    while sender.step().await.unwrap() == Outcome::Busy {}
}

/// Registers a device, and returns its id.
async fn register(platform: &Platform, token: &str, device: Value) -> Uuid {
    let reply = platform.call("POST", "/me/devices", Some(token), Some(device)).await;
    assert_eq!(reply.status, 201, "{reply:?}");
    reply.body["id"].as_str().unwrap().parse().unwrap()
}

/// A browser with the keys of RFC 8291's example, subscribed at a push service.
fn browser(service: &PushService, name: &str) -> Value {
    json!({
        "provider": "WEB_PUSH",
        "endpoint": format!("{}/push/{name}", service.url()),
        "expirationTime": null,
        "keys": {
            "p256dh": "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
            "auth": "BTBZMqHH6r4Tts7J_aSIgg",
        },
    })
}

/// What a user is to read of a notification; the deliveries that were written.
async fn push_at(platform: &Platform, user: Uuid, notification: Uuid, body: &str, at: Option<DateTime<Utc>>) -> u64 {
    let mut tx = platform.app.db.begin().await.unwrap();
    let asked = PushRequest {
        notification_id: notification,
        user_id: user,
        title: "Ann commented on your post",
        body,
        url: "/posts/1",
        collapse_key: "comments:1",
        named: &[],
        not_before: at,
    };
    let written = request(&mut tx, &channels(platform), &asked).await.unwrap();
    platform.app.commit(tx).await.unwrap();
    written
}

/// The same at once, about a new notification; its id.
async fn push(platform: &Platform, user: Uuid, body: &str) -> Uuid {
    let notification = Uuid::now_v7();
    assert!(push_at(platform, user, notification, body, None).await > 0, "no delivery was written");
    notification
}

/// A delivery as far as tests look at it.
#[derive(Debug, PartialEq)]
struct Seen {
    state: String,
    status: Option<i16>,
    tries: i32,
    /// Seconds until it is tried again.
    due: f64,
    error: Option<String>,
    /// Whether it still has words.
    has_words: bool,
}

/// All deliveries, oldest first.
async fn deliveries(platform: &Platform) -> Vec<Seen> {
    let rows = sqlx::raw_sql(
        "select state, status, tries, extract(epoch from due_at - now())::float8, error, title is not null or body is not null
        from push_delivery order by created_at, id",
    );
    let rows = rows.fetch_all(&platform.app.db).await.unwrap();
    let seen = |row: &sqlx::postgres::PgRow| Seen {
        state: row.get(0),
        status: row.get(1),
        tries: row.get(2),
        due: row.get(3),
        error: row.get(4),
        has_words: row.get(5),
    };
    rows.iter().map(seen).collect()
}

/// The only delivery.
async fn delivery(platform: &Platform) -> Seen {
    let mut all = deliveries(platform).await;
    assert_eq!(all.len(), 1, "{all:?}");
    all.remove(0)
}

async fn count(platform: &Platform, table: &'static str) -> usize {
    let rows = sqlx::raw_sql(sqlx::AssertSqlSafe(format!("select from {table}"))).fetch_all(&platform.app.db);
    rows.await.unwrap().len()
}

async fn run(platform: &Platform, sql: &'static str) {
    sqlx::raw_sql(sql).execute(&platform.app.db).await.unwrap();
}

/// What comes of a delivery to a device, with that answer of its push service: the delivery, and whether the device is kept.
async fn outcome(
    platform: &Platform,
    service: &PushService,
    provider: Provider,
    device: &Value,
    planned: Planned,
) -> (Seen, bool) {
    let (token, user) = crate::core::testing::new_user();
    register(platform, &token, device.clone()).await;
    service.plan([planned]);
    push(platform, user, "Well said").await;
    assert_eq!(sender(platform, provider).step().await.unwrap(), Outcome::Busy);
    let outcome = (delivery(platform).await, count(platform, "device").await == 1);
    run(platform, "truncate push_delivery, device").await;
    service.taken();
    outcome
}

/// The answers that mean the same everywhere.
async fn common_answers_are_understood(platform: &Platform, service: &PushService, provider: Provider, device: &Value) {
    let at =
        |seconds| (Utc::now() + chrono::TimeDelta::seconds(seconds)).format("%a, %d %b %Y %H:%M:%S GMT").to_string();
    for (status, retry_after, state, due) in [
        (201, None, "SENT", 0.0..61.0),
        (200, None, "SENT", 0.0..61.0),
        (410, None, "GONE", 0.0..61.0),
        (429, None, "WAITING", 5.0..15.1),
        (429, Some("120".to_owned()), "WAITING", 115.0..120.1),
        (429, Some(at(300)), "WAITING", 290.0..300.1),
        (429, Some("86400".into()), "WAITING", 3590.0..3600.1),
        (429, Some("soon".into()), "WAITING", 5.0..15.1),
        (500, None, "WAITING", 5.0..15.1),
        (502, None, "WAITING", 5.0..15.1),
        (503, Some("60".into()), "WAITING", 55.0..60.1),
        (400, None, "FAILED", 0.0..61.0),
        (403, None, "FAILED", 0.0..61.0),
        (307, None, "FAILED", 0.0..61.0),
    ] {
        let headers: Vec<_> = retry_after.iter().map(|value| ("retry-after", value.as_str())).collect();
        let planned = answer_with(status, &headers, Value::Null);
        let (seen, kept) = outcome(platform, service, provider, device, planned).await;
        let what = format!("{status} {retry_after:?}: {seen:?}");
        assert_eq!((seen.state.as_str(), kept), (state, state != "GONE"), "{what}");
        assert_eq!(seen.status, Some(i16::try_from(status).unwrap()), "{what}");
        assert_eq!(seen.has_words, state == "WAITING", "{what}");
        assert!(due.contains(&seen.due), "{what}");
    }
    let (seen, kept) = outcome(platform, service, provider, device, Planned::Silence).await;
    assert_eq!((seen.state.as_str(), seen.status, kept), ("WAITING", None, true), "{seen:?}");
    assert!((5.0..15.1).contains(&seen.due) && seen.error.is_some(), "{seen:?}");
}

/// A message that is too large goes once more, without its body; what its push service then got.
async fn a_message_that_is_too_large_shrinks_once(
    platform: &Platform,
    service: &PushService,
    provider: Provider,
    device: &Value,
) -> Taken {
    let (token, user) = crate::core::testing::new_user();
    register(platform, &token, device.clone()).await;
    service.plan([answer(413), answer(201), answer(413), answer(413)]);
    push(platform, user, "Well said").await;
    send(platform, provider).await;
    let seen = delivery(platform).await;
    assert_eq!((seen.state.as_str(), seen.tries), ("SENT", 2), "{seen:?}");
    let smaller = service.taken().pop().unwrap();
    push(platform, user, "Well said").await;
    send(platform, provider).await;
    let seen = deliveries(platform).await.pop().unwrap();
    assert_eq!((seen.state.as_str(), seen.tries, seen.status), ("FAILED", 2, Some(413)), "{seen:?}");
    smaller
}
