//! What the README's permission matrix (`## Who may what`) is tested with: users, and a request for each operation.
use std::future::{Ready, ready};

use axum::body::Body;
use axum::http::{Request, header};
use serde_json::{Value, json};
use sqlx::postgres::PgConnectOptions;
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

/// A request for an operation, without a token.
pub async fn request(world: &Platform, operation: &str, _: &Person) -> Request<Body> {
    let (method, template) = operation.split_once(' ').unwrap();
    let (path, body) = match template {
        "/api/v1/moderation/domains/{domain}" => (domain(world).await, Some(json!({ "verdict": "WARN" }))),
        "/api/v1/moderation/policies" => (template.to_owned(), Some(policy(0))),
        "/api/v1/moderation/policies/{id}" | "/api/v1/moderation/policies/{id}/hits" => {
            let created = call_as_admin(world, "POST", "/moderation/policies", policy(0)).await;
            (template.replace("{id}", created["id"].as_str().unwrap()), Some(policy(1)))
        }
        "/api/v1/moderation/policies/simulate" => (template.to_owned(), Some(json!({ "rules": [] }))),
        "/api/v1/moderation/analyses/{id}" => (template.replace("{id}", &Uuid::now_v7().to_string()), None),
        "/api/v1/me/moderations" | "/api/v1/moderation/domains" => (template.to_owned(), None),
        other => panic!("there is no request of {other} here"),
    };
    let body = body.filter(|_| matches!(method, "POST" | "PUT")).map_or_else(Body::empty, |body| body.to_string().into());
    let request = Request::builder().method(method).uri(path).header(header::CONTENT_TYPE, "application/json");
    request.body(body).unwrap()
}

/// A policy under a name of its own, as a change of a version.
fn policy(version: i32) -> Value {
    json!({ "name": Uuid::now_v7(), "mode": "OFF", "rules": [], "version": version })
}

async fn call_as_admin(world: &Platform, method: &str, path: &str, body: Value) -> Value {
    let reply = world.call(method, path, Some(&format!("{}:ACTIVE:ADMIN", Uuid::now_v7())), Some(body)).await;
    assert!(reply.status.is_success(), "{reply:?}");
    reply.body
}

/// The path of a domain that has a rule.
async fn domain(world: &Platform) -> String {
    let path = format!("/moderation/domains/{}.example", Uuid::now_v7());
    call_as_admin(world, "PUT", &path, json!({ "verdict": "BLOCK" })).await;
    format!("/api/v1{path}")
}
