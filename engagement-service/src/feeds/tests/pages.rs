//! Pages: nothing is skipped or repeated while posts come and go, and what a page costs.
use std::io::Write;
use std::sync::{Arc, Mutex};

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use uuid::Uuid;

use super::{World, ids, link};
use crate::core::testing::Reply;

#[sqlx::test(migrations = false)]
async fn pages_neither_skip_nor_repeat_while_posts_come_and_go(_: PgPoolOptions, database: PgConnectOptions) {
    let world = World::start(database, &[]).await;
    let [anna, bert] = [world.join("anna").await, world.join("bert").await];
    world.follow(anna, bert).await;
    world.work().await;
    let mut posts = Vec::new();
    for _ in 0..9 {
        posts.push(world.post(bert).await);
    }
    posts.reverse();
    for in_redis in [true, false] {
        let top = world.read(anna, "/me/feed?limit=3").await;
        assert_eq!(ids(&top), posts[..3]);
        // The last of the page and one of the next page leave, and two come in.
        for gone in [posts[2], posts[4]] {
            world.turn(gone, bert, "ARCHIVED").await;
        }
        let came: Vec<Uuid> = vec![world.post(bert).await, world.post(bert).await];
        if in_redis {
            world.work().await;
        } else {
            redis::cmd("FLUSHDB").query_async::<()>(&mut world.platform.app.redis.clone()).await.unwrap();
        }
        let second = world.read(anna, &link(&top, "next").unwrap()).await;
        assert_eq!(ids(&second), [posts[3], posts[5], posts[6]]);
        let third = world.read(anna, &link(&second, "next").unwrap()).await;
        assert_eq!(ids(&third), posts[7..]);
        assert_eq!(link(&third, "next"), None);
        let back = world.read(anna, &link(&second, "prev").unwrap()).await;
        assert_eq!(ids(&back), [came[0], posts[0], posts[1]], "those directly above");
        // One at a time, so that there is more than a page of news: the older comes first.
        let since = link(&top, "prev").unwrap().replace("limit=3", "limit=1");
        let news = world.read(anna, &since).await;
        assert_eq!(ids(&news), came[..1]);
        let news = world.read(anna, &link(&news, "prev").unwrap()).await;
        assert_eq!(ids(&news), came[1..]);
        let down = world.read(anna, &link(&news, "next").unwrap()).await;
        assert_eq!(ids(&down), came[..1]);
        let quiet = world.read(anna, &link(&news, "prev").unwrap()).await;
        assert_eq!((ids(&quiet), link(&quiet, "prev")), (vec![], link(&news, "prev")));
        for gone in [posts[2], posts[4]] {
            world.turn(gone, bert, "POSTED").await;
        }
        for gone in came {
            world.turn(gone, bert, "ARCHIVED").await;
        }
        world.work().await;
    }
}

#[sqlx::test(migrations = false)]
async fn a_page_is_full_although_much_of_it_is_not_shown(_: PgPoolOptions, database: PgConnectOptions) {
    let world = World::start(database, &[]).await;
    let [anna, bert, carl] = [world.join("anna").await, world.join("bert").await, world.join("carl").await];
    world.follow(anna, bert).await;
    world.follow(anna, carl).await;
    world.work().await;
    let mut shown = Vec::new();
    for _ in 0..3 {
        shown.push(world.post(bert).await);
    }
    shown.reverse();
    for _ in 0..30 {
        world.post(carl).await;
    }
    world.work().await;
    assert_eq!(world.feed(anna).await.len(), 33);
    world.platform.call("POST", &format!("/me/mutes/{carl}"), Some(&anna.to_string()), None).await;
    let page = world.read(anna, "/me/feed?limit=2").await;
    assert_eq!(ids(&page), shown[..2], "thirty muted posts lie above");
    let next = world.read(anna, &link(&page, "next").unwrap()).await;
    assert_eq!((ids(&next), link(&next, "next")), (shown[2..].to_vec(), None));
}

#[sqlx::test(migrations = false)]
async fn a_first_page_without_posts_leads_to_what_comes(_: PgPoolOptions, database: PgConnectOptions) {
    let world = World::start(database, &[]).await;
    let anna = world.join("anna").await;
    let empty = world.read(anna, "/me/feed").await;
    assert_eq!((ids(&empty), link(&empty, "next")), (vec![], None));
    let post = world.post(anna).await;
    world.work().await;
    assert_eq!(ids(&world.read(anna, &link(&empty, "prev").unwrap()).await), [post]);
    for path in ["/me/feed?cursor=x", "/me/feed?limit=201", "/feed/explore?cursor=PAAA"] {
        let reply = world.platform.call("GET", path, Some(&anna.to_string()), None).await;
        assert_eq!(reply.status, 422, "{path}");
    }
}

/// The lines of a log.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Reads a page and counts its queries.
pub async fn count_queries(world: &World, reader: Uuid, path: &str) -> (Reply, usize) {
    // While a process has one subscriber only, which places are logged is decided by whatever thread meets them first.
    let _second = tracing::Dispatch::new(tracing_subscriber::registry());
    let lines = Lines::default();
    let writer = lines.clone();
    let subscriber = tracing_subscriber::fmt().with_writer(move || writer.clone()).with_ansi(false);
    let subscriber = subscriber.with_env_filter("off,sqlx::query=debug").finish();
    let guard = tracing::subscriber::set_default(subscriber);
    let reply = world.read(reader, path).await;
    drop(guard);
    let log = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    (reply, log.matches("sqlx::query").count())
}

#[sqlx::test(migrations = false)]
async fn a_page_of_any_size_is_two_queries_and_one_round_trip(_: PgPoolOptions, database: PgConnectOptions) {
    let limited = World::start(database, &["--feed-big-author", "1", "--rate-limits", "feeds=600/60"]).await;
    let world = World::of(limited.platform.beside(&["--rate-limits", "off"]));
    let [anna, bert, star] = [world.join("anna").await, world.join("bert").await, world.join("star").await];
    world.follow(anna, bert).await;
    world.follow(anna, star).await;
    world.follow(bert, star).await;
    for _ in 0..150 {
        world.post(bert).await;
    }
    world.post(star).await;
    world.work().await;
    world.edit().await;
    for world in [&world, &limited] {
        assert_eq!(world.feed(anna).await.len(), 50);
    }
    let url: reqwest::Url =
        secrecy::ExposeSecret::expose_secret(&world.platform.app.settings.redis_url).parse().unwrap();
    let mut monitor = tokio::net::TcpStream::connect((url.host_str().unwrap(), url.port().unwrap())).await.unwrap();
    monitor.write_all(b"MONITOR\r\n").await.unwrap();
    let mut monitor = BufReader::new(monitor).lines();
    assert_eq!(monitor.next_line().await.unwrap().unwrap(), "+OK");
    let database = format!("[{} 127", url.path().trim_start_matches('/'));
    // A limit is one round trip more.
    for (world, path, count, queries, trips) in [
        (&world, "/me/feed?limit=1".to_owned(), 1, 2, 1),
        (&world, "/me/feed?limit=50".to_owned(), 50, 2, 1),
        (&world, "/me/feed?limit=120".to_owned(), 120, 2, 1),
        (&limited, "/me/feed?limit=120".to_owned(), 120, 2, 2),
        (&world, format!("/users/{bert}/feed?limit=120"), 120, 2, 0),
        (&limited, format!("/users/{bert}/feed?limit=120"), 120, 2, 1),
        (&world, format!("/users/{bert}/feed?limit=1"), 1, 2, 0),
        (&world, "/feed/explore?limit=1".to_owned(), 1, 2, 0),
        (&world, "/feed/explore".to_owned(), 50, 2, 0),
        (&world, "/feed/explore?limit=120".to_owned(), 120, 2, 0),
        (&limited, "/feed/explore".to_owned(), 50, 2, 1),
    ] {
        let (reply, counted) = count_queries(world, anna, &path).await;
        assert_eq!((ids(&reply).len(), counted), (count, queries), "{path}");
        let end = Uuid::now_v7().to_string();
        redis::cmd("ECHO").arg(&end).query_async::<()>(&mut limited.platform.app.redis.clone()).await.unwrap();
        let mut commands = Vec::new();
        loop {
            let line = monitor.next_line().await.unwrap().unwrap();
            if line.contains(&end) {
                break;
            }
            commands.extend(line.contains(&database).then_some(line));
        }
        assert_eq!(commands.len(), trips, "{path}: {commands:?}");
    }
}
