//! What the README's permission matrix (`## Who may what`) is tested with: users, and a request for each operation.
use std::future::{Ready, ready};

use axum::body::Body;
use axum::http::{Request, header};
use serde_json::json;
use sqlx::postgres::PgConnectOptions;
use uuid::Uuid;

use crate::SERVICE;
use crate::core::testing::{self, Platform};
use crate::perspective::tests::model;
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
    let settings = ["--perspective-keys", "matrix=key", "--moderation-model", &model()];
    Platform::start(&SERVICE, database, &settings).await
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
pub fn request(_: &Platform, operation: &str, _: &Person) -> Ready<Request<Body>> {
    let comment = json!({ "text": "one two" });
    let body = match operation {
        "GET /api/v1/me/moderations" | "GET /$discovery/rest" => None,
        "POST /api/v1/analyze" => Some(comment),
        "POST /v1alpha1/comments:analyze" => {
            Some(json!({ "comment": comment, "requestedAttributes": { "THREAT": {} } }))
        }
        "POST /v1alpha1/comments:suggestscore" => {
            let scores = json!({ "THREAT": { "summaryScore": { "value": 1 } } });
            Some(json!({ "comment": comment, "attributeScores": scores }))
        }
        other => panic!("there is no request of {other} here"),
    };
    let (method, path) = operation.split_once(' ').unwrap();
    let key = if path.starts_with("/v1alpha1/") { "?key=key" } else { "" };
    let request = Request::builder().method(method).uri(format!("{path}{key}"));
    let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
    ready(request.header(header::CONTENT_TYPE, "application/json").body(body).unwrap())
}
