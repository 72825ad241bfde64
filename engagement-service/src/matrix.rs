//! What the README's permission matrix (`## Who may what`) is tested with: users, and a request for each operation.
use std::future::{Ready, ready};

use axum::body::Body;
use axum::http::Request;
use serde_json::json;
use sqlx::postgres::PgConnectOptions;
use uuid::Uuid;

use crate::SERVICE;
use crate::core::testing::{self, Platform};
use crate::profiles::events::USER_REGISTERED;
use crate::token_check;

/// The operations beside the API that only this service has.
pub const BESIDE: &[&str] = &["GET /internal/rebuild"];

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

/// Lets a user block another one: nothing here depends on it.
pub fn block(_: &Platform, _: &Person, _: &Person) -> Ready<()> {
    ready(())
}

/// A request for an operation, without a token.
pub fn request(_: &Platform, operation: &str, _: &Person) -> Ready<Request<Body>> {
    let path = match operation {
        "GET /api/v1/me/activity-profile" => "/api/v1/me/activity-profile",
        "GET /internal/rebuild" => "/internal/rebuild",
        other => panic!("there is no request of {other} here"),
    };
    ready(Request::get(path).body(Body::empty()).unwrap())
}
