//! What the README's permission matrix (`## Who may what`) is tested with: users, and a request for each operation.
use std::future::{Ready, ready};

use axum::body::Body;
use axum::http::{Request, header};
use chrono::Utc;
use clap::FromArgMatches;
use serde_json::{Value, json};
use sqlx::postgres::PgConnectOptions;
use uuid::Uuid;

use crate::SERVICE;
use crate::blocks::events::USER_BLOCKED;
use crate::core::ground::settings::Environment;
use crate::core::testing::{self, Platform};
use crate::follows::events::USER_CONNECTED;
use crate::posts::events::POST_CREATED;
use crate::profiles::events::USER_REGISTERED;
use crate::recommended_people::tests::start_auth_service;
use crate::settings::Settings;
use crate::token_check;
use crate::unsubscribe::Scope;
use crate::unsubscribe::services::UnsubscribeLinks;

/// The operations beside the API that only this service has.
pub const BESIDE: &[&str] = &["GET /internal/rebuild", "POST /internal/system-messages"];

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
    let auth = format!("auth-service={}", start_auth_service().await.0);
    Platform::start(&SERVICE, database, &[&settings[..], &["--producers", &auth]].concat()).await
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

/// A request for an operation about `owner`, or about a post, a notification or a device of theirs; without a token.
pub async fn request(platform: &Platform, operation: &str, owner: &Person) -> Request<Body> {
    let (method, template) = operation.split_once(' ').unwrap();
    let body = match operation {
        "PATCH /api/v1/me/notification-preferences" => json!({}),
        "POST /api/v1/me/devices" => phone(),
        "PATCH /api/v1/me/taste" => json!({ "shared": true }),
        "POST /api/v1/me/notifications/view" => json!({ "ids": [] }),
        "POST /internal/system-messages" => json!({ "id": Uuid::now_v7(), "title": "T", "text": "x" }),
        _ => Value::Null,
    };
    let path = match template {
        "/api/v1/posts/{post_id}/hide" | "/api/v1/me/recommendations/posts/{post_id}/not-interested" => {
            template.replace("{post_id}", &publish(platform, owner).await.to_string())
        }
        "/api/v1/me/notifications/{notification_id}" | "/api/v1/me/notifications/{notification_id}/view" => {
            template.replace("{notification_id}", &notify(platform, owner).await)
        }
        "/api/v1/me/devices/{device_id}" => template.replace("{device_id}", &register(platform, owner).await),
        "/api/v1/notifications/unsubscribe" => {
            format!("{template}?token={}", links(platform).token(owner.id, Scope::All))
        }
        // It ends with what is there.
        "/api/v1/me/notifications/stream" => format!("{template}?seconds=0"),
        other => other.replace("{user_id}", &owner.id.to_string()).replace("{tag}", "rust"),
    };
    assert!(!path.contains('{'), "there is no request of {operation} here");
    let body = if body.is_null() { Body::empty() } else { Body::from(body.to_string()) };
    let request = Request::builder().method(method).uri(path).header(header::CONTENT_TYPE, "application/json");
    request.body(body).unwrap()
}

/// A post of a user.
async fn publish(platform: &Platform, owner: &Person) -> Uuid {
    let post = Uuid::now_v7();
    let version = json!({ "id": post, "created_at": "2026-11-20T12:00:00+00:00", "created_by": owner.id,
        "updated_at": "2026-11-20T12:00:00+00:00", "title": null, "content": "x", "types": ["NEWS"], "status": "POSTED" });
    platform.consume(POST_CREATED, &version).await;
    post
}

/// Lets a user connect to the owner; the id of the notification of it.
async fn notify(platform: &Platform, owner: &Person) -> String {
    let connection = json!({ "user_id": Uuid::now_v7(), "target_id": owner.id, "at": Utc::now() });
    platform.consume(USER_CONNECTED, &connection).await;
    let list = platform.call("GET", "/me/notifications", Some(&owner.token), None).await;
    list.body[0]["id"].as_str().unwrap().to_owned()
}

/// A device of a user; its id.
async fn register(platform: &Platform, owner: &Person) -> String {
    let device = platform.call("POST", "/me/devices", Some(&owner.token), Some(phone())).await;
    device.body["id"].as_str().unwrap().to_owned()
}

/// A phone of its own.
fn phone() -> Value {
    json!({ "provider": "FCM", "token": Uuid::now_v7() })
}

/// The links that the service under test writes into mails.
pub fn links(platform: &Platform) -> UnsubscribeLinks {
    let settings = Settings::from_arg_matches(&platform.settings()).unwrap();
    UnsubscribeLinks::new(&settings.links, Environment::Development).unwrap()
}
