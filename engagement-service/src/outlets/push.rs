//! Push as a channel of notifications: a message for each device of the person.
use std::sync::Arc;

use chrono::{DateTime, Utc};
use futures::future::BoxFuture;
use sqlx::PgTransaction;
use uuid::Uuid;

use super::mail::list_preferences;
use crate::notifications::channels::{Handed, Outlet};
use crate::notifications::models::Notification;
use crate::push::channels::PushChannels;
use crate::push::signals::{PushRequest, request};

/// Where a tap leads that leads to no post: a path of the web client.
const LIST: &str = "/notifications";

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
            let Some(not_before) = chosen.and_then(|chosen| chosen.push_due(notification.r#type, now)) else {
                continue;
            };
            if self.push(tx, notification, not_before).await? > 0 {
                handed.push(Handed { id: notification.id, waits: true, at: not_before });
            }
        }
        Ok(handed)
    }

    /// How many devices get it.
    async fn push(
        &self,
        tx: &mut PgTransaction<'static>,
        notification: &Notification,
        not_before: DateTime<Utc>,
    ) -> sqlx::Result<u64> {
        let named: Vec<Uuid> = notification.actors.0.iter().map(|actor| actor.id).collect();
        let about_post = notification.post_title.as_deref().or(notification.excerpt.as_deref());
        let text = notification.text();
        let (title, body) = match &notification.message_title {
            Some(title) => (title.as_str(), text.as_str()),
            None => (text.as_str(), about_post.unwrap_or_default()),
        };
        let url = match notification.excerpt {
            Some(_) => format!("/posts/{}", notification.subject_id),
            None => LIST.to_owned(),
        };
        let message = PushRequest {
            notification_id: notification.id,
            user_id: notification.user_id,
            title,
            body,
            url: &url,
            // A group replaces what was pushed of it before.
            collapse_key: &notification.id.to_string(),
            named: &named,
            not_before: Some(not_before),
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
