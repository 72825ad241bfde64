//! A small service of a test's own: it keeps what arrives, and answers as the request asks for it.

use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::JoinSet;

/// The service; it ends with the value.
pub struct Upstream {
    pub port: u16,
    heads: Arc<Mutex<Vec<String>>>,
    /// Lets a stream of events go on.
    pub release: Arc<Notify>,
    _serving: JoinSet<()>,
}

impl Upstream {
    pub async fn start() -> Upstream {
        Upstream::start_at(0).await
    }

    /// Listens on that port, or anywhere when it is 0.
    pub async fn start_at(port: u16) -> Upstream {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (heads, release) = (Arc::new(Mutex::new(Vec::new())), Arc::new(Notify::new()));
        let mut serving = JoinSet::new();
        let (kept, released) = (heads.clone(), release.clone());
        serving.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let (kept, released) = (kept.clone(), released.clone());
                connections.spawn(async move {
                    // The gateway may leave as it likes.
                    serve(stream, &kept, &released).await.unwrap_or_default();
                });
            }
        });
        Upstream { port, heads, release, _serving: serving }
    }

    /// The address as a setting of the gateway: `gateway.GATEWAY_POST=127.0.0.1:…`.
    pub fn instead_of(&self, noun: &str) -> String {
        format!("gateway.GATEWAY_{}=127.0.0.1:{}", noun.to_uppercase(), self.port)
    }

    /// The heads of all requests so far, names of headers in lower case.
    pub fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }

    /// The head of the last request.
    pub fn last(&self) -> String {
        self.heads().pop().expect("nothing has arrived")
    }
}

/// The values of a header in a head.
pub fn values<'a>(head: &'a str, name: &str) -> Vec<&'a str> {
    let pairs = head.lines().filter_map(|line| line.split_once(": "));
    pairs.filter(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value).collect()
}

async fn serve(mut stream: TcpStream, heads: &Mutex<Vec<String>>, release: &Notify) -> std::io::Result<()> {
    let (head, body) = read(&mut stream).await?;
    heads.lock().unwrap().push(head.clone());
    let length = values(&head, "content-length").first().and_then(|length| length.parse().ok()).unwrap_or(0);
    let mut rest = vec![0; usize::saturating_sub(length, body)];
    stream.read_exact(&mut rest).await?;

    if values(&head, "upgrade") == ["websocket"] {
        stream
            .write_all(b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n")
            .await?;
        let mut byte = [0];
        while stream.read(&mut byte).await? == 1 {
            stream.write_all(&byte).await?;
        }
        return Ok(());
    }
    if values(&head, "accept") == ["text/event-stream"] {
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n").await?;
        stream.write_all(b"data: one\n\n").await?;
        release.notified().await;
        return stream.write_all(b"data: two\n\n").await;
    }
    let answer = |status: &str, headers: &str, body: &str| {
        format!(
            "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nX-Request-ID: its own\r\n{headers}Content-Length: {}\r\n\
             Connection: close\r\n\r\n{body}",
            body.len()
        )
    };
    let text = if head.starts_with("GET /api/v1/auth/verify-token ") {
        match values(&head, "authorization")[0] {
            "Bearer good" => answer("200 OK", "X-User-Id: somebody\r\nX-User-Role: USER\r\n", "{}"),
            "Bearer bad" => answer("401 Unauthorized", "", "{}"),
            _ => answer("500 Internal Server Error", "", "{}"),
        }
    } else if head.starts_with("GET /api/v1/posts/large ") {
        answer("200 OK", "", &format!("{{\"text\":\"{}\"}}", "the same again ".repeat(1000)))
    } else {
        answer("200 OK", "", "{}")
    };
    stream.write_all(text.as_bytes()).await
}

/// The head, and how many bytes of the body came with it.
async fn read(stream: &mut TcpStream) -> std::io::Result<(String, usize)> {
    let mut bytes = Vec::new();
    loop {
        if stream.read_buf(&mut bytes).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
            return Ok((head, bytes.len() - end - 4));
        }
    }
}
