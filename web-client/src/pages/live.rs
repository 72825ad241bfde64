//! The live part of an open page: the number of unread notifications, as a piece of HTML for htmx.
//!
//! Behind all tabs of a session stands one stream of the API (`session/streams.rs`). The id of the last event goes through in both
//! directions, and a number is the newest one, so a browser that comes back misses nothing, whichever replica it comes to.
use std::convert::Infallible;
use std::time::Duration;

use askama::Template;
use axum::extract::State;
use axum::http::{HeaderMap, Uri};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use tokio::sync::watch;

use crate::api::failures::Failure;
use crate::app::App;
use crate::doors::visitors::Member;
use crate::frame::{Choices, Frame};
use crate::session::streams::StreamState;
use crate::texts::Texts;

/// How often a stream without events says that it lives: proxies end silent connections after a minute or more.
const BEAT: Duration = Duration::from_secs(25);

#[derive(Template)]
#[template(path = "parts/badge.html")]
struct Badge {
    page: Frame,
}

/// One open tab. It keeps its language and no more of its page: there are thousands.
struct Tab {
    t: &'static Texts,
    stream: watch::Receiver<StreamState>,
    /// What the browser has.
    sent: StreamState,
}

/// `GET /notifications/stream`
pub async fn stream(
    State(app): State<App>,
    Member(page, caller): Member,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let after = headers.get("last-event-id").and_then(|id| id.to_str().ok());
    let stream = app.streams.follow(&caller, after, &app.stop).await?;
    // What another tab has seen is nothing new for this one, but for the number.
    let sent = StreamState { unread: None, ..stream.borrow().clone() };
    let tab = Tab { t: page.t, stream, sent };
    let events = futures::stream::unfold(tab, |mut tab| async move {
        let event = tab.next().await?;
        Some((Ok::<_, Infallible>(event), tab))
    });
    // A stop of the process ends the stream; the browser comes back, to another replica.
    let events = futures::StreamExt::take_until(events, app.stop.clone().cancelled_owned());
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(BEAT)).into_response())
}

impl Tab {
    /// The next event for the browser; none when the stream has ended.
    async fn next(&mut self) -> Option<Event> {
        loop {
            let now = self.stream.borrow_and_update().clone();
            if let Some(event) = self.change(&now) {
                return Some(match now.last {
                    Some(id) => event.id(id),
                    None => event,
                });
            }
            self.stream.changed().await.ok()?;
        }
    }

    /// One thing that the browser does not have yet.
    fn change(&mut self, now: &StreamState) -> Option<Event> {
        let event = if now.unread != self.sent.unread {
            self.sent.unread = now.unread;
            Event::default().event("badge").data(badge(self.t, now.unread?)?)
        } else if now.feeds != self.sent.feeds {
            self.sent.feeds = now.feeds;
            Event::default().event("feed").data("new")
        } else if now.last != self.sent.last {
            // The number that comes with it changes the page; the event's id is where a browser goes on.
            Event::default().event("seen").data("new")
        } else {
            return None;
        };
        self.sent.last.clone_from(&now.last);
        Some(event)
    }
}

fn badge(t: &'static Texts, unread: i64) -> Option<String> {
    let mut page = Frame::new(Choices { texts: t, theme: "auto" }, Uri::default());
    page.unread = unread;
    Some(Badge { page }.render().ok()?.trim().to_owned())
}
