//! Begins and ends tastes with the links of accounts.
use serde::Deserialize;
use sqlx::PgTransaction;
use uuid::Uuid;

use crate::core::contract::timestamp::Timestamp;
use crate::core::events::{Effect, Event};
use crate::taste::models::TasteLink;
use crate::taste::{PROVIDER, signals};

/// The beginning or the end of the link of an account.
#[derive(Deserialize)]
struct LinkChange {
    user_id: Uuid,
    provider: String,
    linked: bool,
    at: Timestamp,
}

/// Accounts were linked or unlinked; those of other providers say nothing about taste.
pub fn linked_account_changed<'a>(tx: &'a mut PgTransaction<'static>, events: &'a [Event]) -> Effect<'a> {
    Box::pin(async move {
        let changes: Vec<LinkChange> =
            events.iter().map(|event| serde_json::from_str(&event.message)).collect::<Result<_, _>>()?;
        let links = changes.into_iter().filter(|change| change.provider == PROVIDER);
        let links = links.map(|change| TasteLink { person_id: change.user_id, linked: change.linked, at: change.at });
        Ok(signals::links_changed(tx, &links.collect::<Vec<_>>()).await?)
    })
}
