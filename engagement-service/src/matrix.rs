//! What the README's permission matrix (`## Who may what`) is tested with: users, and a request for each operation.
use std::future::{Ready, ready};

use axum::body::Body;
use axum::http::{Request, header};
use chrono::Utc;
use serde_json::json;
use sqlx::postgres::PgConnectOptions;
use uuid::Uuid;

use crate::SERVICE;
use crate::core::testing::{self, Platform};
use crate::follows::events::USER_CONNECTED;
use crate::profiles::events::USER_REGISTERED;
use crate::token_check;

/// The operations beside the API that only this service has.
pub const BESIDE: &[&str] = &["POST /internal/system-messages"];

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

/// A request for an operation, where it names one about a notification of the owner; without a token.
pub async fn request(platform: &Platform, operation: &str, owner: &Person) -> Request<Body> {
    let (method, template) = operation.split_once(' ').unwrap();
    let (path, body) = match template {
        "/api/v1/me/activity-profile" | "/api/v1/me/notifications" | "/api/v1/me/notifications/unread-count" => {
            (template.to_owned(), None)
        }
        // It ends with what is there.
        "/api/v1/me/notifications/stream" => (format!("{template}?seconds=0"), None),
        "/api/v1/me/notifications/view" => (template.to_owned(), Some(json!({ "ids": [] }))),
        "/api/v1/me/notifications/{notification_id}" | "/api/v1/me/notifications/{notification_id}/view" => {
            (template.replace("{notification_id}", &notify(platform, owner).await), None)
        }
        "/internal/system-messages" => {
            (template.to_owned(), Some(json!({ "id": Uuid::now_v7(), "title": "T", "text": "x" })))
        }
        other => panic!("there is no request of {other} here"),
    };
    let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
    let request = Request::builder().method(method).uri(path).header(header::CONTENT_TYPE, "application/json");
    request.body(body).unwrap()
}

/// Lets a user connect to the owner; the id of the notification of it.
async fn notify(platform: &Platform, owner: &Person) -> String {
    let connection = json!({ "user_id": Uuid::now_v7(), "target_id": owner.id, "at": Utc::now() });
    platform.consume(USER_CONNECTED, &connection).await;
    let list = platform.call("GET", "/me/notifications", Some(&owner.token), None).await;
    list.body[0]["id"].as_str().unwrap().to_owned()
}
