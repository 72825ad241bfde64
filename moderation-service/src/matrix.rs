//! What the README's permission matrix (`## Who may what`) is tested with: users, and a request for each operation.
use std::future::{Ready, ready};

use axum::body::Body;
use axum::http::{Request, header};
use serde_json::{Value, json};
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, Executor};
use uuid::Uuid;

use crate::SERVICE;
use crate::core::testing::{self, Platform};
use crate::token_check;

/// The operations beside the API that only this service has.
pub const BESIDE: &[&str] = &[];

/// What requests are sent to.
pub type World = Platform;

/// The settings that this service needs in tests.
pub async fn settings() -> Vec<String> {
    token_check::start_stub_auth_service().await
}

/// Starts the service for all requests.
pub async fn start(database: PgConnectOptions) -> World {
    Platform::start(&SERVICE, database, &[]).await
}

/// The owner of what a request is about.
pub struct Person {
    pub id: Uuid,
    pub token: String,
}

/// A new user.
pub fn new_user(_: &Platform) -> Ready<Person> {
    let (token, id) = testing::new_user();
    ready(Person { id, token })
}

/// The token of a user with that status and role.
pub fn token(_: &Platform, person: &Person, status: &str, role: &str) -> Ready<String> {
    ready(format!("{}:{status}:{role}", person.id))
}

/// Lets a user block another one: nothing here depends on it.
pub fn block(_: &Platform, _: &Person, _: &Person) -> Ready<()> {
    ready(())
}

/// A request for an operation, without a token; about a post of the owner, which users have reported, where it is about one.
pub async fn request(platform: &Platform, operation: &str, owner: &Person) -> Request<Body> {
    let (method, path) = operation.split_once(' ').expect("a method and a path");
    let post = reported_post(platform, owner.id).await;
    let subject = json!({ "type": "POST", "id": post });
    let body = match operation {
        "POST /api/v1/reports" => json!({ "subject_type": "POST", "subject_id": post, "reason": "SPAM_COMMERCIAL" }),
        "POST /api/v1/moderation/queue/claim" => json!({}),
        "PUT /api/v1/moderation/reporters/{user_id}/mute" => json!({ "muted": true }),
        "PUT /api/v1/moderation/reports/{report_id}" => json!({ "status": "IGNORED" }),
        "POST /api/v1/moderation/subjects/{type}/{id}/escalate" | "POST /api/v1/moderation/subjects/{type}/{id}/notes" => {
            json!({ "note": "Look at this." })
        }
        "POST /api/v1/moderation/decisions/bulk" => {
            json!({ "subjects": [subject], "actions": [{ "action": "ALLOW" }], "reason": "OTHER_RULES" })
        }
        _ => Value::Null,
    };
    let path = path
        .replace("{type}", "POST")
        .replace("{id}", &post.to_string())
        .replace("{user_id}", &owner.id.to_string())
        .replace("{report_id}", &Uuid::nil().to_string());
    let body = if body.is_null() { Body::empty() } else { Body::from(body.to_string()) };
    Request::builder().method(method).uri(path).header(header::CONTENT_TYPE, "application/json").body(body).unwrap()
}

/// A post of a user that waits in the queue.
async fn reported_post(platform: &Platform, author: Uuid) -> Uuid {
    let post = Uuid::now_v7();
    let content = format!(
        "with content as (
            insert into content (id, version, type, author, text) values ('{post}', now(), 'POST', '{author}', 'Hello')
        )
        insert into subject (type, id, author, version, review, severity, opened_at)
        values ('POST', '{post}', '{author}', 1, 'OPEN', 0.5, now())"
    );
    platform.app.db.execute(AssertSqlSafe(content)).await.unwrap();
    post
}
