//! An API that answers every documented operation with an answer of its document, and keeps what it was asked.
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use futures::stream::{self, StreamExt};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::documents::operation;

/// The id of everything, the caller included.
pub const ID: &str = "00000000-0000-7000-8000-000000000001";

/// A call as it arrived.
#[derive(Clone, Debug)]
pub struct Call {
    pub method: String,
    pub path: String,
    pub query: String,
    pub body: Value,
    /// The body as it came.
    pub text: String,
    pub headers: HeaderMap,
}

/// An answer in place of the document's, with a header more or none.
#[derive(Clone)]
struct Instead {
    call: String,
    status: u16,
    body: Value,
    header: Option<(&'static str, &'static str)>,
}

#[derive(Default)]
struct Memory {
    calls: Vec<Call>,
    /// What is answered in place of the document's: by method and the beginning of the path.
    instead: Vec<Instead>,
    /// What streams begin with: by method and path. They do not end.
    streams: Vec<(String, String)>,
    text: String,
    /// How many bytes of bodies have come.
    arrived: watch::Sender<usize>,
}

/// The stub; it ends with the value.
pub struct Stub {
    pub url: String,
    memory: Arc<Mutex<Memory>>,
    _serving: JoinSet<()>,
}

impl Stub {
    pub async fn start() -> Self {
        let memory = Arc::new(Mutex::new(Memory { text: "plain".to_owned(), ..Memory::default() }));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let routes = Router::new().fallback(answer).with_state(memory.clone());
        let mut serving = JoinSet::new();
        serving.spawn(async move { axum::serve(listener, routes).await.unwrap() });
        Self { url, memory, _serving: serving }
    }

    /// Every text of its answers from here on.
    pub fn write(&self, text: &str) {
        text.clone_into(&mut self.memory.lock().unwrap().text);
    }

    /// Answers calls of that method and path (`GET /users/me`) with this.
    pub fn answer(&self, call: &str, status: u16, body: Value) {
        let instead = Instead { call: call.to_owned(), status, body, header: None };
        self.memory.lock().unwrap().instead.insert(0, instead);
    }

    /// The same, with a header.
    pub fn answer_with(&self, call: &str, status: u16, body: Value, header: (&'static str, &'static str)) {
        let instead = Instead { call: call.to_owned(), status, body, header: Some(header) };
        self.memory.lock().unwrap().instead.insert(0, instead);
    }

    /// Answers calls of that method and path with a stream of events that begins so, and stays open.
    pub fn stream(&self, call: &str, events: &str) {
        self.memory.lock().unwrap().streams.push((call.to_owned(), events.to_owned()));
    }

    /// How many bytes of bodies have come so far, whether or not they are whole.
    pub fn arrived(&self) -> watch::Receiver<usize> {
        self.memory.lock().unwrap().arrived.subscribe()
    }

    /// Forgets the calls so far.
    pub fn forget(&self) {
        self.memory.lock().unwrap().calls.clear();
    }

    /// The calls of that method and path.
    pub fn calls(&self, call: &str) -> Vec<Call> {
        let memory = self.memory.lock().unwrap();
        memory.calls.iter().filter(|made| format!("{} {}", made.method, made.path) == call).cloned().collect()
    }

    /// All calls so far that no document has, or that send a field that theirs does not have.
    pub fn undocumented(&self) -> Vec<String> {
        let memory = self.memory.lock().unwrap();
        let odd = |call: &Call| {
            let name = format!("{} {}", call.method, call.path);
            let Some(operation) = operation(&call.method, &format!("/api/v1{}", call.path)) else { return Some(name) };
            let known = operation.fields().unwrap_or_default();
            let sent = call.body.as_object().into_iter().flatten().map(|(field, _)| field);
            let odd: Vec<_> = sent.filter(|field| !known.contains(field)).collect();
            (!odd.is_empty()).then(|| format!("{name}: {odd:?}"))
        };
        memory.calls.iter().filter_map(odd).collect()
    }
}

async fn answer(
    State(memory): State<Arc<Mutex<Memory>>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let path = uri.path().strip_prefix("/api/v1").unwrap_or(uri.path()).to_owned();
    let arrived = memory.lock().unwrap().arrived.clone();
    let bytes = read(body, &arrived).await;
    let (body, text) = (serde_json::from_slice(&bytes).unwrap_or_default(), String::from_utf8_lossy(&bytes));
    let query = uri.query().unwrap_or_default().to_owned();
    let signed = headers.get(header::AUTHORIZATION).cloned();
    let mut memory = memory.lock().unwrap();
    memory.calls.push(Call {
        method: method.to_string(),
        path: path.clone(),
        query,
        body,
        text: text.into_owned(),
        headers,
    });
    let call = format!("{method} {path}");
    if let Some((_, events)) = memory.streams.iter().find(|(streamed, _)| *streamed == call) {
        let begins = stream::iter([Ok::<_, std::convert::Infallible>(events.clone())]);
        let kind = [(header::CONTENT_TYPE, "text/event-stream")];
        return (kind, Body::from_stream(begins.chain(stream::pending()))).into_response();
    }
    if signed.is_some_and(|token| token == "Bearer old") {
        return (StatusCode::UNAUTHORIZED, axum::Json(json!({ "detail": "Invalid credential" }))).into_response();
    }
    let instead = memory.instead.iter().find(|instead| instead.call == call).cloned();
    let header = instead.as_ref().and_then(|instead| instead.header);
    let (status, body) = match (instead, operation(method.as_str(), uri.path())) {
        (Some(instead), _) => (instead.status, instead.body),
        (None, Some(operation)) => operation.answer(&memory.text),
        (None, None) => (404, json!({ "detail": "Not Found" })),
    };
    let status = StatusCode::from_u16(status).unwrap();
    if status == StatusCode::NO_CONTENT {
        return status.into_response();
    }
    let mut answer = (status, axum::Json(body)).into_response();
    if let Some((name, value)) = header {
        answer.headers_mut().insert(name, value.parse().unwrap());
    }
    answer
}

/// The whole body, counted while it comes; what broke off ends there.
async fn read(mut body: Body, arrived: &watch::Sender<usize>) -> Vec<u8> {
    let mut bytes = Vec::new();
    while let Some(Ok(frame)) = body.frame().await {
        let part: Bytes = frame.into_data().unwrap_or_default();
        arrived.send_modify(|count| *count += part.len());
        bytes.extend_from_slice(&part);
    }
    bytes
}
