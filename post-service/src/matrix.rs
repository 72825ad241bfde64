//! What the test of the README's `## Who may what` asks this service for: people, and a request for each operation.
use std::future::{Ready, ready};

use axum::body::Body;
use axum::http::{Request, header};
use serde_json::{Value, json};
use sqlx::postgres::PgConnectOptions;
use uuid::Uuid;

use crate::SERVICE;
use crate::core::testing::{self, Platform};
use crate::token_check;

/// What this service answers beside its API and what every service does.
pub const BESIDE: &[&str] = &[];

/// What requests are sent to.
pub type World = Platform;

/// The settings that this service needs in tests.
pub async fn settings() -> Vec<String> {
    token_check::stand_in().await
}

/// The service, for all requests.
pub async fn start(database: PgConnectOptions) -> World {
    Platform::start(&SERVICE, database, &[]).await
}

/// Somebody who owns what a request is about.
pub struct Person {
    pub id: Uuid,
    pub token: String,
}

/// Somebody new.
pub fn new_user(_: &Platform) -> Ready<Person> {
    let (token, id) = testing::new_user();
    ready(Person { id, token })
}

/// The token of somebody who has that status and role by now.
pub fn token(_: &Platform, person: &Person, status: &str, role: &str) -> Ready<String> {
    ready(format!("{}:{status}:{role}", person.id))
}

/// A request for an operation, about a post of `owner` that everybody may see; without a caller.
pub async fn request(platform: &Platform, operation: &str, owner: &Person) -> Request<Body> {
    let text = json!({ "content": "x", "types": [], "status": "POSTED" });
    let post = platform.call("POST", "/posts", Some(&owner.token), Some(text.clone())).await;
    let one = format!("/posts/{}", post.body["id"].as_str().unwrap());
    match operation {
        "GET /api/v1/posts" => build("GET", "/posts", None),
        "POST /api/v1/posts" => build("POST", "/posts", Some(text)),
        "GET /api/v1/posts/category-choices" => build("GET", "/posts/category-choices", None),
        "GET /api/v1/posts/{post_id}" => build("GET", &one, None),
        "PUT /api/v1/posts/{post_id}" => build("PUT", &one, Some(text)),
        "DELETE /api/v1/posts/{post_id}" => build("DELETE", &one, None),
        other => panic!("there is no request of {other} here"),
    }
}

fn build(method: &str, path: &str, body: Option<Value>) -> Request<Body> {
    let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
    let request = Request::builder().method(method).uri(format!("/api/v1{path}"));
    request.header(header::CONTENT_TYPE, "application/json").body(body).unwrap()
}
