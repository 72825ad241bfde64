//! What the README's permission matrix (`## Who may what`) is tested with: users, and a request for each operation.
use std::future::{Ready, ready};
use std::sync::OnceLock;

use axum::body::Body;
use axum::http::{Request, header};
use serde_json::{Value, json};
use sqlx::postgres::PgConnectOptions;
use uuid::Uuid;

use crate::blocks::events::USER_BLOCKED;
use crate::core::testing::{self, Platform};
use crate::media;
use crate::media::tests::buckets::Bucket;
use crate::nfts;
use crate::posts::events::POST_DELETE_REQUESTED;
use crate::token_check;

/// The operations beside the API that only this service has.
pub const BESIDE: &[&str] = &["GET /internal/media/{media_id}", "GET /internal/read-model/posts"];

/// What requests are sent to.
pub type World = Platform;

/// The settings that this service needs in tests.
pub async fn settings() -> Vec<String> {
    let mut settings = token_check::start_stub_auth_service().await;
    settings.extend(["--media-store".to_owned(), media::tests::shared_folder()]);
    settings
}

/// Starts the service for all requests, with a bucket for pictures, which is there as long as the process.
pub async fn start(database: PgConnectOptions) -> World {
    static BUCKET: OnceLock<Bucket> = OnceLock::new();
    let new = Bucket::start().await;
    let bucket = BUCKET.get_or_init(|| new);
    let settings: Vec<&str> = bucket.settings.iter().map(String::as_str).collect();
    nfts::tests::start_with(database, &settings).await
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
pub async fn block(platform: &Platform, owner: &Person, other: &Person) {
    let block = json!({ "user_id": owner.id, "target_id": other.id, "at": "2026-11-20T12:00:00+00:00" });
    platform.consume(USER_BLOCKED, &block).await;
}

/// A request for an operation, about a published post of `owner`; without a token.
pub async fn request(platform: &Platform, operation: &str, owner: &Person) -> Request<Body> {
    let text = json!({ "content": "x", "types": [], "status": "POSTED" });
    let post = platform.call("POST", "/posts", Some(&owner.token), Some(text.clone())).await;
    let one = format!("/posts/{}", post.body["id"].as_str().unwrap());
    match operation {
        "GET /api/v1/posts" => build("GET", "/posts", None),
        "POST /api/v1/posts" => build("POST", "/posts", Some(text)),
        "GET /api/v1/posts/category-choices" => build("GET", "/posts/category-choices", None),
        "POST /api/v1/posts/lookup" => build("POST", "/posts/lookup", Some(json!({ "ids": [post.body["id"]] }))),
        "GET /api/v1/posts/{post_id}" => build("GET", &one, None),
        "PUT /api/v1/posts/{post_id}" => build("PUT", &one, Some(text)),
        "GET /api/v1/posts/search" => build("GET", "/posts/search?q=x", None),
        "GET /api/v1/search/suggest" => build("GET", "/search/suggest?q=x", None),
        "GET /api/v1/posts/{post_id}/history" => build("GET", &format!("{one}/history"), None),
        "GET /api/v1/me/drafts" => build("GET", "/me/drafts", None),
        "GET /api/v1/users/{user_id}/posts/count" => build("GET", &format!("/users/{}/posts/count", owner.id), None),
        "GET /api/v1/posts/hidden" => build("GET", "/posts/hidden", None),
        "POST /api/v1/posts/{post_id}/restore" => {
            let request = json!({ "content_id": post.body["id"], "raw_content": post.body, "reason": "NUDITY" });
            platform.consume(POST_DELETE_REQUESTED, &request).await;
            build("POST", &format!("{one}/restore"), None)
        }
        "DELETE /api/v1/posts/{post_id}" => build("DELETE", &one, None),
        "GET /api/v1/items/{item_id}" => {
            let mut text = text;
            text["item"] = json!({ "kind": "LINK", "url": format!("https://{}.example/", owner.id), "title": "T" });
            let post = platform.call("POST", "/posts", Some(&owner.token), Some(text)).await;
            build("GET", &format!("/items/{}", post.body["item"]["id"].as_str().unwrap()), None)
        }
        "GET /api/v1/tags/trending" => build("GET", "/tags/trending", None),
        "GET /api/v1/tags/{tag}/posts" => build("GET", "/tags/rust/posts", None),
        "GET /api/v1/me/nfts" => build("GET", "/me/nfts", None),
        "GET /api/v1/nfts/{id}" => {
            let nft = nfts::tests::pinned(platform, &owner.token, &post.body).await;
            build("GET", &format!("/nfts/{}", nft["id"].as_str().unwrap()), None)
        }
        "GET /api/v1/nfts/metadata/{cid}" => {
            let nft = nfts::tests::pinned(platform, &owner.token, &post.body).await;
            build("GET", &format!("/nfts/metadata/{}", nft["cid"].as_str().unwrap()), None)
        }
        "POST /api/v1/nfts/{post_id}/mint" => build("POST", &format!("{}/mint", one.replace("posts", "nfts")), None),
        "POST /api/v1/nfts/{id}/voucher" | "POST /api/v1/nfts/{id}/token" => {
            let nft = nfts::tests::pinned(platform, &owner.token, &post.body).await;
            let path = operation.replace("POST /api/v1", "").replace("{id}", nft["id"].as_str().unwrap());
            build("POST", &path, Some(json!({ "recipient": nfts::tests::WALLET })))
        }
        // The stub of the interaction service has a comment of every user, under the user's own id.
        "POST /api/v1/nfts/comments/{comment_id}/mint" => {
            build("POST", &format!("/nfts/comments/{}/mint", owner.id), None)
        }
        media if media.contains("/media") || media.contains("/me/") => request_media(platform, media, owner).await,
        "GET /internal/read-model/posts" => Request::get("/internal/read-model/posts").body(Body::empty()).unwrap(),
        other => panic!("there is no request of {other} here"),
    }
}

/// A request for an operation about a picture of `owner`, which a post and a profile show.
async fn request_media(platform: &Platform, operation: &str, owner: &Person) -> Request<Body> {
    use media::tests::direct::{begin, put};
    use media::tests::{form, picture, ready};
    let (method, path) = operation.split_once(' ').unwrap();
    if path == "/api/v1/media/uploads" {
        return build("POST", "/media/uploads", Some(json!({ "purpose": "POST", "bytes": 100 })));
    }
    if path == "/api/v1/media/uploads/{upload_id}/complete" {
        let file = picture(4, 4);
        let upload = begin(platform, &owner.token, file.len()).await.body;
        assert_eq!(put(&upload, &file).await, 200);
        return build("POST", &format!("/media/uploads/{}/complete", upload["id"].as_str().unwrap()), None);
    }
    if operation == "POST /api/v1/media" {
        return form("POST", &picture(4, 4));
    }
    let purpose = match path {
        "/api/v1/me/avatar" => "AVATAR",
        "/api/v1/me/banner" => "BANNER",
        _ => "POST",
    };
    let id = ready(platform, &owner.token, purpose, &picture(4, 4)).await;
    let body = match method {
        "PUT" => Some(json!({ "media_id": id })),
        "PATCH" => Some(json!({ "alt": "A dot" })),
        _ => None,
    };
    if path == "/internal/media/{media_id}" {
        return Request::get(format!("/internal/media/{id}")).body(Body::empty()).unwrap();
    }
    if path.ends_with("{rendition}") {
        let post = json!({ "content": "x", "types": [], "status": "POSTED", "media": [id] });
        let post = platform.call("POST", "/posts", Some(&owner.token), Some(post)).await.body;
        return Request::get(post["media"][0]["medium"].as_str().unwrap()).body(Body::empty()).unwrap();
    }
    let path = path.strip_prefix("/api/v1").unwrap().replace("{media_id}", &id);
    build(method, &path, body)
}

fn build(method: &str, path: &str, body: Option<Value>) -> Request<Body> {
    let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
    let request = Request::builder().method(method).uri(format!("/api/v1{path}"));
    request.header(header::CONTENT_TYPE, "application/json").body(body).unwrap()
}
