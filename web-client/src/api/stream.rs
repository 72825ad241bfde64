//! The live stream of the caller's notifications, read event by event (Server-Sent Events).
use std::time::Duration;

use axum::http::Method;
use http_body_util::BodyExt;
use reqwest::{Body, header};

use super::{Caller, failures::Failure};

/// The longest event; a notification has a few hundred bytes.
const LONGEST: usize = 64 << 10;
/// How long the beginning of a stream is waited for.
const OPENING: Duration = Duration::from_secs(10);
/// How long a stream may last: below the hour for which the gateway keeps one.
const LIFE: Duration = Duration::from_mins(55);

/// One event.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct LiveEvent {
    pub name: String,
    pub data: String,
    pub id: Option<String>,
}

/// A stream that is open. Of its answer the body alone is kept: the head would hold on to the buffer into which it was read.
pub struct Live {
    body: Body,
    /// What has arrived of the next event.
    rest: Vec<u8>,
}

impl Caller {
    /// Opens the stream, after the event with this id where there is one.
    pub async fn live(&self, after: Option<&str>) -> Result<Live, Failure> {
        let request = self.request(Method::GET, &["me", "notifications", "stream"])?.timeout(LIFE);
        let request = request.header(header::ACCEPT, "text/event-stream");
        let request = match after {
            Some(id) => request.header("last-event-id", id),
            None => request,
        };
        let answer = tokio::time::timeout(OPENING, self.answer(request)).await;
        let late = || Failure::Away("the stream of notifications did not begin".to_owned());
        Ok(Live { body: answer.map_err(|_| late())??.into(), rest: Vec::new() })
    }
}

impl Live {
    /// The next event; none when the stream has ended or broken off.
    pub async fn next(&mut self) -> Option<LiveEvent> {
        loop {
            if let Some((event, used)) = first_event(&self.rest) {
                self.rest.drain(..used);
                if self.rest.is_empty() {
                    // Between events a stream holds no buffer.
                    self.rest = Vec::new();
                }
                return Some(event);
            }
            if self.rest.len() > LONGEST {
                return None;
            }
            let Ok(part) = self.body.frame().await?.ok()?.into_data() else { continue };
            // Both line ends are allowed.
            self.rest.extend(part.iter().filter(|byte| **byte != b'\r'));
        }
    }
}

/// The first whole event of what has arrived, and how many bytes it took.
fn first_event(bytes: &[u8]) -> Option<(LiveEvent, usize)> {
    let end = bytes.windows(2).position(|pair| pair == b"\n\n")?;
    let text = String::from_utf8_lossy(&bytes[..end]);
    let mut event = LiveEvent::default();
    for line in text.lines() {
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => value.clone_into(&mut event.name),
            "data" => event.data.push_str(value),
            "id" => event.id = Some(value.to_owned()),
            _ => {}
        }
    }
    Some((event, end + 2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_read_as_they_arrive() {
        let text = b"event: unread\nid: 41\ndata: {\"unread\":3}\n\n: beat\n\nevent: fe";
        let (event, used) = first_event(text).unwrap();
        assert_eq!(
            (event.name.as_str(), event.data.as_str(), event.id.as_deref()),
            ("unread", "{\"unread\":3}", Some("41"))
        );
        let (beat, more) = first_event(&text[used..]).unwrap();
        assert_eq!(beat, LiveEvent::default());
        assert!(first_event(&text[used + more..]).is_none());
    }
}
