//! Mail as a channel of notifications: at once, with the next digest, or not at all.
use std::collections::HashMap;

use chrono::{DateTime, Utc};
use futures::future::BoxFuture;
use sqlx::PgTransaction;
use uuid::Uuid;

use crate::digests;
use crate::digests::models::MailItem;
use crate::notifications::Type;
use crate::notifications::channels::{Handed, Handling, Outlet};
use crate::notifications::models::Notification;
use crate::preferences::Preferences;
use crate::preferences::services::Mailing;
use crate::unsubscribe::services::UnsubscribeLinks;

/// Asks the auth service for mails, and gathers digests.
pub struct MailOutlet {
    /// What each mail has to end such mails.
    pub links: UnsubscribeLinks,
}

impl MailOutlet {
    async fn request(
        &self,
        tx: &mut PgTransaction<'static>,
        due: &[Notification],
        now: DateTime<Utc>,
    ) -> sqlx::Result<Vec<Handed>> {
        let preferences = list_preferences(tx, due).await?;
        let (mut at_once, mut gathered, mut handed) = (Vec::new(), Vec::new(), Vec::new());
        for notification in due {
            let mailing = preferences.get(&notification.user_id).map(|chosen| chosen.mailing(notification.r#type, now));
            let handling = match mailing {
                Some(Mailing::AtOnce(leaves)) if leaves > now => Handling::Held(leaves),
                Some(Mailing::AtOnce(leaves)) => {
                    at_once.push((mail_item(notification), leaves));
                    Handling::Taken
                }
                Some(Mailing::Digest) => {
                    gathered.push(mail_item(notification));
                    Handling::Gathered
                }
                Some(Mailing::Never) | None => continue,
            };
            handed.push(Handed { id: notification.id, handling });
        }
        digests::signals::add(tx, gathered, &preferences, now).await?;
        digests::signals::request_mails(tx, &self.links, at_once).await?;
        Ok(handed)
    }
}

impl Outlet for MailOutlet {
    fn hand_over<'a>(
        &'a self,
        tx: &'a mut PgTransaction<'static>,
        due: &'a [Notification],
        now: DateTime<Utc>,
    ) -> BoxFuture<'a, sqlx::Result<Vec<Handed>>> {
        Box::pin(self.request(tx, due, now))
    }
}

/// The preferences of the readers of notifications.
pub async fn list_preferences(
    tx: &mut PgTransaction<'static>,
    due: &[Notification],
) -> sqlx::Result<HashMap<Uuid, Preferences>> {
    let readers: Vec<Uuid> = due.iter().map(|notification| notification.user_id).collect();
    Preferences::list(&mut **tx, &readers).await
}

fn mail_item(notification: &Notification) -> MailItem {
    let by_people = notification.r#type.is_by_people();
    let said = [&notification.message_title, &notification.message].into_iter().flatten().cloned();
    let said = match notification.r#type {
        Type::SystemMessage => Some(said.collect::<Vec<_>>().join(": ")),
        _ => (!by_people).then(|| notification.text()),
    };
    MailItem {
        notification_id: notification.id,
        user_id: notification.user_id,
        r#type: notification.r#type,
        actor_ids: notification.actors.0.iter().map(|actor| actor.id).collect(),
        people: if by_people { notification.causes } else { 0 },
        text: said,
        post_id: notification.excerpt.is_some().then_some(notification.subject_id),
        at: notification.updated_at,
    }
}
