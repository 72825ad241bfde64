//! Notifies users of what moderation has to say to them.
use serde::Deserialize;
use sqlx::PgTransaction;
use uuid::Uuid;

use crate::core::contract::timestamp::Timestamp;
use crate::core::events::{Effect, Event};
use crate::system_messages::models::Notice;
use crate::system_messages::signals;

#[derive(Deserialize)]
struct ModerationNotice {
    id: Uuid,
    at: Timestamp,
    user_id: Uuid,
    title: String,
    text: String,
}

/// Writes each notice to its reader, once.
pub fn moderation_notice<'a>(tx: &'a mut PgTransaction<'static>, events: &'a [Event]) -> Effect<'a> {
    Box::pin(async move {
        let notice = |event: &Event| {
            let ModerationNotice { id, at, user_id, title, text } = serde_json::from_str(&event.message)?;
            Ok(Notice { id, at, user_id, title, content: text })
        };
        let notices: Vec<Notice> = events.iter().map(notice).collect::<Result<_, serde_json::Error>>()?;
        Ok(signals::noticed(tx, &notices).await?)
    })
}
