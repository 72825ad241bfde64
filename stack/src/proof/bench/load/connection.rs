//! One connection to a service, on which one request after the other is sent.

use std::net::SocketAddr;

use anyhow::{Context, Result, bail};
use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper::body::Bytes;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::http::request::Builder;
use hyper_util::rt::TokioIo;
use reqwest::header::{ACCEPT_ENCODING, AUTHORIZATION, CONTENT_TYPE, COOKIE, HOST};
use reqwest::{Method, StatusCode};
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// A request to a service, and the status that its answer must have.
#[derive(Clone)]
pub struct PreparedRequest {
    pub to: SocketAddr,
    /// Latencies are kept apart by it; empty where all are of one kind.
    pub kind: &'static str,
    request: Request<Full<Bytes>>,
    expected: StatusCode,
}

impl PreparedRequest {
    /// A read, prepared once and sent many times.
    pub fn get(to: SocketAddr, path: &str, token: &str) -> Result<PreparedRequest> {
        let request = begin(Method::GET, path, token).body(Full::default());
        Ok(PreparedRequest::new(to, request.context("a read cannot be prepared")?, StatusCode::OK))
    }

    /// A page of the web client, as a browser with this access token asks for it.
    pub fn page(to: SocketAddr, path: &str, token: &str) -> Result<PreparedRequest> {
        let request = Request::get(path).header(HOST, "127.0.0.1").header(COOKIE, format!("web_access={token}"));
        let request = request.header(ACCEPT_ENCODING, "gzip").body(Full::default());
        Ok(PreparedRequest::new(to, request.context("a page cannot be prepared")?, StatusCode::OK))
    }

    /// A creation, prepared once and sent many times.
    pub fn post(to: SocketAddr, path: &str, token: &str, body: &Value) -> Result<PreparedRequest> {
        let request = begin(Method::POST, path, token).header(CONTENT_TYPE, "application/json");
        let request = request.body(body.to_string().into()).context("a creation cannot be prepared")?;
        Ok(PreparedRequest::new(to, request, StatusCode::CREATED))
    }

    /// The same request, whose answer must have another status.
    pub fn expecting(self, expected: StatusCode) -> PreparedRequest {
        PreparedRequest { expected, ..self }
    }

    /// The same request as one of a kind.
    pub fn of(self, kind: &'static str) -> PreparedRequest {
        PreparedRequest { kind, ..self }
    }

    fn new(to: SocketAddr, request: Request<Full<Bytes>>, expected: StatusCode) -> PreparedRequest {
        PreparedRequest { to, kind: "", request, expected }
    }
}

fn begin(method: Method, path: &str, token: &str) -> Builder {
    let begun = Request::builder().method(method).uri(path).header(HOST, "127.0.0.1");
    begun.header(AUTHORIZATION, format!("Bearer {token}"))
}

/// A connection. A small client of its own: the processor time of the load generator is taken from what it measures.
pub struct Connection {
    requests: SendRequest<Full<Bytes>>,
    /// Drives the connection; it ends with this value.
    _driver: JoinSet<hyper::Result<()>>,
}

impl Connection {
    pub async fn open(address: SocketAddr) -> Result<Connection> {
        let stream = TcpStream::connect(address).await.with_context(|| format!("{address} does not answer"))?;
        stream.set_nodelay(true)?;
        let (requests, connection) = handshake(TokioIo::new(stream)).await?;
        let mut driver = JoinSet::new();
        driver.spawn(connection);
        Ok(Connection { requests, _driver: driver })
    }

    /// Sends a request and reads its answer to the end.
    pub async fn ask(&mut self, prepared: &PreparedRequest) -> Result<()> {
        self.requests.ready().await.context("the connection was closed")?;
        let asked = || format!("{} {}", prepared.request.method(), prepared.request.uri());
        let answer = self.requests.send_request(prepared.request.clone()).await;
        let mut answer = answer.with_context(|| format!("{} is not answered", asked()))?;
        if answer.status() != prepared.expected {
            let (status, body) = (answer.status(), answer.into_body().collect().await?.to_bytes());
            bail!("{} was answered with {status}: {}", asked(), String::from_utf8_lossy(&body));
        }
        while let Some(frame) = answer.body_mut().frame().await {
            frame.with_context(|| format!("the answer to {} breaks off", asked()))?;
        }
        Ok(())
    }
}
