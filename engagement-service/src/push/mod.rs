//! Push notifications: a message to each device of a user, by the push service of that device.
//!
//! A delivery is a row, written in the transaction of what it follows from, so that none is sent for what was rolled back
//! and none is lost for what was not ([`signals::request`]). One message waits per notification and device: a newer one
//! takes its place, and on the device it replaces the older one by its collapse key. A worker per provider claims what is due
//! by moving the time of the next try ahead, sends it with no transaction open, and writes down what came of it:
//!
//! | the push service | the delivery |
//! |---|---|
//! | takes the message | ends: `SENT` |
//! | does not know the device (any more) | ends: `GONE`, with the device and all that waits for it |
//! | finds the message too large | is sent once more, without its body; then ends: `FAILED` |
//! | is busy, broken or silent | is sent again: when it says so, or after a wait that doubles; for a day at most, then `FAILED` |
//! | refuses it otherwise | ends: `FAILED`; most likely the settings are wrong, so it is logged and counted |
//!
//! Until then much may have happened, so a message about a notification gets the words of the moment in which it is sent, and
//! is not sent at all when its user has seen the notification, or wants no more pushes about its type.
//!
//! When the process dies between sending and writing down, the message goes out again under the same collapse key: twice
//! is better than never.
pub mod addresses;
mod apns;
pub mod channels;
mod encryption;
mod fcm;
pub mod models;
pub mod schedulers;
pub mod services;
pub mod signals;
mod tokens;
mod views;
mod web_push;

#[cfg(test)]
mod tests;

use std::time::Duration;

use axum::http::{HeaderMap, StatusCode, header};
use chrono::{DateTime, Utc};
use futures::future::BoxFuture;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use crate::core::app::App;
use crate::core::app::limits::Limit;
use crate::core::ground::settings::Rate;
use crate::devices::{ApnsEnvironment, Provider};

/// The longest answer of a push service that is read, in bytes; an error of FCM has some hundred.
const MAX_ANSWER_BYTES: usize = 64 * 1024;

/// How far a delivery is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, sqlx::Type)]
#[serde(rename_all = "UPPERCASE")]
#[sqlx(type_name = "text", rename_all = "UPPERCASE")]
pub enum DeliveryState {
    /// It is to be sent, for the first time or again.
    Waiting,
    /// The push service has taken it.
    Sent,
    /// It was refused, or given up.
    Failed,
    /// The device does not exist any more.
    Gone,
}

/// The device to which a message goes, as its channel needs it.
#[derive(Clone, Debug)]
pub struct Target {
    /// The endpoint of a browser's subscription, or an app's token.
    pub address: String,
    /// The browser's public key and secret; empty for apps.
    pub p256dh: Vec<u8>,
    pub auth: Vec<u8>,
    /// The bundle id of an Apple app, where it is not the one of the settings.
    pub topic: Option<String>,
    pub environment: ApnsEnvironment,
}

/// A message to a device.
#[derive(Clone, Debug)]
pub struct PushMessage {
    /// Of its delivery, by which a push service's log can be searched.
    pub id: Uuid,
    pub notification_id: Uuid,
    pub title: String,
    /// Empty when the message was too large with it.
    pub body: String,
    /// Where a tap leads.
    pub url: String,
    /// Replaces the message with the same key on the device.
    pub collapse_key: String,
    /// For how long the push service keeps it while the device is away.
    pub ttl: Duration,
}

/// What a push service did with a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disposition {
    /// It took it.
    Accepted,
    /// It does not know the device.
    Gone,
    TooLarge,
    /// It may take it later; not before that time has passed, where it said so.
    Later(Option<Duration>),
    /// It will never take it.
    Refused,
}

/// The outcome of sending a message to one device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    pub disposition: Disposition,
    /// Of the answer, if there was one.
    pub status: Option<StatusCode>,
    /// Why it was not taken, in words that name neither the device nor its user.
    pub reason: String,
}

impl Receipt {
    /// What an answer of a push service means by its status alone.
    fn of(status: StatusCode, headers: &HeaderMap, reason: String) -> Self {
        let disposition = match status.as_u16() {
            200..=299 => Disposition::Accepted,
            404 | 410 => Disposition::Gone,
            413 => Disposition::TooLarge,
            408 | 429 | 500..=599 => Disposition::Later(retry_after(headers, Utc::now())),
            _ => Disposition::Refused,
        };
        Self { disposition, status: Some(status), reason }
    }

    /// No answer came.
    fn silence(error: reqwest::Error) -> Self {
        // Without the URL: an endpoint is a capability.
        let reason = format!("{:#}", anyhow::Error::from(error.without_url()));
        Self { disposition: Disposition::Later(None), status: None, reason }
    }

    /// The message was not sent.
    fn unsent(disposition: Disposition, reason: impl Into<String>) -> Self {
        Self { disposition, status: None, reason: reason.into() }
    }
}

/// How long a push service asks to wait: seconds, or a time (RFC 9110, section 10.2.3).
fn retry_after(headers: &HeaderMap, now: DateTime<Utc>) -> Option<Duration> {
    let text = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let at = DateTime::parse_from_rfc2822(text).ok()?;
    Some((at.to_utc() - now).to_std().unwrap_or_default())
}

/// The body of an answer, unless it is longer than any that makes sense.
async fn body_of(mut answer: reqwest::Response) -> anyhow::Result<Vec<u8>> {
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(reqwest::Error::without_url)? {
        anyhow::ensure!(body.len() + chunk.len() <= MAX_ANSWER_BYTES, "the answer is too long");
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// A way to devices.
pub trait Channel: Send + Sync + 'static {
    /// The push service that it speaks to.
    fn provider(&self) -> Provider;

    /// Sends a message to a device. Takes no longer than the time limit of the settings.
    fn send<'a>(&'a self, target: &'a Target, message: &'a PushMessage) -> BoxFuture<'a, Receipt>;
}

/// How often a user may ask for the key of Web Push.
pub const VAPID_KEY_LIMIT: Limit = Limit {
    name: "vapid_key",
    routes: &["GET /api/v1/push/vapid-public-key"],
    rate: Rate::new(300, 60),
    burst_in_development: None,
    strict: false,
};

/// The routes of push notifications.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(views::vapid_public_key))
}
