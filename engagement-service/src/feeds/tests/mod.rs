//! Feeds, through their routes and the events that fill them.
mod build;
mod explore;
mod fan_out;
mod home;
mod limited;
mod mixed;
mod pages;
mod reflected;
mod tagged;

use axum::http::header;
use chrono::{DateTime, TimeDelta, Utc};
use clap::FromArgMatches;
use serde_json::{Value, json};
use sqlx::postgres::PgConnectOptions;
use std::sync::atomic::{AtomicI64, Ordering};
use uuid::Uuid;

use super::fan_out::schedulers::FeedWorker;
use super::reading::Feeds;
use super::settings::FeedSettings;
use crate::SERVICE;
use crate::core::ground::worker::{Outcome, Worker};
use crate::core::testing::{Platform, Reply};
use crate::follows::events::{USER_CONNECTED, USER_DISCONNECTED};
use crate::people::events::USER_REGISTERED;
use crate::posts::events::{POST_CREATED, POST_UPDATED};

/// A feed without posts.
const NO_POSTS: [Uuid; 0] = [];

/// A platform whose clock goes on by a second with each event.
struct World {
    platform: Platform,
    clock: AtomicI64,
}

impl World {
    async fn start(database: PgConnectOptions, settings: &[&str]) -> Self {
        Self::of(Platform::start(&SERVICE, database, settings).await)
    }

    fn of(platform: Platform) -> Self {
        Self { platform, clock: AtomicI64::new(0) }
    }

    /// The next second.
    fn now(&self) -> DateTime<Utc> {
        let start: DateTime<Utc> = "2026-11-20T12:00:00Z".parse().unwrap();
        start + TimeDelta::seconds(self.clock.fetch_add(1, Ordering::Relaxed))
    }

    fn feeds(&self) -> Feeds {
        let settings = FeedSettings::from_arg_matches(&self.platform.settings()).unwrap();
        Feeds::open(&self.platform.app, settings).unwrap()
    }

    /// Works off all jobs of feeds.
    async fn work(&self) {
        let mut worker = FeedWorker(self.feeds());
        while worker.step().await.unwrap() == Outcome::Busy {}
    }

    /// A person of that name, whose token is their id.
    async fn join(&self, name: &str) -> Uuid {
        let id = Uuid::now_v7();
        let person = json!({ "id": id, "username": name, "first_name": name, "last_name": null, "avatar_url": null,
            "interests": [], "status": "ACTIVE", "updated_at": self.now() });
        self.platform.consume(USER_REGISTERED, &person).await;
        id
    }

    async fn pair(&self, stream: &str, user: Uuid, target: Uuid) {
        self.platform.consume(stream, &json!({ "user_id": user, "target_id": target, "at": self.now() })).await;
    }

    async fn follow(&self, user: Uuid, target: Uuid) {
        self.pair(USER_CONNECTED, user, target).await;
    }

    async fn unfollow(&self, user: Uuid, target: Uuid) {
        self.pair(USER_DISCONNECTED, user, target).await;
    }

    /// A version of a post, as the post service publishes it.
    fn version(&self, post: Uuid, author: Uuid, status: &str) -> Value {
        let at = self.now();
        json!({ "id": post, "created_at": "2026-11-20T11:00:00Z", "created_by": author, "updated_at": at,
            "updated_by": null, "title": null, "content": format!("by {author}"), "types": ["NEWS"], "status": status })
    }

    /// A new post.
    async fn post(&self, author: Uuid) -> Uuid {
        let id = Uuid::now_v7();
        self.platform.consume(POST_CREATED, &self.version(id, author, "POSTED")).await;
        id
    }

    /// Changes the status of a post.
    async fn turn(&self, post: Uuid, author: Uuid, status: &str) {
        self.platform.consume(POST_UPDATED, &self.version(post, author, status)).await;
    }

    async fn read(&self, reader: Uuid, path: &str) -> Reply {
        let reply = self.platform.call("GET", path, Some(&reader.to_string()), None).await;
        assert_eq!(reply.status, 200, "{path}: {reply:?}");
        reply
    }

    /// The posts of a reader's feed.
    async fn feed(&self, reader: Uuid) -> Vec<Uuid> {
        ids(&self.read(reader, "/me/feed").await)
    }

    /// The feed in Redis, the smallest key first; the first member is its state.
    async fn members(&self, reader: Uuid) -> Vec<Vec<u8>> {
        let mut command = redis::cmd("ZRANGE");
        command.arg(format!("feed:{}", reader.simple())).arg(0).arg(-1);
        command.query_async(&mut self.platform.app.redis.clone()).await.unwrap()
    }

    async fn sql(&self, statement: &str) {
        sqlx::raw_sql(sqlx::AssertSqlSafe(statement.to_owned())).execute(&self.platform.app.db).await.unwrap();
    }
}

/// The posts of a page.
fn ids(reply: &Reply) -> Vec<Uuid> {
    let id = |item: &Value| item["id"].as_str().unwrap().parse().unwrap();
    reply.body.as_array().unwrap().iter().map(id).collect()
}

/// The path of a page that another links to, below `/api/v1`.
fn link(reply: &Reply, relation: &str) -> Option<String> {
    let links = reply.headers.get(header::LINK)?.to_str().unwrap();
    let link = links.split(", ").find(|link| link.ends_with(&format!("; rel=\"{relation}\"")))?;
    let uri = link.strip_prefix('<').unwrap().split_once('>').unwrap().0;
    Some(uri.strip_prefix("/api/v1").unwrap().to_owned())
}
