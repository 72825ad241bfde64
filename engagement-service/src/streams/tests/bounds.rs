//! How many streams there may be, and what ends them.
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use chrono::{DateTime, TimeDelta, Utc};
use clap::FromArgMatches;
use redis::AsyncCommands;
use serde_json::json;
use sqlx::Executor;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::{Client, PATIENCE};
use crate::core::app::identity::bearer;
use crate::core::serve::connections::ConnectionLimits;
use crate::core::testing::Platform;
use crate::notifications::tests::{Scene, Someone};
use crate::settings::Settings;
use crate::streams::live::check_interval;

/// Opens a stream as soon as one may be opened.
async fn open_in_time(platform: &Platform, reader: &Someone) -> Client {
    let opened = async {
        loop {
            if let Ok(client) = Client::open(&platform.router, &reader.token, None).await {
                return client;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, opened).await.expect("no stream may be opened")
}

#[sqlx::test(migrations = false)]
async fn a_person_has_five_streams_over_all_replicas(_: PgPoolOptions, database: PgConnectOptions) {
    let scene = Scene::start(database).await;
    let other = scene.beside(&[]);
    let (ann, bert) = (scene.person("Ann").await, scene.person("Bert").await);
    let mut open = Vec::new();
    for replica in [&*scene, &other, &scene, &other, &scene] {
        open.push(Client::open(&replica.router, &ann.token, None).await.ok().unwrap());
    }
    for replica in [&*scene, &other] {
        let (status, problem) = Client::open(&replica.router, &ann.token, None).await.err().unwrap();
        assert_eq!((status.as_u16(), &problem["detail"]), (429, &json!("At most 5 streams at the same time")));
    }
    assert!(Client::open(&other.router, &bert.token, None).await.is_ok(), "each has their own five");
    open.pop();
    open_in_time(&other, &ann).await;

    // A replica that died renews no lease.
    let key = format!("streams:{}", bert.id);
    let past = Utc::now().timestamp_millis() - 1;
    let dead: Vec<_> = (0..5).map(|number| (past, format!("dead {number}"))).collect();
    let _: u64 = scene.app.redis.clone().zadd_multiple(&key, &dead).await.unwrap();
    assert!(Client::open(&scene.router, &bert.token, None).await.is_ok());
}

#[sqlx::test(migrations = false)]
async fn while_redis_is_away_each_process_counts_its_own(_: PgPoolOptions, database: PgConnectOptions) {
    let scene = Scene::start(database).await;
    let ann = scene.person("Ann").await;
    let alone = scene.beside(&["--redis-url", "redis://127.0.0.1:1"]);
    let mut open = Vec::new();
    for _ in 0..5 {
        let mut client = Client::open(&alone.router, &ann.token, None).await.ok().unwrap();
        assert_eq!(client.next().await.unwrap().data, json!({ "unread": 0 }));
        open.push(client);
    }
    assert_eq!(Client::open(&alone.router, &ann.token, None).await.err().unwrap().0, 429);
    // What changes is found without it.
    let post = scene.publish(&ann).await;
    let bert = scene.person("Bert").await;
    scene.react(&bert, post, 1).await;
    assert_eq!(open[0].next().await.unwrap().id, Some(1));
}

/// An auth service whose sessions can end.
#[derive(Clone, Default)]
struct Sessions {
    ended: Arc<AtomicBool>,
    expire_at: Option<DateTime<Utc>>,
}

impl Sessions {
    /// A replica that asks these sessions.
    async fn ask_from(&self, scene: &Scene) -> Platform {
        async fn verify(State(sessions): State<Sessions>, headers: HeaderMap) -> Response {
            if sessions.ended.load(Ordering::Relaxed) {
                return StatusCode::UNAUTHORIZED.into_response();
            }
            let user = json!({ "id": bearer(&headers), "status": "ACTIVE", "expires_at": sessions.expire_at });
            axum::Json(user).into_response()
        }
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let router = axum::Router::new().route("/", get(verify)).with_state(self.clone());
        TaskTracker::new().spawn(async { axum::serve(listener, router).await });
        scene.beside(&["--authentication-verification-url", &url, "--stream-heartbeat", "1"])
    }
}

#[sqlx::test(migrations = false)]
async fn a_stream_ends_with_its_session_and_its_token(_: PgPoolOptions, database: PgConnectOptions) {
    let scene = Scene::start(database).await;
    let ann = scene.person("Ann").await;
    let sessions = Sessions::default();
    let platform = sessions.ask_from(&scene).await;
    let mut client = Client::open(&platform.router, &ann.token, None).await.unwrap();
    // It lives on from heartbeat to heartbeat.
    for _ in 0..3 {
        client.next_frame().await.expect("the stream ended");
    }
    sessions.ended.store(true, Ordering::Relaxed);
    // As the event of the session's end does it.
    platform.app.authenticator.forget(Some(ann.id)).unwrap();
    let ended = async { while client.next_frame().await.is_some() {} };
    tokio::time::timeout(Duration::from_secs(10), ended).await.expect("it goes on without a session");

    let soon = Sessions { expire_at: Some(Utc::now() + TimeDelta::seconds(2)), ..Sessions::default() };
    let platform = soon.ask_from(&scene).await;
    let mut client = Client::open(&platform.router, &ann.token, None).await.unwrap();
    while client.next_frame().await.is_some() {}
    let over = Utc::now() - soon.expire_at.unwrap();
    assert!(over < TimeDelta::seconds(2), "{over} behind the end of the token");
}

#[sqlx::test(migrations = false)]
async fn a_heartbeat_is_a_comment(_: PgPoolOptions, database: PgConnectOptions) {
    let scene = Scene::start(database).await;
    let ann = scene.person("Ann").await;
    let platform = scene.beside(&["--stream-heartbeat", "1"]);
    let mut client = Client::open(&platform.router, &ann.token, None).await.unwrap();
    client.until("unread").await;
    for _ in 0..2 {
        let sent = client.next_frame().await.unwrap();
        assert_eq!((sent.event.as_str(), sent.id), ("", None));
    }
    let lease: Vec<(String, f64)> =
        scene.app.redis.clone().zrange_withscores(format!("streams:{}", ann.id), 0, -1).await.unwrap();
    assert_eq!(lease.len(), 1);
    #[expect(clippy::cast_precision_loss, reason = "milliseconds stay far below 2^52")]
    let now = Utc::now().timestamp_millis() as f64;
    assert!(lease[0].1 > now + 1_000.0, "it was renewed");
}

/// The end of a session is seen in time however rare heartbeats are: two checks fit into ten seconds.
#[sqlx::test(migrations = false)]
async fn heartbeats_come_every_15_seconds_and_checks_of_the_token_every_5(
    _: PgPoolOptions,
    database: PgConnectOptions,
) {
    let scene = Scene::start(database).await;
    for (given, heartbeat, check) in [(None, 15_000, 5_000), (Some("3"), 3_000, 1_000), (Some("60"), 30_000, 5_000)] {
        let arguments: Vec<&str> = given.into_iter().flat_map(|seconds| ["--stream-heartbeat", seconds]).collect();
        let settings = Settings::from_arg_matches(&scene.beside(&arguments).settings()).unwrap();
        let every = settings.stream_heartbeat();
        let expected = (Duration::from_millis(heartbeat), Duration::from_millis(check));
        assert_eq!((every, check_interval(every)), expected, "{given:?}");
    }
}

/// Whether a person has a stream.
async fn has_stream(platform: &Platform, reader: &Someone) -> bool {
    let leases: u64 = platform.app.redis.clone().zcard(format!("streams:{}", reader.id)).await.unwrap();
    leases > 0
}

#[sqlx::test(migrations = false)]
async fn a_client_that_does_not_read_is_dropped(_: PgPoolOptions, database: PgConnectOptions) {
    let scene = Scene::start(database).await;
    let ann = scene.person("Ann").await;
    // More than all buffers between two sockets hold: 3,000 messages of 6 KB.
    let ready = "insert into notification_reader (user_id, last_change) values ('READER', 3000);
        insert into system_message (id, title, content) select gen_random_uuid(), 'T', repeat('€', 2000) from generate_series(1, 3000);
        insert into notification (id, user_id, type, subject_id, causes, created_at, updated_at, change)
        select gen_random_uuid(), 'READER', 'SYSTEM_MESSAGE', id, 1, now(), now(), row_number() over () from system_message";
    scene.app.db.execute(sqlx::AssertSqlSafe(ready.replace("READER", &ann.id.to_string()))).await.unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
    let limits = ConnectionLimits { write: Duration::from_millis(500), ..ConnectionLimits::new(10) };
    tasks.spawn(limits.serve(listener, scene.router.clone(), stop.clone()));

    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let mut deaf = socket.connect(address).await.unwrap();
    let token = &ann.token;
    let request = format!(
        "GET /api/v1/me/notifications/stream HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nLast-Event-ID: 0\r\n\r\n"
    );
    deaf.write_all(request.as_bytes()).await.unwrap();
    let dropped = async {
        while !has_stream(&scene, &ann).await {}
        while has_stream(&scene, &ann).await {}
    };
    tokio::time::timeout(PATIENCE, dropped).await.expect("it was kept");
    let mut received = Vec::new();
    // The connection may also end with a reset.
    deaf.read_to_end(&mut received).await.ok();
    let text = String::from_utf8_lossy(&received);
    assert!(text.contains("id: 1\n") && !text.contains("id: 3000\n"), "it got {} bytes", received.len());
    stop.cancel();
}
