//! The route of streams.
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::extract::State;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Request, StatusCode, header};
use axum::response::sse::Sse;
use axum::response::{IntoResponse, Response};

use super::MAX_STREAMS;
use super::hub::Hub;
use super::leases::StreamLease;
use super::listener::Listener;
use super::live::LiveStream;
use crate::core::api::errors::{Error, Problem};
use crate::core::app::App;
use crate::core::app::identity::User;
use crate::core::contract::extract::Query;
use crate::core::contract::fields::invalid;

/// The header by which a client says which change it had last.
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
/// The largest number of a change: what JavaScript holds exactly.
const MAX_CHANGE: i64 = 9_007_199_254_740_991;
/// The longest stream that can be asked for, in seconds.
const MAX_SECONDS: i64 = 86_400;
const TOO_MANY: Error = Error::Refused(StatusCode::TOO_MANY_REQUESTS, "At most 5 streams at the same time");

/// Follow the caller's notifications as Server-Sent Events
///
/// `notification`: one that is new or changed, as in the list, or `{"id": …, "withdrawn": true}`; the event's id is the number of the
/// change. `unread`: how many are unread, at the beginning and whenever that changes. `feed`: the home feed has new posts. A stream
/// without `Last-Event-ID` begins now. It ends with the token, the session or the service; a client comes back with the id of the
/// last event, and misses nothing.
#[utoipa::path(get, path = "/me/notifications/stream", tag = "notifications", params(
    ("after" = Option<i64>, Query, description = "The same as the header `Last-Event-ID`, which pages of other origins may not send",
        minimum = 0, maximum = 9_007_199_254_740_991_i64),
    ("seconds" = Option<i64>, Query, description = "End after this time, 0 to 86400; 0: after what is there now",
        minimum = 0, maximum = 86_400),
), responses(
    (status = 200, content_type = "text/event-stream", body = String,
        example = "retry: 2000\nid: 41\n\nevent: unread\ndata: {\"unread\":3}\n\nevent: notification\nid: 42\ndata: {\"id\":\
            \"0199d0ac-3c9e-7a2e-8f3c-6f2d8a1f0b11\",\"withdrawn\":true}\n\nevent: feed\ndata: {}\n\n"),
    (status = 422, body = Problem),
    (status = 429, body = Problem, description = "The caller has five streams, or opened too many in a minute"),
))]
pub async fn stream_notifications(
    user: User,
    State(app): State<App>,
    Extension(hub): Extension<Arc<Hub>>,
    query: Query,
    headers: HeaderMap,
) -> Result<Response, Error> {
    let (after, lasts) = read_options(query, &headers)?;
    if hub.needs_listener() {
        app.start("listener for streams", Listener::new(&hub));
    }
    let place = hub.register(user.id, MAX_STREAMS).ok_or(TOO_MANY)?;
    let lease = StreamLease::new(&app, user.id, hub.heartbeat);
    if !lease.take().await {
        return Err(TOO_MANY);
    }
    let live = LiveStream::open(place, lease, keep_token(&headers), &user, after, lasts).await?;
    // Boxed: the stream holds it twice, for itself and for the step under way.
    let events = futures::stream::unfold(Box::new(live), async |mut live| {
        let event = live.next().await?;
        Some((Ok::<_, Infallible>(event), live))
    });
    // Proxies that buffer answers leave this one alone.
    Ok(([(HeaderName::from_static("x-accel-buffering"), "no")], Sse::new(events)).into_response())
}

fn read_options(mut query: Query, headers: &HeaderMap) -> Result<(Option<i64>, Option<Duration>), Error> {
    let seconds = query.integer("seconds", 0, MAX_SECONDS);
    let lasts = seconds.and_then(|seconds| u64::try_from(seconds).ok()).map(Duration::from_secs);
    let after = query.integer("after", 0, MAX_CHANGE);
    let last = headers.get(LAST_EVENT_ID);
    let last = last.map(|id| id.to_str().ok()?.parse().ok().filter(|id| (0..=MAX_CHANGE).contains(id)));
    if last == Some(None) {
        let place = ["header", "Last-Event-ID"];
        query.errors.push(invalid(&place, "value is not the id of an event", "type_error.integer", None));
    }
    query.check()?;
    // A browser that connects again sends the header with the query of the first time.
    Ok((last.flatten().or(after), lasts))
}

/// What is kept of a request for as long as its stream lives: the token. It is copied, since a clone would keep the 8 KiB into
/// which the connection read the whole request.
fn keep_token(headers: &HeaderMap) -> Parts {
    let (mut parts, ()) = Request::new(()).into_parts();
    parts.headers = HeaderMap::with_capacity(1);
    let token = headers.get(header::AUTHORIZATION).map(|token| HeaderValue::from_bytes(token.as_bytes()));
    if let Some(Ok(token)) = token {
        parts.headers.insert(header::AUTHORIZATION, token);
    }
    parts
}
