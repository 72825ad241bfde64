//! Live streams (Server-Sent Events): what changes among a person's notifications, how many are unread, and that their feed has new
//! posts.
//!
//! A stream holds no queue. It knows the number of the last change that it sent, is woken when there may be more, and reads what
//! comes after that number from Postgres. So it misses nothing and repeats nothing, on whichever replica it goes on with the
//! `Last-Event-ID` of its client; and a client that reads slowly gets the newest state and not its history.
//!
//! ```text
//! commit ─▶ readers with news (`schedulers`) ─▶ Redis PUBLISH ─▶ listener of each replica ─▶ hub ─▶ stream ─▶ Postgres
//! ```
//!
//! Of a new post that is in no feed, since its readers look it up, the listener asks Postgres which of the open streams are theirs.
//!
//! What Redis loses of notifications is found by a query over all open streams every five seconds. Leases in Redis count the streams of a person
//! over all replicas. A stream checks its token as a request does, every few seconds.
pub mod hub;
mod leases;
mod listener;
mod live;
pub mod models;
pub mod schedulers;
mod views;

#[cfg(test)]
pub mod tests;

use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::core::app::App;
use crate::core::app::limits::Limit;
use crate::core::ground::settings::Rate;
use hub::Hub;

/// The channel of Redis on which readers with changed notifications are published: their ids, 16 bytes each.
pub const NOTIFICATIONS_NEWS: &str = "notifications:news";
/// The same for readers whose feeds have new posts.
pub const FEED_NEWS: &str = "feed:news";
/// The channel on which new posts are published that are in no feed, since their readers look them up: their ids, 16 bytes each.
pub const FEED_POSTS: &str = "feed:posts";
/// Streams of one person at the same time, over all replicas.
const MAX_STREAMS: usize = 5;

/// How often a user may open a stream: clients come again after a stream has ended.
pub const OPEN_STREAM_LIMIT: Limit = Limit {
    name: "notification_streams",
    routes: &["GET /api/v1/me/notifications/stream"],
    rate: Rate::new(60, 60),
    burst_in_development: None,
    strict: false,
};

/// The route of streams; `heartbeat` is how often a stream proves that it is alive.
pub fn router(app: &App, heartbeat: Duration) -> OpenApiRouter<App> {
    let hub = Arc::new(Hub::new(app.clone(), heartbeat));
    OpenApiRouter::new().routes(routes!(views::stream_notifications)).layer(Extension(hub))
}
