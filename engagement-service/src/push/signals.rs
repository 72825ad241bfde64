//! Requests of push notifications, in the transaction of what they follow from.
use chrono::{DateTime, Utc};
use sqlx::PgTransaction;
use uuid::Uuid;

use super::channels::PushChannels;
use super::models::{Delivery, NewDelivery};
use super::services::{cut_body, cut_title};

/// The longest URL, in bytes. It is the service's own and has no user's words in it.
const MAX_URL_BYTES: usize = 512;
/// The longest collapse key, in bytes.
const MAX_KEY_BYTES: usize = 64;

/// A message for all devices of a user.
#[derive(Clone, Debug)]
pub struct PushRequest<'a> {
    /// What it is about. While a message waits for a device, another one about the same notification takes its place.
    pub notification_id: Uuid,
    /// Whose devices get it.
    pub user_id: Uuid,
    /// In words for people; what is too long for a push is cut.
    pub title: &'a str,
    pub body: &'a str,
    /// Where a tap leads: a path of the web client.
    pub url: &'a str,
    /// Messages with the same key replace each other on the device.
    pub collapse_key: &'a str,
    /// The users whose names are in the words: the words go when one of them is erased.
    pub named: &'a [Uuid],
    /// When it may be sent at the earliest; none: at once.
    pub not_before: Option<DateTime<Utc>>,
}

/// Writes a delivery for each device of the user whose push service is configured; how many there are. With none there is
/// nothing to wait for.
pub async fn request(
    tx: &mut PgTransaction<'_>,
    channels: &PushChannels,
    request: &PushRequest<'_>,
) -> sqlx::Result<u64> {
    debug_assert!(request.url.len() <= MAX_URL_BYTES && request.collapse_key.len() <= MAX_KEY_BYTES);
    let new = NewDelivery {
        notification_id: request.notification_id,
        user_id: request.user_id,
        title: &cut_title(request.title),
        body: &cut_body(request.body),
        url: request.url,
        collapse_key: request.collapse_key,
        named: request.named,
        not_before: request.not_before.unwrap_or_default().into(),
    };
    Delivery::create(tx, &channels.providers(), &new).await
}
