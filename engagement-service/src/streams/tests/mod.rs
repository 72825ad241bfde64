//! Streams, as their clients see them.
mod bounds;
mod memory;
mod news;
mod resuming;

use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode, header};
use axum::response::Response;
use futures::StreamExt;
use http_body_util::BodyExt;
use serde_json::{Value, json};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use tower::ServiceExt;

use super::schedulers::Announcer;
use super::{FEED_NEWS, NOTIFICATIONS_NEWS};
use crate::core::ground::worker::{Outcome, Worker};
use crate::core::testing::Platform;
use crate::notifications::tests::{Scene, Someone};

/// How long anything here may take before the test fails.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// A message of a stream. Comments have no event.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sent {
    pub event: String,
    pub id: Option<i64>,
    pub data: Value,
}

impl Sent {
    pub fn read(frame: &str) -> Self {
        let mut sent = Self::default();
        for (name, value) in frame.lines().filter_map(|line| line.split_once(':')) {
            match name {
                "event" => value.trim().clone_into(&mut sent.event),
                "id" => sent.id = Some(value.trim().parse().unwrap()),
                "data" => sent.data = serde_json::from_str(value).unwrap(),
                _ => {}
            }
        }
        sent
    }
}

/// A client of a stream.
pub struct Client {
    body: futures::stream::BoxStream<'static, Vec<u8>>,
    read: String,
    pub headers: HeaderMap,
}

impl Client {
    /// Opens a stream; the refusal when there is none.
    pub async fn open(router: &Router, token: &str, last: Option<i64>) -> Result<Self, (StatusCode, Value)> {
        let mut request = Request::get("/api/v1/me/notifications/stream");
        request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        if let Some(last) = last {
            request = request.header("last-event-id", last);
        }
        let response = router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        if response.status() != 200 {
            let (parts, body) = response.into_parts();
            let body = body.collect().await.unwrap().to_bytes();
            return Err((parts.status, serde_json::from_slice(&body).unwrap()));
        }
        Ok(Self::of(response))
    }

    /// A client that reads an answer.
    pub fn of(response: Response) -> Self {
        let (parts, body) = response.into_parts();
        let body = body.into_data_stream().map(|part| part.unwrap().to_vec()).boxed();
        Self { body, read: String::new(), headers: parts.headers }
    }

    /// The next message, comments and the time of retry among them; none when the stream has ended.
    pub async fn next_frame(&mut self) -> Option<Sent> {
        loop {
            if let Some((frame, rest)) = self.read.split_once("\n\n") {
                let sent = Sent::read(frame);
                self.read = rest.to_owned();
                return Some(sent);
            }
            let part = tokio::time::timeout(PATIENCE, self.body.next()).await.expect("the stream is silent")?;
            self.read.push_str(&String::from_utf8(part).unwrap());
        }
    }

    /// The next event.
    pub async fn next(&mut self) -> Option<Sent> {
        loop {
            match self.next_frame().await {
                Some(sent) if sent.event.is_empty() => {}
                sent => return sent,
            }
        }
    }

    /// Reads events until one of that name.
    pub async fn until(&mut self, event: &str) -> Sent {
        loop {
            let sent = self.next().await.expect("the stream ended");
            if sent.event == event {
                return sent;
            }
        }
    }
}

/// Announces what changed, as the worker does after a commit.
pub async fn announce(platform: &Platform) {
    let mut announcer = Announcer(platform.app.clone());
    while announcer.step().await.unwrap() == Outcome::Busy {}
}

fn unread(count: i64) -> Sent {
    Sent { event: "unread".to_owned(), id: None, data: json!({ "unread": count }) }
}

#[sqlx::test(migrations = false)]
async fn changes_are_sent_with_their_numbers_and_the_unread_count(_: PgPoolOptions, database: PgConnectOptions) {
    let scene = Scene::start(database).await;
    let (ann, bert) = (scene.person("Ann").await, scene.person("Bert").await);
    let post = scene.publish(&ann).await;
    scene.react(&bert, post, 1).await;
    let mut client = Client::open(&scene.router, &ann.token, None).await.unwrap();
    assert_eq!(client.headers["content-type"], "text/event-stream");
    assert_eq!(client.headers["x-accel-buffering"], "no");
    assert_eq!(client.next().await, Some(unread(1)), "a stream begins now");

    let comment = scene.comment(&bert, post, 2).await;
    announce(&scene).await;
    let sent = client.next().await.unwrap();
    assert_eq!((sent.event.as_str(), sent.id), ("notification", Some(2)));
    assert_eq!(sent.data, scene.notifications(&ann).await[0], "it is as in the list");
    assert_eq!(client.next().await, Some(unread(2)));

    scene.view_all(&ann).await;
    announce(&scene).await;
    let viewed = [client.next().await.unwrap(), client.next().await.unwrap()];
    assert_eq!(
        viewed.each_ref().map(|sent| (sent.id, &sent.data["status"])),
        [(Some(3), &json!("VIEWED")), (Some(4), &json!("VIEWED"))]
    );
    assert_eq!(client.next().await, Some(unread(0)));

    scene.consume(crate::comments::events::COMMENT_DELETED, &comment).await;
    announce(&scene).await;
    let withdrawn = client.next().await.unwrap();
    assert_eq!((withdrawn.id, &withdrawn.data), (Some(5), &json!({ "id": sent.data["id"], "withdrawn": true })));
    scene.app.stop.cancel();
    assert_eq!(client.next().await, None, "a stop ends it at once");
}

/// What a reader does not want listed any more is not counted in the streams that are open, either.
#[sqlx::test(migrations = false)]
async fn the_unread_count_follows_what_its_reader_wants_listed(_: PgPoolOptions, database: PgConnectOptions) {
    let scene = Scene::start(database).await;
    let (ann, bert) = (scene.person("Ann").await, scene.person("Bert").await);
    let post = scene.publish(&ann).await;
    scene.react(&bert, post, 1).await;
    announce(&scene).await;
    let mut client = Client::open(&scene.router, &ann.token, None).await.unwrap();
    assert_eq!(client.next().await, Some(unread(1)));
    for (is_listed, count) in [(false, 0), (true, 1)] {
        let chosen = json!({ "types": { "POST_REACTION_RECEIVED": { "in_app": is_listed } } });
        let reply = scene.call("PATCH", "/me/notification-preferences", Some(&ann.token), Some(chosen)).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        announce(&scene).await;
        assert_eq!(client.next().await, Some(unread(count)));
    }
}

#[sqlx::test(migrations = false)]
async fn news_of_the_feed_are_passed_on(_: PgPoolOptions, database: PgConnectOptions) {
    let scene = Scene::start(database).await;
    let (ann, bert) = (scene.person("Ann").await, scene.person("Bert").await);
    let mut client = Client::open(&scene.router, &ann.token, None).await.unwrap();
    assert_eq!(client.next().await, Some(unread(0)));
    let mut others = Client::open(&scene.router, &bert.token, None).await.unwrap();
    assert_eq!(others.next().await, Some(unread(0)));
    let publish = async |channel: &str, reader: &Someone| {
        let ids = [uuid::Uuid::nil().into_bytes(), reader.id.into_bytes()].concat();
        let mut publish = redis::cmd("PUBLISH");
        publish.arg(channel).arg(ids);
        let _: u64 = publish.query_async(&mut scene.app.redis.clone()).await.unwrap();
    };
    // Until the listener has subscribed, a message is lost.
    let sent = loop {
        publish(FEED_NEWS, &ann).await;
        if let Ok(sent) = tokio::time::timeout(Duration::from_millis(50), client.next()).await {
            break sent;
        }
    };
    assert_eq!(sent, Some(Sent { event: "feed".to_owned(), id: None, data: json!({}) }));
    // Being woken without a reason sends nothing.
    publish(NOTIFICATIONS_NEWS, &bert).await;
    publish(FEED_NEWS, &bert).await;
    assert_eq!(others.next().await.unwrap().event, "feed");
}

#[sqlx::test(migrations = false)]
async fn a_stream_may_end_by_itself_and_wrong_options_are_refused(_: PgPoolOptions, database: PgConnectOptions) {
    let scene = Scene::start(database).await;
    let ann = scene.person("Ann").await;
    let get = |query: &str, last: &str| {
        let request = Request::get(format!("/api/v1/me/notifications/stream{query}"));
        let request = request.header(header::AUTHORIZATION, format!("Bearer {}", ann.token));
        let request = request.header("last-event-id", last).body(Body::empty()).unwrap();
        scene.send(request)
    };
    let reply = get("?seconds=0", "0").await;
    assert_eq!((reply.status.as_u16(), &reply.body), (200, &Value::Null), "it has ended");
    for (query, last, place) in [
        ("?seconds=-1", "0", "seconds"),
        ("", "x", "Last-Event-ID"),
        ("", "-1", "Last-Event-ID"),
        ("?after=x", "0", "after"),
    ] {
        let reply = get(query, last).await;
        assert_eq!((reply.status.as_u16(), &reply.body["detail"][0]["loc"][1]), (422, &json!(place)));
    }
}
