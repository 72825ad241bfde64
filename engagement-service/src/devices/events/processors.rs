//! Removes the devices of sessions that have ended.
use serde::Deserialize;
use sqlx::PgTransaction;
use uuid::Uuid;

use crate::core::contract::timestamp::Timestamp;
use crate::core::events::{Effect, Event};
use crate::devices::models::EndedSession;
use crate::devices::signals;

/// The end of a session, or of all sessions of a user.
#[derive(Deserialize)]
struct SessionRevoked {
    user_id: Uuid,
    session_id: Option<Uuid>,
    revoked_at: Timestamp,
}

/// Removes what was registered in a session: who was signed out elsewhere, or had the phone stolen, wants no pushes there.
pub fn session_revoked<'a>(tx: &'a mut PgTransaction<'static>, events: &'a [Event]) -> Effect<'a> {
    Box::pin(async move {
        let ended = |event: &Event| {
            let SessionRevoked { user_id, session_id, revoked_at } = serde_json::from_str(&event.message)?;
            Ok(EndedSession { user_id, session_id, at: revoked_at })
        };
        let ended: Vec<EndedSession> = events.iter().map(ended).collect::<Result<_, serde_json::Error>>()?;
        Ok(signals::sessions_ended(tx, &ended).await?)
    })
}
