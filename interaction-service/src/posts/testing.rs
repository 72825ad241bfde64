//! A stub of the post service for tests: it has the posts that a test adds, and counts its calls.
use std::collections::HashMap;
use std::sync::atomic::{AtomicU16, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use serde_json::{Value, json};
use sqlx::postgres::PgConnectOptions;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use crate::SERVICE;
use crate::core::ground::worker::{Outcome, Worker};
use crate::core::testing::{Platform, Reply};
use crate::removals::models::count_removals;
use crate::removals::schedulers::Remover;

/// The stub: its posts and its behaviour.
pub struct PostService {
    posts: Mutex<HashMap<Uuid, Value>>,
    calls: AtomicUsize,
    /// The status of every answer; 200: it answers as the post service does, 0: it never answers.
    status: AtomicU16,
}

impl PostService {
    /// Adds or replaces a post.
    pub fn add_post(&self, post: &Value) {
        self.posts.lock().unwrap().insert(id(post), post.clone());
    }

    /// Removes a post.
    pub fn remove_post(&self, post: &Value) {
        self.posts.lock().unwrap().remove(&id(post));
    }

    /// The number of calls.
    pub fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }

    /// Sets the status of every answer; 200: it answers as the post service does, 0: it never answers.
    pub fn set_answer(&self, status: u16) {
        self.status.store(status, Ordering::SeqCst);
    }
}

/// The service with a stub of the post service.
pub async fn start(database: PgConnectOptions) -> (Platform, Arc<PostService>) {
    let posts = Arc::new(PostService {
        posts: Mutex::default(),
        calls: AtomicUsize::new(0),
        status: AtomicU16::new(StatusCode::OK.as_u16()),
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let router = Router::new().route("/api/v1/posts/{id}", get(retrieve_post)).with_state(posts.clone());
    TaskTracker::new().spawn(async { axum::serve(listener, router).await });
    (Platform::start(&SERVICE, database, &["--post-service-url", &url]).await, posts)
}

/// As the original: every caller with a token gets a post, in any status.
async fn retrieve_post(State(service): State<Arc<PostService>>, Path(id): Path<Uuid>, headers: HeaderMap) -> Response {
    service.calls.fetch_add(1, Ordering::SeqCst);
    match service.status.load(Ordering::SeqCst) {
        0 => std::future::pending().await,
        200 => {}
        307 => return Redirect::temporary("/elsewhere").into_response(),
        status => return StatusCode::from_u16(status).unwrap().into_response(),
    }
    let token = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !token.starts_with("Bearer ") {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    match service.posts.lock().unwrap().get(&id) {
        Some(post) => axum::Json(post).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

/// A post of this author as the post service answers and publishes it.
pub fn post(author: Uuid, status: &str) -> Value {
    json!({
        "id": Uuid::now_v7(),
        "created_at": "2026-11-20T15:10:05.564187+00:00",
        "created_by": author,
        "updated_at": "2026-11-20T15:10:05.564315+00:00",
        "updated_by": null,
        "title": "Hello",
        "content": "posted body é中😀",
        "types": ["NEWS", "BOOKS"],
        "status": status,
        "total_views": 0,
        "total_comments": 0,
        "total_reactions": 0,
        "score": 0.0,
        "popularity": 0.0,
    })
}

/// The post in its next version, with this status.
pub fn changed(post: &Value, status: &str) -> Value {
    let mut post = post.clone();
    post["status"] = json!(status);
    post["updated_at"] = json!("2026-11-21T00:00:00+00:00");
    post
}

/// The id of a post, a comment or a reaction.
pub fn id(entity: &Value) -> Uuid {
    entity["id"].as_str().unwrap().parse().unwrap()
}

/// Comments on a post and returns the answer.
pub async fn comment(platform: &Platform, author: &str, post: &Value, content: &str) -> Reply {
    let path = format!("/{}/comments", id(post));
    platform.call("POST", &path, Some(author), Some(json!({ "content": content }))).await
}

/// Reacts to a post and returns the answer.
pub async fn react(platform: &Platform, user: &str, post: &Value, kind: &str) -> Reply {
    let path = format!("/{}/post-reactions", id(post));
    platform.call("POST", &path, Some(user), Some(json!({ "type": kind }))).await
}

/// Lets the worker delete all that is beneath deleted posts and comments.
pub async fn remove_all(platform: &Platform) {
    let mut remover = Remover::new(&platform.app);
    while remover.step().await.unwrap() == Outcome::Busy || count_removals(&platform.app.db).await.unwrap() > 0 {}
}

/// The names of an object's fields, in order.
pub fn names(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

/// The status and the sentence of a refusal.
pub fn refusal(reply: &Reply) -> (u16, &Value) {
    (reply.status.as_u16(), &reply.body["detail"])
}
