//! News on their way to streams: what is published where, and how often.
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::http::Request;
use axum::response::IntoResponse;
use axum::response::sse::Sse;
use clap::FromArgMatches;
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use sqlx::Executor;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::task::TaskTracker;

use super::{Client, PATIENCE, Sent, announce, unread};
use crate::SERVICE;
use crate::core::ground::worker::{Outcome, Worker};
use crate::core::testing::Platform;
use crate::feeds::Feeds;
use crate::feeds::fan_out::schedulers::FeedWorker;
use crate::notifications::tests::Scene;
use crate::posts::events::POST_CREATED;
use crate::settings::Settings;
use crate::streams::FEED_NEWS;
use crate::streams::hub::Hub;
use crate::streams::leases::StreamLease;
use crate::streams::live::LiveStream;
use crate::streams::schedulers::Announcer;

/// The URL of a Redis that is another server as far as its channels go. There is one server for all tests, and its databases have
/// their channels in common: so the channel of feeds gets another name on its way there.
async fn with_other_channels(url: &SecretString) -> String {
    let mut url: reqwest::Url = url.expose_secret().parse().unwrap();
    let server = (url.host_str().unwrap().to_owned(), url.port().unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    url.set_host(Some("127.0.0.1")).unwrap();
    url.set_port(Some(listener.local_addr().unwrap().port())).unwrap();
    let tasks = TaskTracker::new();
    let carried = tasks.clone();
    tasks.spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let (mut from_client, mut to_client) = client.into_split();
            let (mut from_server, mut to_server) = TcpStream::connect(server.clone()).await.unwrap().into_split();
            carried.spawn(async move { tokio::io::copy(&mut from_server, &mut to_client).await });
            carried.spawn(async move {
                let mut chunk = vec![0; 64 * 1024];
                while let Ok(length @ 1..) = from_client.read(&mut chunk).await {
                    let name = FEED_NEWS.as_bytes();
                    while let Some(at) = chunk[..length].windows(name.len()).position(|part| part == name) {
                        chunk[at] = b'F';
                    }
                    if to_server.write_all(&chunk[..length]).await.is_err() {
                        return;
                    }
                }
            });
        }
    });
    String::from(url)
}

#[sqlx::test(migrations = false)]
async fn news_of_feeds_arrive_when_the_feeds_are_in_another_redis(_: PgPoolOptions, database: PgConnectOptions) {
    let scene = Scene::start(database).await;
    let (ann, bert) = (scene.person("Ann").await, scene.person("Bert").await);
    scene.connect(&ann, &bert, 1).await;
    let url = with_other_channels(&scene.app.settings.redis_url).await;
    let far = scene.beside(&["--feed-redis-url", &url]);
    let settings = Settings::from_arg_matches(&far.settings()).unwrap();
    let mut worker = FeedWorker(Feeds::open(&far.app, settings.feeds).unwrap());
    while worker.step().await.unwrap() == Outcome::Busy {}
    let mut client = Client::open(&far.router, &ann.token, None).await.unwrap();
    assert_eq!(client.next().await, Some(unread(0)));
    // Until the listener has subscribed, a message is lost.
    let arrived = async {
        loop {
            // A post enters a feed that is kept.
            assert_eq!(far.call("GET", "/me/feed", Some(&ann.token), None).await.status, 200);
            scene.publish(&bert).await;
            while worker.step().await.unwrap() == Outcome::Busy {}
            if let Ok(sent) = tokio::time::timeout(Duration::from_millis(50), client.next()).await {
                return sent;
            }
        }
    };
    let sent =
        tokio::time::timeout(PATIENCE, arrived).await.expect("the news were published where no stream subscribes");
    assert_eq!(sent, Some(Sent { event: "feed".to_owned(), id: None, data: json!({}) }));
}

/// What is looked up when a page is read enters no feed, and its readers were not woken.
#[sqlx::test(migrations = false)]
async fn posts_that_readers_look_up_wake_their_streams_and_no_others(_: PgPoolOptions, database: PgConnectOptions) {
    let scene = Scene::of(Platform::start(&SERVICE, database, &["--feed-big-author", "1"]).await);
    let (ann, tess, big) = (scene.person("Ann").await, scene.person("Tess").await, scene.person("Big").await);
    let (muting, blocked, other) =
        (scene.person("Muting").await, scene.person("Blocked").await, scene.person("Other").await);
    for (second, follower) in [&ann, &muting, &blocked].into_iter().enumerate() {
        scene.connect(follower, &big, i64::try_from(second).unwrap()).await;
    }
    let mute = format!("/me/mutes/{}", big.id);
    for (method, path, by) in
        [("POST", mute.as_str(), &muting), ("PUT", "/me/tags/rust", &tess), ("PUT", "/me/tags/rust", &muting)]
    {
        let reply = scene.call(method, path, Some(&by.token), None).await;
        assert_eq!(reply.status, 204, "{path}: {reply:?}");
    }
    scene.block(&big, &blocked, 10).await;
    let mut clients = Vec::new();
    for person in [&ann, &tess, &muting, &blocked, &other] {
        let mut client = Client::open(&scene.router, &person.token, None).await.unwrap();
        assert_eq!(client.next().await, Some(unread(0)));
        clients.push(client);
    }
    let settings = Settings::from_arg_matches(&scene.settings()).unwrap();
    let mut worker = FeedWorker(Feeds::open(&scene.app, settings.feeds).unwrap());
    // Until the listener has subscribed, a message is lost.
    let arrived = async {
        loop {
            let mut post = scene.post(&big, uuid::Uuid::now_v7(), "POSTED", 20);
            post["tags"] = json!(["rust"]);
            scene.consume(POST_CREATED, &post).await;
            while worker.step().await.unwrap() == Outcome::Busy {}
            if let Ok(sent) = tokio::time::timeout(Duration::from_millis(50), clients[0].next()).await {
                return sent;
            }
        }
    };
    let feed = Some(Sent { event: "feed".to_owned(), id: None, data: json!({}) });
    let sent = tokio::time::timeout(PATIENCE, arrived).await.expect("a follower of the author is not woken");
    assert_eq!(sent, feed);
    assert_eq!(clients[1].next().await, feed, "a follower of the tag is woken as well");
    // What else they are woken for is the first that the others get.
    for (client, person) in clients[2..].iter_mut().zip([&muting, &blocked, &other]) {
        scene.connect(&ann, person, 30).await;
        announce(&scene).await;
        assert_eq!(client.next().await.unwrap().event, "notification");
    }
}

/// An announcer that found only readers whose rows are locked once published them over and over, as fast as it could.
#[sqlx::test(migrations = false)]
async fn locked_readers_are_announced_with_pauses(_: PgPoolOptions, database: PgConnectOptions) {
    let scene = Scene::start(database).await;
    let (ann, bert) = (scene.person("Ann").await, scene.person("Bert").await);
    let ready = "insert into notification_reader (user_id, last_change) values ('ANN', 1), ('BERT', 1)";
    let ready = ready.replace("ANN", &ann.id.to_string()).replace("BERT", &bert.id.to_string());
    scene.app.db.execute(sqlx::AssertSqlSafe(ready)).await.unwrap();
    let lock = format!("select from notification_reader where user_id = '{}' for update", ann.id);
    let mut tx = scene.app.db.begin().await.unwrap();
    tx.execute(sqlx::AssertSqlSafe(lock)).await.unwrap();
    let mut announcer = Announcer(scene.app.clone());
    assert_eq!(announcer.step().await.unwrap(), Outcome::Busy, "one of the two is saved");
    let Outcome::Idle(pause) = announcer.step().await.unwrap() else { panic!("it goes on at once") };
    assert!(pause < Duration::from_secs(1), "{pause:?}");
    tx.rollback().await.unwrap();
    assert_eq!(announcer.step().await.unwrap(), Outcome::Busy, "it is free");
    assert!(matches!(announcer.step().await.unwrap(), Outcome::Idle(_)));
    let rows = scene.app.db.fetch_all("select from notification_reader where announced < last_change").await.unwrap();
    assert_eq!(rows.len(), 0);
}

/// A post that is published behind the registration of a stream, and before it reads anything, is news to it.
#[sqlx::test(migrations = false)]
async fn what_is_published_while_a_stream_is_opened_is_sent(_: PgPoolOptions, database: PgConnectOptions) {
    let scene = Scene::start(database).await;
    let ann = scene.person("Ann").await;
    let hub = Arc::new(Hub::new(scene.app.clone(), Duration::from_secs(15)));
    let place = hub.register(ann.id, 1).unwrap();
    hub.wake(std::iter::once(ann.id), |wake| wake.feeds += 1);
    let lease = StreamLease::new(&scene.app, ann.id, hub.heartbeat);
    let (request, ()) = Request::new(()).into_parts();
    let user = serde_json::from_value(json!({ "id": ann.id })).unwrap();
    let live = LiveStream::open(place, lease, request, &user, None, None).await.unwrap();
    let events = futures::stream::unfold(Box::new(live), async |mut live| {
        let event = live.next().await?;
        Some((Ok::<_, Infallible>(event), live))
    });
    let mut client = Client::of(Sse::new(events).into_response());
    assert_eq!(client.next().await, Some(unread(0)));
    assert_eq!(client.next().await.map(|sent| sent.event), Some("feed".to_owned()));
}
