//! One connection to a service, on which one request after the other is sent.

use std::net::SocketAddr;

use anyhow::{Context, Result, bail};
use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper::body::Bytes;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use reqwest::{Method, StatusCode};
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// A request, and the status that its answer must have.
#[derive(Clone)]
pub struct PreparedRequest {
    request: Request<Full<Bytes>>,
    expected: StatusCode,
}

impl PreparedRequest {
    /// Prepared once and sent many times.
    pub fn new(
        method: Method,
        path: &str,
        token: &str,
        body: Option<&Value>,
        expected: StatusCode,
    ) -> Result<PreparedRequest> {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(HOST, "127.0.0.1")
            .header(AUTHORIZATION, format!("Bearer {token}"));
        let request = match body {
            Some(body) => request.header(CONTENT_TYPE, "application/json").body(body.to_string().into()),
            None => request.body(Full::default()),
        };
        Ok(PreparedRequest { request: request.with_context(|| format!("{path} cannot be asked for"))?, expected })
    }
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
