//! What the README's permission matrix (`## Who may what`) is tested with: users, and a request for each operation.
use std::future::{Ready, ready};

use axum::body::Body;
use axum::http::Request;
use serde_json::json;
use sqlx::postgres::PgConnectOptions;
use uuid::Uuid;

use crate::SERVICE;
use crate::blocks::events::USER_BLOCKED;
use crate::core::testing::{self, Platform};
use crate::posts::events::POST_CREATED;
use crate::profiles::events::USER_REGISTERED;
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

/// A new user, whose sign-up the service has consumed.
pub async fn new_user(platform: &Platform) -> Person {
    let (token, id) = testing::new_user();
    platform.consume(USER_REGISTERED, &json!({ "id": id })).await;
    Person { id, token }
}

/// The token of a user with that status and role.
pub fn token(_: &Platform, person: &Person, status: &str, role: &str) -> Ready<String> {
    ready(format!("{}:{status}:{role}", person.id))
}

/// Lets a user block another one.
pub async fn block(platform: &Platform, owner: &Person, other: &Person) {
    let block = json!({ "user_id": owner.id, "target_id": other.id, "at": "2026-11-20T12:00:00+00:00" });
    platform.consume(USER_BLOCKED, &block).await;
}

/// A request for an operation about `owner`, or a published post of theirs; without a token.
pub async fn request(platform: &Platform, operation: &str, owner: &Person) -> Request<Body> {
    let (method, template) = operation.split_once(' ').unwrap();
    let path = match template {
        "/api/v1/posts/{post_id}/hide" => template.replace("{post_id}", &publish(platform, owner).await.to_string()),
        other => other.replace("{user_id}", &owner.id.to_string()),
    };
    assert!(!path.contains('{'), "there is no request of {operation} here");
    Request::builder().method(method).uri(path).body(Body::empty()).unwrap()
}

/// A post of a user.
async fn publish(platform: &Platform, owner: &Person) -> Uuid {
    let post = Uuid::now_v7();
    let version = json!({ "id": post, "created_at": "2026-11-20T12:00:00+00:00", "created_by": owner.id,
        "updated_at": "2026-11-20T12:00:00+00:00", "title": null, "content": "x", "types": ["NEWS"], "status": "POSTED" });
    platform.consume(POST_CREATED, &version).await;
    post
}
