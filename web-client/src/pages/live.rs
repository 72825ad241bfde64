//! The live part of an open page: the number of unread notifications, as a piece of HTML for htmx.
//!
//! One stream of the API stands behind each one of a browser; nothing is kept here in between. The id of the last event
//! goes through in both directions, so a browser that comes back misses nothing, whichever replica it comes to.
use std::convert::Infallible;
use std::time::Duration;

use askama::Template;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};

use crate::api::failures::Failure;
use crate::api::stream::{Live, LiveEvent};
use crate::app::App;
use crate::doors::visitors::Member;
use crate::frame::{Frame, Unread};

/// How often a stream without events says that it lives: proxies end silent connections after a minute or more.
const BEAT: Duration = Duration::from_secs(25);

#[derive(Template)]
#[template(path = "parts/badge.html")]
struct Badge<'a> {
    page: &'a Frame,
}

/// `GET /notifications/stream`
pub async fn stream(
    State(app): State<App>,
    Member(page, caller): Member,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let after = headers.get("last-event-id").and_then(|id| id.to_str().ok());
    let live = caller.live(after).await?;
    let events =
        futures::stream::unfold((live, page.without_address()), |(mut live, mut page): (Live, Frame)| async move {
            loop {
                let event = live.next().await?;
                if let Some(shown) = shown(&event, &mut page) {
                    return Some((Ok::<_, Infallible>(shown), (live, page)));
                }
            }
        });
    // A stop of the process ends the stream; the browser comes back, to another replica.
    let events = futures::StreamExt::take_until(events, app.stop.clone().cancelled_owned());
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(BEAT)).into_response())
}

/// What a browser is sent for an event of the API; none where nothing changes on the page.
fn shown(event: &LiveEvent, page: &mut Frame) -> Option<Event> {
    let shown = match event.name.as_str() {
        "unread" => {
            page.unread = serde_json::from_str::<Unread>(&event.data).ok()?.unread;
            Event::default().event("badge").data(Badge { page }.render().ok()?.trim())
        }
        "feed" => Event::default().event("feed").data("new"),
        // The number that comes with it changes the page; the event's id is where a browser goes on.
        "notification" => Event::default().event("seen").data("new"),
        _ => return None,
    };
    Some(match &event.id {
        Some(id) if !id.contains(['\r', '\n', '\0']) => shown.id(id),
        _ => shown,
    })
}
