//! The streams of notifications that are open: one of the API for all tabs of a session.
//!
//! A tab shows the newest state and no history: how many notifications are unread, and whether the feed has begun anew. So the tabs of
//! a session share what one stream of the API says, each sees the newest of it, and a tab that comes later has it at once. A stream of
//! the API is a connection with its buffers, and the API lets a person have five.
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::Value;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::api::Caller;
use crate::api::failures::Failure;
use crate::api::stream::{Live, LiveEvent};
use crate::ground::assets::hash;

/// What a stream has said so far, as far as tabs show it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StreamState {
    /// Unread notifications; none before their number has come.
    pub unread: Option<i64>,
    /// How often the feed had new posts.
    pub feeds: u64,
    /// The id of the last event: where a browser goes on.
    pub last: Option<String>,
}

impl StreamState {
    /// Notes an event; whether there is something new in it.
    fn note(&mut self, event: LiveEvent) -> bool {
        let before = self.clone();
        match event.name.as_str() {
            "unread" => {
                let data = serde_json::from_str::<Value>(&event.data).unwrap_or_default();
                self.unread = data["unread"].as_i64().or(self.unread);
            }
            "feed" => self.feeds += 1,
            _ => {}
        }
        if let Some(id) = event.id.filter(|id| !id.contains(['\r', '\n', '\0'])) {
            self.last = Some(id);
        }
        *self != before
    }
}

/// The open streams, by their sessions.
#[derive(Clone, Default)]
pub struct Streams {
    open: Arc<Mutex<HashMap<String, watch::Sender<StreamState>>>>,
    /// What reads them.
    pub tasks: TaskTracker,
}

impl Streams {
    fn open(&self) -> MutexGuard<'_, HashMap<String, watch::Sender<StreamState>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The stream of the caller's session. The first tab opens it, behind the event that it had last; it lasts as long as one of them.
    pub async fn follow(
        &self,
        caller: &Caller,
        after: Option<&str>,
        stop: &CancellationToken,
    ) -> Result<watch::Receiver<StreamState>, Failure> {
        let session = hash(caller.token.as_deref().unwrap_or_default().as_bytes());
        if let Some(stream) = self.open().get(&session) {
            return Ok(stream.subscribe());
        }
        let live = caller.live(after).await?;
        let mut all = self.open();
        // Of two tabs that have come at once the second has opened one in vain.
        if let Some(stream) = all.get(&session) {
            return Ok(stream.subscribe());
        }
        let stream = watch::Sender::new(StreamState::default());
        let tab = stream.subscribe();
        all.insert(session.clone(), stream.clone());
        self.tasks.spawn(self.clone().read(session, live, stream, stop.clone()));
        Ok(tab)
    }

    /// Reads a stream to its end, or until no tab follows it any more.
    async fn read(self, session: String, mut live: Live, stream: watch::Sender<StreamState>, stop: CancellationToken) {
        loop {
            tokio::select! {
                event = live.next() => match event {
                    Some(event) => {
                        stream.send_if_modified(|state| state.note(event));
                    }
                    None => break,
                },
                () = stream.closed() => {
                    let mut all = self.open();
                    // A tab may have come just now.
                    if stream.receiver_count() == 0 {
                        all.remove(&session);
                        return;
                    }
                }
                () = stop.cancelled() => break,
            }
        }
        // Its tabs come back, and the first of them opens another one.
        self.open().remove(&session);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_of_a_stream_is_what_is_kept() {
        let mut state = StreamState::default();
        let event = |name: &str, data: &str, id: Option<&str>| LiveEvent {
            name: name.to_owned(),
            data: data.to_owned(),
            id: id.map(str::to_owned),
        };
        assert!(!state.note(LiveEvent::default()), "a beat is nothing new");
        assert!(state.note(event("unread", "{\"unread\":3}", Some("41"))));
        assert!(!state.note(event("unread", "{\"unread\":3}", Some("41"))));
        assert!(!state.note(event("unread", "broken", None)));
        assert!(state.note(event("feed", "{}", None)) && state.note(event("notification", "{}", Some("42"))));
        assert!(!state.note(event("notification", "{}", Some("4\r3"))), "an id that is no line is none");
        assert_eq!(state, StreamState { unread: Some(3), feeds: 1, last: Some("42".to_owned()) });
    }
}
