//! HTTP as bytes: what no client library would send, and answers as they come.

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::upstream::values;

/// An answer, to the end of its connection.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Answer {
    /// The one value of a header.
    pub fn header(&self, name: &str) -> &str {
        let found = values(&self.head, name);
        assert_eq!(found.len(), 1, "{name}: {}", self.head);
        found[0]
    }

    /// Checks that it is a problem document of the gateway's own; its detail.
    pub fn problem(&self, status: u16) -> String {
        assert_eq!(self.status, status, "{self:?}");
        assert_eq!(self.header("content-type"), "application/problem+json");
        assert_eq!(self.header("x-content-type-options"), "nosniff");
        assert_eq!(self.header("x-request-id").len(), 32);
        assert_eq!(self.header("server"), "nginx", "and not which");
        let body: Value = serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"));
        assert_eq!((&body["type"], &body["status"]), (&"about:blank".into(), &status.into()), "{body}");
        assert!(body["title"].as_str().is_some_and(|title| title.len() > 3), "{body}");
        body["detail"].as_str().unwrap().to_owned()
    }
}

/// Sends a request line and headers, and nothing else.
pub async fn get(authority: &str, target: &str, headers: &str) -> Answer {
    send(
        authority,
        format!("GET {target} HTTP/1.1\r\nHost: {authority}\r\nConnection: close\r\n{headers}\r\n").as_bytes(),
    )
    .await
}

/// Sends bytes and reads until the other end closes.
pub async fn send(authority: &str, request: &[u8]) -> Answer {
    let mut stream = TcpStream::connect(authority).await.unwrap();
    // The answer to what is too large comes before all of it was read, and the rest is not read.
    stream.write_all(request).await.unwrap_or_default();
    let mut bytes = Vec::new();
    let ended = stream.read_to_end(&mut bytes).await;
    assert!(ended.is_ok() || !bytes.is_empty(), "{ended:?}");
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {text}"));
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    Answer { status: status.unwrap_or_else(|| panic!("{head}")), head: head.to_owned(), body: body.to_owned() }
}
