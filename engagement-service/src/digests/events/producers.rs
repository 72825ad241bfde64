//! Publishes that a mail is asked for.
use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::PgTransaction;
use uuid::Uuid;

use super::MAIL_REQUESTED;
use crate::core::contract::timestamp::Timestamp;
use crate::core::events::outbox::publish_all;
use crate::digests::models::MailItem;

/// Notifications that one mail shows; of more it has the count.
const SHOWN: usize = 20;
/// Users that caused one of them. The mail names the first two that its reader may read of.
const ACTORS: usize = 10;

/// What kind of mail is asked for.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum MailKind {
    Single,
    Digest,
}

/// A mail that the auth service is to send.
#[derive(Serialize)]
pub struct MailRequest {
    /// Of two requests with one id, one is sent.
    id: Uuid,
    user_id: Uuid,
    kind: MailKind,
    items: Vec<MailItem>,
    /// How many notifications there are, with those that are not shown.
    total: usize,
    /// The link that ends such mails, without a sign-in.
    unsubscribe_url: String,
    not_before: Timestamp,
}

impl MailRequest {
    /// A request for a mail about these notifications, newest first.
    pub fn new(
        kind: MailKind,
        user_id: Uuid,
        mut items: Vec<MailItem>,
        unsubscribe_url: String,
        not_before: DateTime<Utc>,
    ) -> Self {
        let total = items.len();
        items.truncate(SHOWN);
        for item in &mut items {
            item.actor_ids.truncate(ACTORS);
        }
        Self { id: Uuid::now_v7(), user_id, kind, items, total, unsubscribe_url, not_before: Timestamp(not_before) }
    }
}

/// Asks for mails.
pub async fn mails_requested(tx: &mut PgTransaction<'_>, requests: &[MailRequest]) -> sqlx::Result<()> {
    publish_all(tx, MAIL_REQUESTED, requests).await?;
    for request in requests {
        let kind = match request.kind {
            MailKind::Single => "single",
            MailKind::Digest => "digest",
        };
        metrics::counter!("notification_mails_requested_total", "kind" => kind).increment(1);
    }
    Ok(())
}
