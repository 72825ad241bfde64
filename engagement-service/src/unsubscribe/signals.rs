//! What follows when a user unsubscribes: their preferences say so.
use chrono::{DateTime, Utc};
use sqlx::PgTransaction;
use uuid::Uuid;

use super::Scope;
use crate::notifications::Type;
use crate::preferences::{self, MailMode, Preferences, TYPES};

/// A user wants no more of these mails. The same again changes nothing.
pub async fn unsubscribed(
    tx: &mut PgTransaction<'_>,
    user: Uuid,
    scope: Scope,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    let mut preferences = Preferences::create_and_lock(tx, user).await?;
    let ended = |r#type: Type| match scope {
        Scope::All => true,
        Scope::Digest => preferences.channels(r#type).mail == MailMode::Digest,
        Scope::Recommendations => r#type.is_recommendation(),
        Scope::Type(only) => only == r#type,
    };
    let ended: Vec<_> = TYPES.into_iter().filter(|r#type| ended(*r#type)).collect();
    for r#type in ended {
        preferences.choices.entry(r#type).or_default().mail = Some(MailMode::Never);
    }
    preferences.save(tx, user).await?;
    preferences::signals::changed(tx, user, &preferences, now).await
}
