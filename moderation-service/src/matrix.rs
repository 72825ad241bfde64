//! What the README's permission matrix (`## Who may what`) is tested with: users, and a request for each operation.
use std::future::{Ready, ready};

use axum::body::Body;
use axum::http::{Request, header};
use serde_json::json;
use sqlx::postgres::PgConnectOptions;
use uuid::Uuid;

use crate::SERVICE;
use crate::core::testing::{self, Platform};
use crate::decisions::tests::{decided_by_machine, new_content};
use crate::reports::tests::report;
use crate::subjects::SubjectType;
use crate::subjects::actions::Action;
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
pub async fn request(world: &Platform, operation: &str, owner: &Person) -> Request<Body> {
    let (method, path) = operation.split_once(' ').unwrap();
    let appeal = json!({ "text": "I quoted it." });
    let (path, body) = match path {
        "/api/v1/me/moderation/decisions/{id}/appeal" => {
            (path.replace("{id}", &decision(world, owner).await.to_string()), Some(appeal))
        }
        "/api/v1/moderation/appeals/{id}/resolve" => {
            let path_of_appeal = format!("/me/moderation/decisions/{}/appeal", decision(world, owner).await);
            let made = world.call("POST", &path_of_appeal, Some(&owner.token), Some(appeal)).await;
            let resolution = json!({ "outcome": "UPHELD", "note": "It stands." });
            (path.replace("{id}", made.body["id"].as_str().unwrap()), Some(resolution))
        }
        "/api/v1/moderation/decisions/{id}/reverse" => {
            let path = path.replace("{id}", &decision(world, owner).await.to_string());
            (path, Some(json!({ "note": "A mistake." })))
        }
        "/api/v1/moderation/decisions/{id}" => (path.replace("{id}", &decision(world, owner).await.to_string()), None),
        "/api/v1/moderation/subjects/{type}/{id}/decisions" => {
            let post = new_content(world, SubjectType::Post, owner.id).await;
            let path = path.replace("{type}", "POST").replace("{id}", &post.id.to_string());
            (path, Some(json!({ "actions": [{ "action": "LIMIT" }], "reason": "SPAM_LINK" })))
        }
        "/api/v1/reports" => {
            let post = waiting_post(world, owner).await;
            (path.to_owned(), Some(json!({ "subject_type": "POST", "subject_id": post, "reason": "SPAM_COMMERCIAL" })))
        }
        "/api/v1/moderation/decisions/bulk" => {
            let subjects = json!([{ "type": "POST", "id": waiting_post(world, owner).await }]);
            let body = json!({ "subjects": subjects, "actions": [{ "action": "ALLOW" }], "reason": "OTHER_RULES" });
            (path.to_owned(), Some(body))
        }
        path if path.starts_with("/api/v1/moderation/subjects/") => {
            let note = ["/notes", "/escalate"].iter().any(|end| path.ends_with(end));
            let post = waiting_post(world, owner).await.to_string();
            let path = path.replace("{type}", "POST").replace("{id}", &post);
            (path, note.then(|| json!({ "note": "Look at this." })))
        }
        "/api/v1/moderation/reporters/{user_id}" => (path.replace("{user_id}", &owner.id.to_string()), None),
        "/api/v1/moderation/reporters/{user_id}/mute" => {
            (path.replace("{user_id}", &owner.id.to_string()), Some(json!({ "muted": true })))
        }
        "/api/v1/moderation/reports/{report_id}" => {
            (path.replace("{report_id}", &Uuid::nil().to_string()), Some(json!({ "status": "IGNORED" })))
        }
        "/api/v1/moderation/queue/claim" => (path.to_owned(), Some(json!({}))),
        "/api/v1/moderation/users/{id}/strikes" => (path.replace("{id}", &owner.id.to_string()), None),
        "/api/v1/me/moderations"
        | "/api/v1/me/reports"
        | "/api/v1/moderation/queue"
        | "/api/v1/moderation/stats"
        | "/api/v1/moderation/transparency"
        | "/api/v1/moderation/public-log"
        | "/api/v1/me/appeals"
        | "/api/v1/me/moderation/decisions"
        | "/api/v1/moderation/appeals"
        | "/api/v1/moderation/log"
        | "/api/v1/moderation/log/verify" => (path.to_owned(), None),
        other => panic!("there is no request of {other} here"),
    };
    let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
    Request::builder().method(method).uri(path).header(header::CONTENT_TYPE, "application/json").body(body).unwrap()
}

/// A machine's decision about a post of the owner.
async fn decision(world: &Platform, owner: &Person) -> Uuid {
    let post = new_content(world, SubjectType::Post, owner.id).await;
    decided_by_machine(world, post, owner.id, Action::Hide).await
}

/// A post of the owner that waits in the queue.
async fn waiting_post(world: &Platform, owner: &Person) -> Uuid {
    let post = new_content(world, SubjectType::Post, owner.id).await;
    let reported = report(world, &testing::new_user().0, post.id, "SPAM_COMMERCIAL").await;
    assert_eq!(reported.status, 201, "{reported:?}");
    post.id
}
