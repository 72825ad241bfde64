//! Recommended posts, through their routes and the events that they follow from.
mod digests;
mod reasons;
mod refusals;

use axum::http::header;
use chrono::{DateTime, TimeDelta, Utc};
use clap::FromArgMatches;
use serde_json::{Value, json};
use sqlx::postgres::PgConnectOptions;
use uuid::Uuid;

use super::recommender::PostRecommender;
use super::settings::RecommendationSettings;
use super::similar::schedulers::SimilarPostFinder;
use crate::SERVICE;
use crate::core::ground::worker::{Outcome, Worker};
use crate::core::testing::{Platform, Reply};
use crate::follows::events::USER_CONNECTED;
use crate::people::events::USER_REGISTERED;
use crate::posts::events::POST_CREATED;
use crate::reactions::events::{REACTION_CREATED, REACTION_DELETED};

/// The page that most tests read.
const PAGE: &str = "/me/recommendations/posts";

/// A platform with people who write and react.
struct Town {
    platform: Platform,
    begun: DateTime<Utc>,
}

impl Town {
    async fn start(database: PgConnectOptions, settings: &[&str]) -> Self {
        Self { platform: Platform::start(&SERVICE, database, settings).await, begun: Utc::now() - TimeDelta::hours(1) }
    }

    /// A person of that name with these interests, whose token is their id.
    async fn join(&self, name: &str, interests: &[&str]) -> Uuid {
        let id = Uuid::now_v7();
        let person = json!({ "id": id, "username": name, "first_name": name, "last_name": null, "avatar_url": null,
            "interests": interests, "status": "ACTIVE", "updated_at": self.begun });
        self.platform.consume(USER_REGISTERED, &person).await;
        id
    }

    async fn connect(&self, user: Uuid, target: Uuid) {
        let pair = json!({ "user_id": user, "target_id": target, "at": self.begun });
        self.platform.consume(USER_CONNECTED, &pair).await;
    }

    fn version(&self, id: Uuid, author: Uuid, category: &str) -> Value {
        json!({ "id": id, "created_at": self.begun, "created_by": author, "updated_at": self.begun, "updated_by": null,
            "title": "Autumn", "content": "The leaves are falling.", "types": [category], "status": "POSTED" })
    }

    /// A new post.
    async fn post(&self, author: Uuid, category: &str) -> Uuid {
        let id = Uuid::now_v7();
        self.platform.consume(POST_CREATED, &self.version(id, author, category)).await;
        id
    }

    fn reaction(&self, id: Uuid, user: Uuid, post: Uuid) -> Value {
        json!({ "id": id, "created_at": self.begun, "created_by": user, "updated_at": self.begun, "updated_by": null,
            "post_id": post, "type": "LIKE" })
    }

    /// A reaction of before the reader's list, so that it does not make it an old one.
    async fn react(&self, user: Uuid, post: Uuid) -> Uuid {
        let id = Uuid::now_v7();
        self.platform.consume(REACTION_CREATED, &self.reaction(id, user, post)).await;
        id
    }

    async fn take_back(&self, id: Uuid, user: Uuid, post: Uuid) {
        self.platform.consume(REACTION_DELETED, &self.reaction(id, user, post)).await;
    }

    /// A whole pass over the posts; how many steps it took.
    async fn find_similar(&self) -> u32 {
        self.sql("update similar_pass set ended_at = null, below = null").await;
        let mut steps = 0;
        while self.is_passing().await {
            SimilarPostFinder::new(&self.platform.app).step().await.unwrap();
            steps += 1;
        }
        steps
    }

    async fn is_passing(&self) -> bool {
        self.count("select count(*) from similar_pass where ended_at is null").await == 1
    }

    fn recommender(&self) -> PostRecommender {
        let settings = RecommendationSettings::from_arg_matches(&self.platform.settings()).unwrap();
        PostRecommender { app: self.platform.app.clone(), settings }
    }

    async fn read(&self, reader: Uuid, path: &str) -> Reply {
        let reply = self.platform.call("GET", path, Some(&reader.to_string()), None).await;
        assert_eq!(reply.status, 200, "{path}: {reply:?}");
        reply
    }

    /// The recommended posts of a first page, with the kinds of their reasons.
    async fn recommended(&self, reader: Uuid) -> Vec<(Uuid, String)> {
        items(&self.read(reader, PAGE).await)
    }

    /// The same in a list that is made now.
    async fn recommended_anew(&self, reader: Uuid) -> Vec<(Uuid, String)> {
        self.sql("update recommendation_list set outdated = true").await;
        self.recommended(reader).await
    }

    async fn sql(&self, statement: &str) {
        sqlx::raw_sql(sqlx::AssertSqlSafe(statement.to_owned())).execute(&self.platform.app.db).await.unwrap();
    }

    /// The answer of a statement of one column, as lines.
    async fn lines(&self, statement: &str) -> String {
        use sqlx::Row;
        let query = sqlx::raw_sql(sqlx::AssertSqlSafe(statement.to_owned()));
        let rows = query.fetch_all(&self.platform.app.db).await.unwrap();
        rows.iter().map(|row| row.get::<String, _>(0)).collect::<Vec<_>>().join("\n")
    }

    async fn count(&self, statement: &str) -> i64 {
        use sqlx::Row;
        let query = sqlx::raw_sql(sqlx::AssertSqlSafe(statement.to_owned()));
        query.fetch_one(&self.platform.app.db).await.unwrap().get(0)
    }
}

/// The posts of a page, with the kinds of their reasons.
fn items(reply: &Reply) -> Vec<(Uuid, String)> {
    let item = |item: &Value| {
        (item["id"].as_str().unwrap().parse().unwrap(), item["reason"]["kind"].as_str().unwrap().to_owned())
    };
    reply.body.as_array().unwrap().iter().map(item).collect()
}

fn posts(items: &[(Uuid, String)]) -> Vec<Uuid> {
    items.iter().map(|item| item.0).collect()
}

/// The path of the next page, below `/api/v1`.
fn next(reply: &Reply) -> Option<String> {
    let link = reply.headers.get(header::LINK)?.to_str().unwrap();
    Some(link.strip_prefix("</api/v1")?.strip_suffix(">; rel=\"next\"")?.to_owned())
}
