//! Brings mentions up to date with the stored versions of texts.
use std::collections::BTreeSet;

use serde::Deserialize;
use sqlx::PgTransaction;
use uuid::Uuid;

use crate::core::events::{Effect, Event};
use crate::mentions::models::Mention;

/// A text of which something has changed.
#[derive(Deserialize)]
struct ChangedText {
    id: Uuid,
}

fn read_ids(events: &[Event]) -> Result<Vec<Uuid>, serde_json::Error> {
    let ids: BTreeSet<Uuid> = events
        .iter()
        .map(|event| serde_json::from_str::<ChangedText>(&event.message).map(|text| text.id))
        .collect::<Result<_, _>>()?;
    Ok(ids.into_iter().collect())
}

/// Brings the mentions of posts up to date.
pub fn posts_changed<'a>(tx: &'a mut PgTransaction<'static>, events: &'a [Event]) -> Effect<'a> {
    Box::pin(async move { Ok(Mention::refresh_posts(tx, &read_ids(events)?).await?) })
}

/// Brings the mentions of comments up to date.
pub fn comments_changed<'a>(tx: &'a mut PgTransaction<'static>, events: &'a [Event]) -> Effect<'a> {
    Box::pin(async move { Ok(Mention::refresh_comments(tx, &read_ids(events)?).await?) })
}
