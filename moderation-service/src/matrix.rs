//! What the README's permission matrix (`## Who may what`) is tested with: users, and a request for each operation.
use std::future::{Ready, ready};

use axum::body::Body;
use axum::http::{Request, header};
use serde_json::{Value, json};
use sqlx::postgres::PgConnectOptions;
use uuid::Uuid;

use crate::SERVICE;
use crate::core::testing::{self, Platform};
use crate::decisions::tests::{decided_by_machine, new_content};
use crate::ledger::appeal_tokens::AppealToken;
use crate::ledger::models::appeal_proof;
use crate::perspective::tests::model;
use crate::queue::tests::waiting_post;
use crate::subjects::SubjectType;
use crate::subjects::actions::Action;
use crate::token_check;

/// The operations beside the API that only this service has.
pub const BESIDE: &[&str] = &["GET /internal/read-model/moderated-posts"];

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
pub async fn request(world: &Platform, operation: &str, owner: &Person) -> Request<Body> {
    let (method, path) = operation.split_once(' ').unwrap();
    let appeal = json!({ "text": "I quoted it." });
    let (path, body) = match path {
        "/api/v1/me/moderation/decisions/{id}/appeal" => {
            (path.replace("{id}", &decision(world, owner).await.to_string()), Some(appeal))
        }
        "/api/v1/moderation/appeals/{id}/resolve" => {
            let resolution = json!({ "outcome": "UPHELD", "note": "It stands." });
            (path.replace("{id}", &appealed(world, owner, appeal).await), Some(resolution))
        }
        "/api/v1/moderation/appeals/{id}/claim" => (path.replace("{id}", &appealed(world, owner, appeal).await), None),
        "/api/v1/moderation/appeals/claim" => (path.to_owned(), Some(json!({ "limit": 1 }))),
        path if path.contains("/scheduled-decisions") => scheduled(world, path, owner).await,
        "/api/v1/moderation/appeals/by-token" => {
            let decision = decision(world, owner).await;
            let token = AppealToken::new(decision, appeal_proof(&world.app.db, decision).await.unwrap()).text();
            (format!("{path}?token={token}"), Some(json!({ "token": token, "text": "It was another person." })))
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
            let post = waiting_post(world, owner.id).await;
            (path.to_owned(), Some(json!({ "subject_type": "POST", "subject_id": post, "reason": "SPAM_COMMERCIAL" })))
        }
        "/api/v1/moderation/decisions/bulk" => {
            let subjects = json!([{ "type": "POST", "id": waiting_post(world, owner.id).await }]);
            let body = json!({ "subjects": subjects, "actions": [{ "action": "ALLOW" }], "reason": "OTHER_RULES" });
            (path.to_owned(), Some(body))
        }
        path if path.starts_with("/api/v1/moderation/subjects/") => {
            let note = ["/notes", "/escalate"].iter().any(|end| path.ends_with(end));
            let post = waiting_post(world, owner.id).await.to_string();
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
        "/api/v1/moderation/moderators/{user_id}" => scope(world, method, owner).await,
        "/api/v1/moderation/queue/claim" => (path.to_owned(), Some(json!({}))),
        "/api/v1/moderation/users/{id}/strikes" => (path.replace("{id}", &owner.id.to_string()), None),
        "/api/v1/moderation/domains/{domain}" => {
            (domain(world).await, (method == "PUT").then(|| json!({ "verdict": "WARN" })))
        }
        "/api/v1/moderation/policies" => (path.to_owned(), (method == "POST").then(|| policy(0))),
        "/api/v1/moderation/policies/{id}" | "/api/v1/moderation/policies/{id}/hits" => {
            let created = call_as_admin(world, "POST", "/moderation/policies", policy(0)).await;
            (path.replace("{id}", created["id"].as_str().unwrap()), (method == "PUT").then(|| policy(1)))
        }
        "/api/v1/moderation/pictures/blocked" => (path.to_owned(), (method == "POST").then(blocked_picture)),
        "/api/v1/moderation/pictures/blocked/{id}" => {
            let created = call_as_admin(world, "POST", "/moderation/pictures/blocked", blocked_picture()).await;
            (path.replace("{id}", created["id"].as_str().unwrap()), None)
        }
        "/api/v1/moderation/policies/simulate" => (path.to_owned(), Some(json!({ "rules": [] }))),
        "/api/v1/moderation/analyses/{id}" => (path.replace("{id}", &Uuid::now_v7().to_string()), None),
        "/api/v1/me/moderations"
        | "/api/v1/me/reports"
        | "/api/v1/moderation/queue"
        | "/api/v1/moderation/moderators"
        | "/api/v1/moderation/stats"
        | "/api/v1/moderation/transparency"
        | "/api/v1/moderation/public-log"
        | "/api/v1/moderation/domains"
        | "/$discovery/rest"
        | "/internal/read-model/moderated-posts"
        | "/api/v1/me/appeals"
        | "/api/v1/me/moderation/decisions"
        | "/api/v1/moderation/appeals"
        | "/api/v1/moderation/log"
        | "/api/v1/moderation/log/verify"
        | "/api/v1/moderation/models"
        | "/api/v1/moderation/strikes/histogram" => (path.to_owned(), None),
        "/api/v1/analyze" => (path.to_owned(), Some(json!({ "text": "one two" }))),
        path if path.starts_with("/v1alpha1/") => perspective(path),
        other => panic!("there is no request of {other} here"),
    };
    let body = body.filter(|_| matches!(method, "POST" | "PUT"));
    let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
    Request::builder().method(method).uri(path).header(header::CONTENT_TYPE, "application/json").body(body).unwrap()
}

/// A request of the API that Perspective had.
fn perspective(path: &str) -> (String, Option<Value>) {
    let comment = json!({ "text": "one two" });
    let body = if path.ends_with(":analyze") {
        json!({ "comment": comment, "requestedAttributes": { "THREAT": {} } })
    } else {
        json!({ "comment": comment, "attributeScores": { "THREAT": { "summaryScore": { "value": 1 } } } })
    };
    (format!("{path}?key=key"), Some(body))
}

/// A machine's decision about a post of the owner.
async fn decision(world: &Platform, owner: &Person) -> Uuid {
    let post = new_content(world, SubjectType::Post, owner.id).await;
    decided_by_machine(world, post, owner.id, Action::Hide).await
}

/// The id of the owner's appeal against a machine's decision.
async fn appealed(world: &Platform, owner: &Person, appeal: Value) -> String {
    let path = format!("/me/moderation/decisions/{}/appeal", decision(world, owner).await);
    let made = world.call("POST", &path, Some(&owner.token), Some(appeal)).await;
    made.body["id"].as_str().unwrap().to_owned()
}

/// The path and the body of a request about decisions that are to be made later; there is one of those that it names.
async fn scheduled(world: &Platform, path: &str, owner: &Person) -> (String, Option<Value>) {
    let at = (chrono::Utc::now() + chrono::TimeDelta::hours(1)).to_rfc3339();
    let later = json!({ "actions": [{ "action": "LIMIT" }], "reason": "SPAM_LINK", "at": at });
    if path == "/api/v1/moderation/scheduled-decisions" {
        return (path.to_owned(), None);
    }
    let post = new_content(world, SubjectType::Post, owner.id).await.id.to_string();
    if path.contains("{type}") {
        return (path.replace("{type}", "POST").replace("{id}", &post), Some(later));
    }
    let of_post = format!("/moderation/subjects/POST/{post}/scheduled-decisions");
    let made = call_as_admin(world, "POST", &of_post, later).await;
    (path.replace("{id}", made["id"].as_str().unwrap()), None)
}

/// The path and the body of a request about what the owner works on; there is something to delete.
async fn scope(world: &Platform, method: &str, owner: &Person) -> (String, Option<Value>) {
    let (path, scope) = (format!("/moderation/moderators/{}", owner.id), json!({ "types": ["MEDIA"], "families": [] }));
    if method == "DELETE" {
        call_as_admin(world, "PUT", &path, scope.clone()).await;
    }
    (format!("/api/v1{path}"), Some(scope))
}

/// A policy under a name of its own, as a change of a version.
fn policy(version: i32) -> Value {
    json!({ "name": Uuid::now_v7(), "mode": "OFF", "rules": [], "version": version })
}

/// A picture that no other request has blocked.
fn blocked_picture() -> Value {
    json!({ "hash": &Uuid::now_v7().simple().to_string()[16..], "reason": "OTHER_ILLEGAL" })
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
