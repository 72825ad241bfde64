//! An API that answers at once: what the gateway has answered before, from memory.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result};
use axum::Router;
use axum::body::to_bytes;
use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, LINK};
use axum::http::{HeaderName, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use hyper::HeaderMap;
use hyper::body::Bytes;
use reqwest::Client;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

use crate::client;

/// How long an answer that is not known yet may take.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

/// The largest request that the web client sends to read something, in bytes.
const MAX_QUESTION: usize = 65_536;

/// A request of the API: its method, its path with the query, its body.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Call {
    pub method: Method,
    pub path: String,
    pub body: Bytes,
}

type Answer = (StatusCode, HeaderMap, Bytes);

/// A server in a runtime of its own. It ends with this value.
pub struct ReplayServer {
    pub address: SocketAddr,
    replay: Arc<Replay>,
    runtime: Option<Runtime>,
}

/// Answers to calls: all readers are one.
struct Replay {
    origin: String,
    http: Client,
    known: Mutex<HashMap<Call, Answer>>,
}

impl ReplayServer {
    /// Starts without an answer; each is asked for once, at this origin.
    pub async fn start(origin: String) -> Result<ReplayServer> {
        let listener = TcpListener::bind("127.0.0.1:0").await.context("no port can be listened on")?;
        let (address, listener) = (listener.local_addr()?, listener.into_std()?);
        let replay = Arc::new(Replay { origin, http: client::http(ANSWER_TIMEOUT)?, known: Mutex::default() });
        let routes = Router::new().fallback(answer).with_state(replay.clone());
        let runtime = Runtime::new().context("a second runtime cannot be started")?;
        runtime.spawn(async move { axum::serve(TcpListener::from_std(listener)?, routes).await });
        Ok(ReplayServer { address, replay, runtime: Some(runtime) })
    }

    /// The calls of the API that were answered.
    pub fn calls(&self) -> Vec<Call> {
        let known = self.replay.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.keys().filter(|call| call.path.starts_with("/api/")).cloned().collect()
    }
}

impl Drop for ReplayServer {
    fn drop(&mut self) {
        // Inside of another runtime the end must not be waited for.
        self.runtime.take().map(Runtime::shutdown_background).unwrap_or_default();
    }
}

async fn answer(State(replay): State<Arc<Replay>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path_and_query().map(ToString::to_string).unwrap_or_default();
    let Ok(body) = to_bytes(body, MAX_QUESTION).await else { return StatusCode::BAD_REQUEST.into_response() };
    let call = Call { method: parts.method, path, body };
    let known = replay.known.lock().unwrap_or_else(PoisonError::into_inner).get(&call).cloned();
    if let Some(known) = known {
        return known.into_response();
    }
    match replay.ask(&call, &parts.headers).await {
        Ok(answer) => {
            replay.known.lock().unwrap_or_else(PoisonError::into_inner).insert(call, answer.clone());
            answer.into_response()
        }
        Err(error) => (StatusCode::BAD_GATEWAY, error.to_string()).into_response(),
    }
}

impl Replay {
    /// Asks the gateway with the caller's token, and keeps what the web client reads of an answer.
    async fn ask(&self, call: &Call, headers: &HeaderMap) -> reqwest::Result<Answer> {
        let mut request = self.http.request(call.method.clone(), format!("{}{}", self.origin, call.path));
        for name in [AUTHORIZATION, CONTENT_TYPE] {
            if let Some(value) = headers.get(&name) {
                request = request.header(name, value);
            }
        }
        let answer = request.body(call.body.clone()).send().await?;
        let kept = |name: HeaderName| answer.headers().get(&name).map(|value| (name.clone(), value.clone()));
        let kept: HeaderMap = [CONTENT_TYPE, LINK].into_iter().filter_map(kept).collect();
        Ok((answer.status(), kept, answer.bytes().await?))
    }
}
