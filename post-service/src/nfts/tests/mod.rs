//! NFTs, through their routes, their workers and their events.
mod pipeline;
mod stores;
mod withdrawal;

use std::collections::VecDeque;
use std::io::Write;
use std::sync::{Arc, Mutex};

use axum::body::Body;
use axum::extract::Path;
use axum::http::{HeaderMap, Method, Request, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use clap::FromArgMatches;
use http_body_util::BodyExt;
use serde_json::{Value, json};
use sqlx::Executor;
use sqlx::postgres::PgConnectOptions;
use uuid::Uuid;

use super::schedulers::{Minter, Unpinner};
use super::state::Nfts;
use crate::SERVICE;
use crate::core::ground::worker::{Outcome, Worker};
use crate::core::testing::Platform;
use crate::settings::Settings;

/// The comment that the stub of the interaction service does not have.
pub const GONE: Uuid = Uuid::from_u128(404);
/// The comment about which it answers with an error.
pub const BROKEN: Uuid = Uuid::from_u128(500);
/// The comment that does not reach it: what answers is a proxy without a route.
pub const MISLED: Uuid = Uuid::from_u128(502);

/// The key of the first account of every development node; no secret.
const KEY: &str = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";
/// The contract that such an account deploys first.
pub const CONTRACT: &str = "0x5FbDB2315678afecb367f032d93F642f64180aa3";
/// The second and third account of every development node.
pub const WALLET: &str = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8";
pub const STRANGER: &str = "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC";

/// Where all tests keep metadata: no two records have the same.
const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/nft-metadata");

/// A platform with minting on, a folder for metadata, and a stub of the interaction service. Its chain has a node that is away:
/// vouchers are given without one.
pub async fn start(database: PgConnectOptions) -> Platform {
    start_with(database, &[]).await
}

/// The same with more settings.
pub async fn start_with(database: PgConnectOptions, more: &[&str]) -> Platform {
    let comments = format!("interaction-service={}", start_comments().await);
    let mut settings = vec!["--minting", "on", "--nft-folder", FOLDER, "--producers", &comments];
    let chain = chain_settings("http://127.0.0.1:9", CONTRACT);
    settings.extend(chain.iter().map(String::as_str).chain(more.iter().copied()));
    Platform::start(&SERVICE, database, &settings).await
}

/// The settings of a chain whose blocks stay at once, and whose first account deploys, mints and pays.
pub fn chain_settings(url: &str, contract: &str) -> Vec<String> {
    let file = format!("{FOLDER}.key");
    let mut own = tempfile::NamedTempFile::new_in(concat!(env!("CARGO_MANIFEST_DIR"), "/../target")).unwrap();
    own.write_all(KEY.as_bytes()).unwrap();
    // At once, under the eyes of other tests that do the same.
    own.persist(&file).unwrap();
    [
        ("--chain-rpc-url", url),
        ("--chain-id", "31337"),
        ("--minting-contract", contract),
        ("--minting-key-file", &file),
        ("--minting-confirmations", "1"),
    ]
    .map(|(name, value)| format!("{name}={value}"))
    .to_vec()
}

/// A stub of the interaction service, which has a comment of every user, under the user's own id.
async fn start_comments() -> String {
    let answer = async |headers: HeaderMap, Path(id): Path<Uuid>| {
        assert_eq!(headers["authorization"], "Bearer operator");
        if id == GONE {
            let problem = json!({ "type": "urn:problem:comment-not-found", "title": "Not Found", "status": 404 });
            return (StatusCode::NOT_FOUND, axum::Json(problem)).into_response();
        }
        if id == MISLED {
            let problem = json!({ "type": "about:blank", "title": "Not Found", "status": 404, "detail": "Not Found" });
            return (StatusCode::NOT_FOUND, axum::Json(problem)).into_response();
        }
        if id == BROKEN {
            return StatusCode::BAD_GATEWAY.into_response();
        }
        let at = "2026-11-20T12:00:00+00:00";
        let record_id = Uuid::from_u128(id.as_u128() ^ 1);
        axum::Json(json!({
            "record_id": record_id, "comment_id": id, "post_id": Uuid::nil(), "created_by": id, "created_at": at,
            "updated_at": at, "content": "Well said.",
        }))
        .into_response()
    };
    serve(axum::Router::new().route("/internal/nfts/{id}", get(answer))).await
}

async fn serve(router: axum::Router) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio_util::task::TaskTracker::new().spawn(async { axum::serve(listener, router).await });
    url
}

/// The NFTs of a platform, as its settings describe them.
pub fn nfts(platform: &Platform) -> Arc<Nfts> {
    Nfts::open(&platform.app, &Settings::from_arg_matches(&platform.settings()).unwrap().nfts).unwrap()
}

/// Lets the worker carry out all that is due.
pub async fn mint_due(platform: &Platform) {
    let mut minter = Minter::new(&platform.app, nfts(platform));
    while minter.step().await.unwrap() == Outcome::Busy {}
}

/// Lets the worker remove all that is due.
pub async fn remove_due(platform: &Platform) {
    let mut unpinner = Unpinner::new(&platform.app, nfts(platform));
    while unpinner.step().await.unwrap() == Outcome::Busy {}
}

/// Makes all that waits due, as if its time had come.
pub async fn make_due(platform: &Platform) {
    platform.app.db.execute("update mint set next_try_at = now(); update unpin set next_try_at = now()").await.unwrap();
}

/// Asks for the minting of a post.
pub async fn ask(platform: &Platform, author: &str, post: &Value) -> Value {
    let path = format!("/nfts/{}/mint", post["id"].as_str().unwrap());
    let reply = platform.call("POST", &path, Some(author), None).await;
    assert_eq!(reply.status, 202, "{reply:?}");
    reply.body
}

/// An NFT as its author reads it.
pub async fn read(platform: &Platform, author: &str, nft: &Value) -> Value {
    let reply = platform.call("GET", &format!("/nfts/{}", nft["id"].as_str().unwrap()), Some(author), None).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    reply.body
}

/// The NFT of a post whose metadata is pinned.
pub async fn pinned(platform: &Platform, author: &str, post: &Value) -> Value {
    let nft = ask(platform, author, post).await;
    mint_due(platform).await;
    let nft = read(platform, author, &nft).await;
    assert_eq!(nft["status"], "PINNED", "{nft}");
    nft
}

/// The status of the route at which metadata is served, without a token.
pub async fn served(platform: &Platform, nft: &Value) -> u16 {
    let path = format!("/nfts/metadata/{}", nft["cid"].as_str().unwrap());
    platform.call("GET", &path, None, None).await.status.as_u16()
}

/// What a stub was asked: method, path with query, headers, body.
#[derive(Debug)]
pub struct Asked {
    pub method: Method,
    pub uri: Uri,
    pub headers: HeaderMap,
    pub body: String,
}

/// A stub of a server: it answers in the given order, and keeps what it was asked.
#[derive(Clone, Default)]
pub struct Stub {
    pub asked: Arc<Mutex<Vec<Asked>>>,
    answers: Arc<Mutex<VecDeque<Answer>>>,
}

/// An answer of a stub.
pub enum Answer {
    Body(u16, String),
    RetryAfter(u16, &'static str),
    /// None ever comes.
    Silence,
}

impl Stub {
    /// Starts a stub; its address and itself.
    pub async fn start() -> (String, Self) {
        let stub = Self::default();
        let own = stub.clone();
        let answer = move |request: Request<Body>| own.clone().answer(request);
        (serve(axum::Router::new().fallback(answer)).await, stub)
    }

    pub fn answers(&self, answer: Answer) {
        self.answers.lock().unwrap().push_back(answer);
    }

    async fn answer(self, request: Request<Body>) -> Response {
        let (parts, body) = request.into_parts();
        let body = String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap();
        let asked = Asked { method: parts.method, uri: parts.uri, headers: parts.headers, body };
        self.asked.lock().unwrap().push(asked);
        let answer = self.answers.lock().unwrap().pop_front();
        match answer {
            Some(Answer::Body(status, body)) => (StatusCode::from_u16(status).unwrap(), body).into_response(),
            Some(Answer::RetryAfter(status, when)) => {
                (StatusCode::from_u16(status).unwrap(), [("retry-after", when)], "slow down").into_response()
            }
            Some(Answer::Silence) => std::future::pending().await,
            None => StatusCode::IM_A_TEAPOT.into_response(),
        }
    }

    /// What was asked since the last look, as `METHOD path?query`.
    pub fn requests(&self) -> Vec<String> {
        self.asked.lock().unwrap().drain(..).map(|asked| format!("{} {}", asked.method, asked.uri)).collect()
    }
}
