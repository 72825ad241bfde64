//! Notifications, through events and routes.
mod bounds;
mod dispatching;
mod groups;
mod racing;
mod reading;
mod threads;

use std::ops::Deref;

use chrono::{DateTime, TimeDelta, Utc};
use redis::AsyncCommands;
use serde_json::{Value, json};
use sqlx::postgres::PgConnectOptions;
use uuid::Uuid;

use crate::SERVICE;
use crate::blocks::events::{USER_BLOCKED, USER_UNBLOCKED};
use crate::comments::events::COMMENT_CREATED;
use crate::core::testing::{self, Platform};
use crate::follows::events::USER_CONNECTED;
use crate::people::events::USER_UPDATED;
use crate::posts::events::POST_CREATED;
use crate::reactions::events::{REACTION_CREATED, REACTION_DELETED};

/// A person of a test.
#[derive(Clone, Debug)]
pub struct Someone {
    pub id: Uuid,
    pub token: String,
}

/// A service with a moment from which a test counts seconds.
pub struct Scene {
    platform: Platform,
    begun: DateTime<Utc>,
}

impl Deref for Scene {
    type Target = Platform;

    fn deref(&self) -> &Platform {
        &self.platform
    }
}

impl Scene {
    pub async fn start(database: PgConnectOptions) -> Self {
        Self::of(Platform::start(&SERVICE, database, &[]).await)
    }

    /// A scene on a platform that is there.
    pub fn of(platform: Platform) -> Self {
        Self { platform, begun: Utc::now() - TimeDelta::hours(1) }
    }

    /// A time, in seconds after the beginning.
    pub fn at(&self, seconds: i64) -> DateTime<Utc> {
        self.begun + TimeDelta::seconds(seconds)
    }

    /// A person with a first name.
    pub async fn person(&self, name: &str) -> Someone {
        let (token, id) = testing::new_user();
        self.consume(USER_UPDATED, &self.user(id, name)).await;
        Someone { id, token }
    }

    pub fn user(&self, id: Uuid, name: &str) -> Value {
        json!({ "id": id, "first_name": name, "status": "ACTIVE", "updated_at": self.at(0) })
    }

    /// Appends an event to a stream; the service does not consume it yet.
    pub async fn put(&self, stream: &str, message: &Value) {
        let fields = [("message", message.to_string()), ("type", "json".to_owned())];
        let _: String = self.app.redis.clone().xadd(stream, "*", &fields).await.unwrap();
    }

    pub fn post(&self, author: &Someone, id: Uuid, status: &str, second: i64) -> Value {
        json!({ "id": id, "created_at": self.at(0), "created_by": author.id, "updated_at": self.at(second),
            "title": "Autumn", "content": "The leaves are falling.", "types": [], "status": status })
    }

    /// A published post.
    pub async fn publish(&self, author: &Someone) -> Uuid {
        let id = Uuid::now_v7();
        self.consume(POST_CREATED, &self.post(author, id, "POSTED", 0)).await;
        id
    }

    /// A reaction or a comment.
    pub fn made(&self, by: &Someone, post: Uuid, second: i64) -> Value {
        json!({ "id": Uuid::now_v7(), "created_at": self.at(second), "created_by": by.id, "updated_at": self.at(second),
            "post_id": post, "type": "LIKE" })
    }

    pub async fn react(&self, by: &Someone, post: Uuid, second: i64) -> Value {
        let reaction = self.made(by, post, second);
        self.consume(REACTION_CREATED, &reaction).await;
        reaction
    }

    pub async fn take_back(&self, reaction: &Value) {
        self.consume(REACTION_DELETED, reaction).await;
    }

    pub async fn comment(&self, by: &Someone, post: Uuid, second: i64) -> Value {
        let comment = self.made(by, post, second);
        self.consume(COMMENT_CREATED, &comment).await;
        comment
    }

    pub fn link(&self, one: &Someone, other: &Someone, second: i64) -> Value {
        json!({ "user_id": one.id, "target_id": other.id, "at": self.at(second) })
    }

    pub async fn connect(&self, one: &Someone, other: &Someone, second: i64) {
        self.consume(USER_CONNECTED, &self.link(one, other, second)).await;
    }

    pub async fn block(&self, one: &Someone, other: &Someone, second: i64) {
        self.consume(USER_BLOCKED, &self.link(one, other, second)).await;
    }

    pub async fn unblock(&self, one: &Someone, other: &Someone, second: i64) {
        self.consume(USER_UNBLOCKED, &self.link(one, other, second)).await;
    }

    /// The notifications of a person, newest first.
    pub async fn notifications(&self, reader: &Someone) -> Vec<Value> {
        self.listed(reader, "").await
    }

    pub async fn listed(&self, reader: &Someone, query: &str) -> Vec<Value> {
        let reply = self.call("GET", &format!("/me/notifications{query}"), Some(&reader.token), None).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        serde_json::from_value(reply.body).unwrap()
    }

    /// The sentences of the notifications of a person, newest first.
    pub async fn texts(&self, reader: &Someone) -> Vec<String> {
        let all = self.notifications(reader).await;
        all.iter().map(|notification| notification["text"].as_str().unwrap().to_owned()).collect()
    }

    pub async fn unread(&self, reader: &Someone) -> Value {
        let reply = self.call("GET", "/me/notifications/unread-count", Some(&reader.token), None).await;
        reply.body["unread"].clone()
    }

    /// Marks all as viewed.
    pub async fn view_all(&self, reader: &Someone) {
        let body = json!({ "up_to": Utc::now() });
        let reply = self.call("POST", "/me/notifications/view", Some(&reader.token), Some(body)).await;
        assert_eq!((reply.status.as_u16(), reply.body), (200, json!({ "unread": 0 })));
    }
}
