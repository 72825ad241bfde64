//! What the test of the README's `## Who may what` asks this service for: people, and a request for each operation.
use std::future::{Ready, ready};

use axum::body::Body;
use axum::http::Request;
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

/// A request for an operation; without a caller.
pub fn request(_: &Platform, operation: &str, _: &Person) -> Ready<Request<Body>> {
    let path = match operation {
        "GET /api/v1/me/moderations" => "/api/v1/me/moderations",
        other => panic!("there is no request of {other} here"),
    };
    ready(Request::get(path).body(Body::empty()).unwrap())
}
