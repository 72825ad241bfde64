//! Streams of events that are open, of which thousands must fit beside what is measured.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// How many streams a person may have open.
pub const PER_PERSON: u32 = 5;
/// How long the first event of a stream may take.
const FIRST_EVENT: Duration = Duration::from_secs(10);

/// A stream without a client behind it.
pub struct EventStream(TcpStream);

impl EventStream {
    /// Opens a stream and waits for its first event. The header says who asks.
    pub async fn open(address: SocketAddr, path: &str, who: &str) -> Result<EventStream> {
        let mut stream = TcpStream::connect(address).await.context("no stream can be opened")?;
        let request = format!("GET {path} HTTP/1.1\r\nhost: 127.0.0.1\r\n{who}\r\naccept: text/event-stream\r\n\r\n");
        stream.write_all(request.as_bytes()).await.context("a stream cannot be asked for")?;
        let mut answer = Vec::new();
        while !has_event(&answer) {
            let read = timeout(FIRST_EVENT, stream.read_buf(&mut answer)).await.context("no event comes")??;
            ensure!(read > 0, "the stream ends: {}", String::from_utf8_lossy(&answer));
        }
        Ok(EventStream(stream))
    }

    /// Reads what has come, and fails when the stream has ended.
    pub fn drain(&mut self) -> Result<()> {
        let mut came = [0; 4096];
        loop {
            match self.0.try_read(&mut came) {
                Ok(0) => bail!("a stream has ended"),
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error).context("a stream is broken"),
            }
        }
    }
}

/// Whether an answer of success has brought a whole event.
fn has_event(answer: &[u8]) -> bool {
    let text = String::from_utf8_lossy(answer);
    let body = text.split_once("\r\n\r\n").filter(|(head, _)| head.starts_with("HTTP/1.1 200 "));
    body.is_some_and(|(_, body)| body.contains("event:") && body.contains("\n\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_is_open_when_its_first_event_is_there() {
        let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n";
        let event = "1b\r\nevent: unread\ndata: {\"unread\":0}\n\n\r\n";
        assert!(!has_event(head.as_bytes()), "a head alone");
        assert!(!has_event(format!("{head}2\r\n:\n\n\r\n").as_bytes()), "a heartbeat");
        assert!(has_event(format!("{head}{event}").as_bytes()));
        assert!(!has_event(format!("HTTP/1.1 429 Too Many Requests\r\n\r\n{event}").as_bytes()));
    }
}
