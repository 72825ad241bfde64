//! `cargo stack bench streams`: what the engagement service takes of memory for streams of notifications that are open.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep_until, timeout};

use crate::host::console;
use crate::proof::bench::options::Streams;
use crate::proof::bench::platform::{MeasuredPlatform, process};
use crate::proof::bench::report::{BenchmarkReport, Measurement, row};
use crate::proof::bench::resident::{mebibytes, resident_memory};
use crate::system::ENGAGEMENT;

/// The path of a stream, and how many a person may have open.
const PATH: &str = "/api/v1/me/notifications/stream";
const PER_PERSON: u32 = 5;
/// Connections beside the streams: checks of readiness.
const OTHERS: u32 = 100;
/// How long the first event of a stream may take.
const FIRST_EVENT: Duration = Duration::from_secs(10);

/// Opens all streams, one after the other, and leaves them alone.
pub async fn run(options: &Streams, platform: &mut MeasuredPlatform<'_>) -> Result<BenchmarkReport> {
    let count = options.count;
    let people = count.div_ceil(PER_PERSON);
    console::info(format_args!("Signing up {people} people"));
    let people = platform.sign_up(people).await?;
    // In a new process: what it did before is not part of its memory.
    let service = process(&ENGAGEMENT);
    platform.base.kill(&[service]).await?;
    platform.base.settings.push(("MAX_CONNECTIONS".to_owned(), (count + OTHERS).to_string()));
    platform.base.start(&[service]).await?;
    let (address, pid) = (platform.address(&ENGAGEMENT)?, platform.base.pid(service)?);
    let before = resident_memory(pid);

    console::info(format_args!("Opening {count} streams"));
    let (mut streams, began) = (Vec::new(), Instant::now());
    for person in people.iter().flat_map(|person| [person; PER_PERSON as usize]).take(count as usize) {
        let token = person.api.access_token().await?.unwrap_or_default();
        streams.push(EventStream::open(address, &token).await?);
    }
    let (opened_after, opened) = (began.elapsed(), resident_memory(pid));
    sleep_until(Instant::now() + Duration::from_secs(options.seconds.into())).await;
    let afterwards = resident_memory(pid);
    for stream in &mut streams {
        stream.drain()?;
    }
    let each = |memory: Option<u64>| match (memory, before) {
        (Some(memory), Some(before)) => format!("{} KiB", memory.saturating_sub(before) / u64::from(count) / 1024),
        _ => String::new(),
    };
    let rows = vec![
        row(["when", "memory", "for each stream"]),
        row(["before", &mebibytes(before), ""]),
        row(["all are open", &mebibytes(opened), &each(opened)]),
        row([&format!("{} s later", options.seconds), &mebibytes(afterwards), &each(afterwards)]),
    ];
    let description = format!(
        "{count} streams of notifications to one process of the engagement service, {PER_PERSON} of each person, opened one after \
         the other in {:.1} s, each when the first event of the one before was there; nothing happens but heartbeats and checks \
         of tokens. Memory is what the process holds (resident). All are open in the end. The goal is 200 MiB for 10,000.",
        opened_after.as_secs_f64()
    );
    let measurement = Measurement { title: "Open streams".to_owned(), description, rows };
    Ok(BenchmarkReport { title: "Streams", measurements: vec![measurement] })
}

/// A stream without a client behind it: thousands of them must fit beside what is measured.
struct EventStream(TcpStream);

impl EventStream {
    /// Opens a stream and waits for its first event.
    async fn open(address: SocketAddr, token: &str) -> Result<EventStream> {
        let mut stream = TcpStream::connect(address).await.context("no stream can be opened")?;
        let request = format!(
            "GET {PATH} HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer {token}\r\naccept: text/event-stream\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).await.context("a stream cannot be asked for")?;
        let mut answer = Vec::new();
        while !has_event(&answer) {
            let read = timeout(FIRST_EVENT, stream.read_buf(&mut answer)).await.context("no event comes")??;
            ensure!(read > 0, "the stream ends: {}", String::from_utf8_lossy(&answer));
        }
        Ok(EventStream(stream))
    }

    /// Reads what has come, and fails when the stream has ended.
    fn drain(&mut self) -> Result<()> {
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
