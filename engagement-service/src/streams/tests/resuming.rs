//! A stream that goes on elsewhere: nothing is lost, nothing is sent twice.
use std::net::TcpListener;

use serde_json::{Value, json};
use sqlx::Executor;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use uuid::Uuid;

use super::{Client, PATIENCE, Sent, announce};
use crate::SERVICE;
use crate::core::serve;
use crate::core::testing::Platform;
use crate::notifications::tests::{Scene, Someone};
use crate::posts::events::POST_CREATED;
use crate::reactions::events::REACTION_CREATED;

#[sqlx::test(migrations = false)]
async fn another_replica_goes_on_behind_the_last_event(_: PgPoolOptions, database: PgConnectOptions) {
    let scene = Scene::start(database).await;
    let other = scene.beside(&[]);
    let (ann, bert, carl) = (scene.person("Ann").await, scene.person("Bert").await, scene.person("Carl").await);
    let [one, two] = [scene.publish(&ann).await, scene.publish(&ann).await];
    let mut first = Client::open(&scene.router, &ann.token, None).await.unwrap();
    first.until("unread").await;
    scene.react(&bert, one, 1).await;
    announce(&scene).await;
    let sent = first.until("notification").await;
    assert_eq!(sent.id, Some(1));
    drop(first);
    // Two changes of one notification are one event: the newest state, under the newest number.
    scene.react(&bert, two, 2).await;
    scene.react(&carl, one, 3).await;
    let mut second = Client::open(&other.router, &ann.token, sent.id).await.unwrap();
    let missed = [second.next().await.unwrap(), second.next().await.unwrap()];
    let texts = missed.each_ref().map(|sent| (sent.id, sent.data["text"].as_str().unwrap()));
    assert_eq!(texts, [(Some(2), "Bert reacted to your post"), (Some(3), "Carl and Bert reacted to your post")]);
    assert_eq!(second.next().await.unwrap().data, json!({ "unread": 2 }));
    assert_eq!(second.next().await.unwrap().event, "feed", "posts may have come meanwhile");
    // The change comes from one replica, and the stream is open at the other.
    scene.react(&carl, two, 4).await;
    announce(&scene).await;
    assert_eq!(second.next().await.unwrap().id, Some(4));
    // With the last number nothing comes again, and with one that was never given out neither.
    for last in [4, 400] {
        let mut third = Client::open(&other.router, &ann.token, Some(last)).await.unwrap();
        assert_eq!(third.next().await.unwrap().data, json!({ "unread": 2 }));
    }
}

#[sqlx::test(migrations = false)]
async fn long_absences_are_read_page_by_page(_: PgPoolOptions, database: PgConnectOptions) {
    let scene = Scene::start(database).await;
    let ann = scene.person("Ann").await;
    let ready = "insert into notification_reader (user_id, last_change) values ('READER', 50);
        insert into notification (id, user_id, type, subject_id, causes, created_at, updated_at, change)
        select gen_random_uuid(), 'READER', 'SYSTEM_MESSAGE', gen_random_uuid(), 1, now(), now(), number
        from generate_series(1, 50) as number";
    scene.app.db.execute(sqlx::AssertSqlSafe(ready.replace("READER", &ann.id.to_string()))).await.unwrap();
    let mut client = Client::open(&scene.router, &ann.token, Some(0)).await.unwrap();
    for number in 1..=50 {
        assert_eq!(client.next().await.unwrap().id, Some(number));
    }
    assert_eq!(client.next().await.unwrap().data, json!({ "unread": 50 }));
}

/// A replica in a runtime of its own, with all of its background work, that can be killed.
struct Replica {
    url: String,
    runtime: tokio::runtime::Runtime,
}

impl Replica {
    fn start(beside: &Platform) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let arguments = beside.beside(&["--port", &port.to_string()]).settings();
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        runtime.spawn(async move {
            let metrics = metrics_exporter_prometheus::PrometheusBuilder::new().build_recorder().handle();
            let app = SERVICE.open(&arguments, metrics).unwrap();
            let features = SERVICE.build(&app, &arguments).unwrap();
            serve::serve(&SERVICE, app, features).await.unwrap();
        });
        Self { url: format!("http://127.0.0.1:{port}/api/v1/me/notifications/stream"), runtime }
    }

    /// Opens a stream, as soon as the replica serves requests.
    async fn open(&self, reader: &Someone, last: i64) -> RemoteClient {
        let http = reqwest::Client::new();
        let opened = async {
            loop {
                let request = http.get(&self.url).bearer_auth(&reader.token).header("last-event-id", last);
                match request.send().await {
                    Ok(response) if response.status() == 200 => return response,
                    _ => tokio::task::yield_now().await,
                }
            }
        };
        let response = tokio::time::timeout(PATIENCE, opened).await.expect("the replica does not serve");
        RemoteClient { response, read: String::new() }
    }
}

struct RemoteClient {
    response: reqwest::Response,
    read: String,
}

impl RemoteClient {
    /// The next event; none when the connection is gone.
    async fn next(&mut self) -> Option<Sent> {
        loop {
            if let Some((frame, rest)) = self.read.split_once("\n\n") {
                let sent = Sent::read(frame);
                self.read = rest.to_owned();
                if sent.event == "notification" {
                    return Some(sent);
                }
                continue;
            }
            let part = tokio::time::timeout(PATIENCE, self.response.chunk()).await.expect("the stream is silent");
            self.read.push_str(std::str::from_utf8(&part.ok()??).unwrap());
        }
    }
}

/// Publishes a reaction to a new post; a replica consumes both, now or when there is one.
async fn react(scene: &Scene, author: &Someone, by: &Someone, second: i64) -> Uuid {
    let post = Uuid::now_v7();
    scene.put(POST_CREATED, &scene.post(author, post, "POSTED", 0)).await;
    scene.put(REACTION_CREATED, &scene.made(by, post, second)).await;
    post
}

#[sqlx::test(migrations = false)]
async fn nothing_is_lost_or_repeated_when_replicas_are_killed(_: PgPoolOptions, database: PgConnectOptions) {
    let scene = Scene::start(database).await;
    let (ann, bert) = (scene.person("Ann").await, scene.person("Bert").await);
    let mut last = 0;
    let mut seen: Vec<Value> = Vec::new();
    let mut posts = Vec::new();
    for round in 0..3 {
        let replica = Replica::start(&scene);
        let mut client = replica.open(&ann, last).await;
        // What happened while there was no stream, and what happens now.
        let expected = if round == 0 { 1 } else { 2 };
        posts.push(react(&scene, &ann, &bert, 2 * round).await);
        let mut of_posts = 0;
        while of_posts < expected {
            let sent = client.next().await.expect("the stream ended");
            assert_eq!(sent.id, Some(last + 1), "{sent:?}");
            last += 1;
            // Beside them, who publishes that much has a new level.
            if sent.data["type"] == "POST_REACTION_RECEIVED" {
                seen.push(sent.data["post"]["id"].clone());
                of_posts += 1;
            }
        }
        replica.runtime.shutdown_background();
        assert_eq!(client.next().await, None, "it was killed");
        posts.push(react(&scene, &ann, &bert, 2 * round + 1).await);
    }
    assert_eq!(seen, posts[..5].iter().map(|post| json!(post)).collect::<Vec<_>>());
}
