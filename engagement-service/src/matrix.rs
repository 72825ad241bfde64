//! What the README's permission matrix (`## Who may what`) is tested with: users, and a request for each operation.
use std::future::{Ready, ready};

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};
use sqlx::postgres::PgConnectOptions;
use uuid::Uuid;

use crate::SERVICE;
use crate::core::testing::{self, Platform};
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
    let key = "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw";
    let settings = ["--vapid-private-key", key, "--vapid-subject", "mailto:operators@example.org"];
    Platform::start(&SERVICE, database, &settings).await
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
pub async fn request(platform: &Platform, operation: &str, owner: &Person) -> Request<Body> {
    let (method, path) = operation.split_once(' ').unwrap();
    let (path, body) = match operation {
        "GET /api/v1/me/activity-profile" | "GET /api/v1/me/devices" | "GET /api/v1/push/vapid-public-key" => {
            (path.to_owned(), Body::empty())
        }
        "POST /api/v1/me/devices" => (path.to_owned(), Body::from(phone().to_string())),
        "DELETE /api/v1/me/devices/{device_id}" => {
            let device = platform.call("POST", "/me/devices", Some(&owner.token), Some(phone())).await;
            (path.replace("{device_id}", device.body["id"].as_str().unwrap()), Body::empty())
        }
        other => panic!("there is no request of {other} here"),
    };
    Request::builder().method(method).uri(path).body(body).unwrap()
}

/// A phone of its own.
fn phone() -> Value {
    json!({ "provider": "FCM", "token": Uuid::now_v7() })
}
