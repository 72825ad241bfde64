//! Writes the mails that other services ask for.
use axum::http::Uri;
use serde::Deserialize;
use sqlx::PgTransaction;
use uuid::Uuid;

use crate::core::contract::timestamp::Timestamp;
use crate::core::events::{Effect, Event, Failure};
use crate::mails::MailTemplate;
use crate::mails::models::RequestedMail;
use crate::mails::notifications::MailedNotification;
use crate::mails::signals;

/// The longest link that a header holds beside its name, in bytes; a line ends at 998.
const LONGEST_LINK: usize = 900;

#[derive(Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum MailKind {
    Single,
    Digest,
}

/// A mail about notifications that a user wants.
#[derive(Deserialize)]
struct NotificationMailRequested {
    id: Uuid,
    user_id: Uuid,
    kind: MailKind,
    items: Vec<MailedNotification>,
    total: usize,
    unsubscribe_url: String,
    not_before: Timestamp,
}

impl NotificationMailRequested {
    /// The mail; none when there is nothing to say, as in a request whose reader is being erased.
    fn into_mail(self) -> Result<Option<RequestedMail>, Failure> {
        let Self { id, user_id, items, total, unsubscribe_url, .. } = self;
        if items.is_empty() {
            return Ok(None);
        }
        // It becomes a header.
        if !is_link(&unsubscribe_url) {
            return Err(Failure::Permanent("the link that ends the mails is no URL".to_owned()));
        }
        let letter = match self.kind {
            MailKind::Single => MailTemplate::Notification { items, unsubscribe_url },
            MailKind::Digest => MailTemplate::NotificationDigest { items, total, unsubscribe_url },
        };
        Ok(Some(RequestedMail { request: id, user_id, letter, not_before: self.not_before }))
    }
}

fn is_link(text: &str) -> bool {
    let plain = text.bytes().all(|byte| byte.is_ascii_graphic() && !b"<>\",".contains(&byte));
    let uri = text.parse::<Uri>().ok().filter(|uri| uri.host().is_some());
    plain && text.len() <= LONGEST_LINK && uri.is_some_and(|uri| matches!(uri.scheme_str(), Some("http" | "https")))
}

/// Writes a mail about notifications to its reader.
pub fn notification_mail_requested<'a>(tx: &'a mut PgTransaction<'static>, events: &'a [Event]) -> Effect<'a> {
    Box::pin(async move {
        let mut mails = Vec::new();
        for event in events {
            let request: NotificationMailRequested = serde_json::from_str(&event.message)?;
            mails.extend(request.into_mail()?);
        }
        Ok(signals::notification_mails_requested(tx, &mails).await?)
    })
}
