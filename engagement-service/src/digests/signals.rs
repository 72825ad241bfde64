//! What follows for mails when a notification is there, and when a digest is due.
//!
//! Locks: a caller that has locked rows of notifications calls these afterwards, and locks no other notifications then.
use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap, HashSet};

use chrono::{DateTime, Utc};
use sqlx::PgTransaction;
use uuid::Uuid;

use super::events::producers::{self, MailKind, MailRequest};
use super::models::{Digest, MailItem};
use crate::preferences::{MailMode, Preferences};
use crate::unsubscribe::Scope;
use crate::unsubscribe::services::UnsubscribeLinks;

/// Notifications are there whose readers want them in their digest. `preferences` has those of each reader.
pub async fn add(
    tx: &mut PgTransaction<'_>,
    items: Vec<MailItem>,
    preferences: &HashMap<Uuid, Preferences>,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    let usual = Preferences::default();
    let next = |user: &Uuid| preferences.get(user).unwrap_or(&usual).next_digest(now);
    let next = items.iter().map(|item| (item.user_id, next(&item.user_id))).collect();
    let locked: HashSet<Uuid> = Digest::create_and_lock(tx, &next).await?.into_iter().collect();
    let items: Vec<MailItem> = items.into_iter().filter(|item| locked.contains(&item.user_id)).collect();
    Digest::add(tx, &items).await
}

/// Notifications are there whose readers want each in a mail of its own, not before the time beside it. The people and the posts that are
/// recommended to a reader are one mail.
pub async fn request_mails(
    tx: &mut PgTransaction<'_>,
    links: &UnsubscribeLinks,
    items: Vec<(MailItem, DateTime<Utc>)>,
) -> sqlx::Result<()> {
    let (recommended, others): (Vec<_>, Vec<_>) =
        items.into_iter().partition(|(item, _)| item.r#type.is_recommendation());
    let mut recommendations: BTreeMap<Uuid, (Vec<MailItem>, DateTime<Utc>)> = BTreeMap::new();
    for (item, due) in recommended {
        let (items, latest) = recommendations.entry(item.user_id).or_insert_with(|| (Vec::new(), due));
        items.push(item);
        *latest = due.max(*latest);
    }
    let mut requests = Vec::new();
    for (item, due) in others {
        let url = links.url(item.user_id, Scope::Type(item.r#type));
        requests.push(MailRequest::new(MailKind::Single, item.user_id, vec![item], url, due));
    }
    for (user, (mut items, due)) in recommendations {
        items.sort_by_key(|item| (Reverse(item.at), item.r#type));
        let scope = match &items[..] {
            [only] => Scope::Type(only.r#type),
            _ => Scope::Recommendations,
        };
        requests.push(MailRequest::new(MailKind::Single, user, items, links.url(user, scope), due));
    }
    producers::mails_requested(tx, &requests).await
}

/// The digests of these users are due, and this transaction has taken them: asks for one mail for each about what waits. What
/// they have unsubscribed from meanwhile is not in it, and who has nothing waiting gets none.
pub async fn digests_due(
    tx: &mut PgTransaction<'_>,
    links: &UnsubscribeLinks,
    users: &[Uuid],
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    let preferences = Preferences::list(&mut **tx, users).await?;
    let mut waiting: HashMap<Uuid, Vec<MailItem>> = HashMap::new();
    for item in Digest::take_entries(tx, users).await? {
        let chosen = preferences.get(&item.user_id).map(|preferences| preferences.channels(item.r#type).mail);
        if chosen.is_some_and(|mail| mail != MailMode::Never) {
            waiting.entry(item.user_id).or_default().push(item);
        }
    }
    let request = |(user, items)| MailRequest::new(MailKind::Digest, user, items, links.url(user, Scope::Digest), now);
    producers::mails_requested(tx, &waiting.into_iter().map(request).collect::<Vec<_>>()).await
}
