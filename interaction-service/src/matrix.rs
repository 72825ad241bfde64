//! What the README's permission matrix (`## Who may what`) is tested with: users, and a request for each operation.
use std::future::{Ready, ready};
use std::ops::Deref;
use std::sync::Arc;

use axum::body::Body;
use axum::http::{Request, header};
use serde_json::{Value, json};
use sqlx::postgres::PgConnectOptions;
use uuid::Uuid;

use crate::blocks::events::USER_BLOCKED;
use crate::comments::events::COMMENT_DELETE_REQUESTED;
use crate::core::testing::{self, Platform};
use crate::posts::events::POST_CREATED;
use crate::posts::testing::{self as posts, PostService, post};
use crate::token_check;

/// The operations beside the API that only this service has.
pub const BESIDE: &[&str] = &[
    "GET /internal/nfts/{comment_id}",
    "GET /internal/read-model/comments",
    "GET /internal/read-model/reactions",
    "GET /internal/read-model/comment-reactions",
];

/// The service with a stub of the post service.
pub struct World {
    platform: Platform,
    posts: Arc<PostService>,
}

impl Deref for World {
    type Target = Platform;

    fn deref(&self) -> &Platform {
        &self.platform
    }
}

/// The settings that this service needs in tests.
pub async fn settings() -> Vec<String> {
    token_check::start_stub_auth_service().await
}

/// Starts the service for all requests.
pub async fn start(database: PgConnectOptions) -> World {
    let (platform, posts) = posts::start(database).await;
    World { platform, posts }
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

/// Lets a user block another one.
pub async fn block(world: &World, owner: &Person, other: &Person) {
    let block = json!({ "user_id": owner.id, "target_id": other.id, "at": "2026-11-20T12:00:00+00:00" });
    world.consume(USER_BLOCKED, &block).await;
}

/// A request for an operation, about a comment or reaction of `owner` on a published post of theirs; without a token.
pub async fn request(world: &World, operation: &str, owner: &Person) -> Request<Body> {
    if let Some(path) = operation.strip_prefix("GET ").filter(|path| path.starts_with("/internal/read-model/")) {
        return Request::get(path).body(Body::empty()).unwrap();
    }
    let published = post(owner.id, "POSTED");
    world.consume(POST_CREATED, &published).await;
    world.posts.add_post(&published);
    if operation == "GET /internal/nfts/{comment_id}" {
        let text = json!({ "content": "x" });
        let path = format!("/{}/comments", published["id"].as_str().unwrap());
        let comment = world.call("POST", &path, Some(&owner.token), Some(text)).await.body;
        let path = format!("/internal/nfts/{}", comment["id"].as_str().unwrap());
        return Request::get(path).body(Body::empty()).unwrap();
    }
    let (method, template) = operation.split_once(" /api/v1").unwrap();
    let post = published["id"].as_str().unwrap();
    let text = json!({ "content": "x" });
    let kind = json!({ "type": "LOVE" });
    let made = async |what: &str, body: &Value| {
        let made = world.call("POST", &format!("/{post}/{what}"), Some(&owner.token), Some(body.clone())).await;
        made.body["id"].as_str().unwrap().to_owned()
    };
    let (path, body) = match template {
        "/{post_id}/view" => (format!("/{post}/view"), None),
        "/{post_id}/comments" => (format!("/{post}/comments"), Some(text)),
        "/{post_id}/post-reactions" => (format!("/{post}/post-reactions"), Some(kind)),
        "/comments/hidden" => ("/comments/hidden".to_owned(), None),
        "/comments/{comment_id}/restore" => {
            let comment = made("comments", &text).await;
            let request = json!({ "content_id": comment, "raw_content": {}, "reason": "NUDITY" });
            world.consume(COMMENT_DELETE_REQUESTED, &request).await;
            (format!("/comments/{comment}/restore"), None)
        }
        "/comments/{comment_id}" => (format!("/comments/{}", made("comments", &text).await), Some(text)),
        "/post-reactions/{reaction_id}" => {
            (format!("/post-reactions/{}", made("post-reactions", &kind).await), Some(kind))
        }
        "/comments/{comment_id}/replies" => (format!("/comments/{}/replies", made("comments", &text).await), None),
        "/comments/{comment_id}/reactions" => {
            let path = format!("/comments/{}/reactions", made("comments", &text).await);
            world.call("PUT", &path, Some(&owner.token), Some(kind.clone())).await;
            (path, Some(kind))
        }
        "/{post_id}/post-reactions/mine" => {
            made("post-reactions", &kind).await;
            (format!("/{post}/post-reactions/mine"), Some(kind))
        }
        "/{post_id}/post-reactions/summary" => (format!("/{post}/post-reactions/summary"), None),
        "/{post_id}/bookmark" => (format!("/{post}/bookmark"), Some(json!({ "folder": "x" }))),
        "/me/bookmarks" | "/me/bookmarks/folders" => (template.to_owned(), None),
        other => panic!("there is no request of {other} here"),
    };
    build(method, &path, body.filter(|_| method != "GET" && method != "DELETE"))
}

fn build(method: &str, path: &str, body: Option<Value>) -> Request<Body> {
    let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
    let request = Request::builder().method(method).uri(format!("/api/v1{path}"));
    request.header(header::CONTENT_TYPE, "application/json").body(body).unwrap()
}
