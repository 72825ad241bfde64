//! Push as a channel of notifications: a message for each device of the person.
use std::sync::Arc;

use chrono::{DateTime, Utc};
use futures::future::BoxFuture;
use sqlx::PgTransaction;

use super::mail::list_preferences;
use crate::notifications::channels::{Handed, Handling, Outlet};
use crate::notifications::models::Notification;
use crate::push::channels::PushChannels;
use crate::push::services::PushWords;
use crate::push::signals::{PushRequest, request};

/// Writes deliveries for the push services that are configured.
pub struct PushOutlet(pub Arc<PushChannels>);

impl PushOutlet {
    async fn request(
        &self,
        tx: &mut PgTransaction<'static>,
        due: &[Notification],
        now: DateTime<Utc>,
    ) -> sqlx::Result<Vec<Handed>> {
        let preferences = list_preferences(tx, due).await?;
        let mut handed = Vec::new();
        for notification in due {
            let chosen = preferences.get(&notification.user_id);
            let Some(leaves) = chosen.and_then(|chosen| chosen.push_due(notification.r#type, now)) else {
                continue;
            };
            let handling = if leaves > now {
                Handling::Held(leaves)
            } else if self.push(tx, notification).await? > 0 {
                Handling::AtHand
            } else {
                continue;
            };
            handed.push(Handed { id: notification.id, handling });
        }
        Ok(handed)
    }

    /// How many devices get it.
    async fn push(&self, tx: &mut PgTransaction<'static>, notification: &Notification) -> sqlx::Result<u64> {
        let words = PushWords::of(notification);
        let message = PushRequest {
            notification_id: notification.id,
            user_id: notification.user_id,
            title: &words.title,
            body: &words.body,
            url: &words.url,
            // A group replaces what was pushed of it before.
            collapse_key: &notification.id.to_string(),
            named: &words.named,
            not_before: None,
        };
        request(tx, &self.0, &message).await
    }
}

impl Outlet for PushOutlet {
    fn hand_over<'a>(
        &'a self,
        tx: &'a mut PgTransaction<'static>,
        due: &'a [Notification],
        now: DateTime<Utc>,
    ) -> BoxFuture<'a, sqlx::Result<Vec<Handed>>> {
        Box::pin(self.request(tx, due, now))
    }
}
