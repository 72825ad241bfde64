//! Mutes and bans accounts as moderation decides, and lifts that.
use serde::Deserialize;
use sqlx::PgTransaction;
use uuid::Uuid;

use crate::core::app::identity::{Role, Status};
use crate::core::contract::timestamp::Timestamp;
use crate::core::events::{Effect, Event, Failure};
use crate::roles::models::lock_accounts;
use crate::roles::standings::models::Standing;
use crate::roles::standings::signals;

#[derive(Deserialize)]
struct UserStatusChanged {
    user_id: Uuid,
    version: i64,
    at: Timestamp,
    status: Status,
    until: Option<Timestamp>,
    reason: Option<String>,
    decision_id: Option<Uuid>,
}

fn read_standing(event: &Event) -> Result<Standing, Failure> {
    let changed: UserStatusChanged = serde_json::from_str(&event.message)?;
    if changed.status == Status::Inactive {
        return Err(Failure::Permanent("INACTIVE is nothing that is decided".to_owned()));
    }
    Ok(Standing {
        user_id: changed.user_id,
        version: changed.version,
        at: changed.at,
        status: changed.status,
        until: changed.until,
        reason: changed.reason,
        moderation_id: changed.decision_id,
        refused: false,
    })
}

/// Applies what moderation has decided about accounts. An account that was deleted has no status; of staff a mute or a ban is
/// refused, and the refusal recorded.
pub fn user_status_changed<'a>(tx: &'a mut PgTransaction<'static>, events: &'a [Event]) -> Effect<'a> {
    Box::pin(async move {
        let standings: Vec<Standing> = events.iter().map(read_standing).collect::<Result<_, _>>()?;
        let accounts =
            lock_accounts(tx, &standings.iter().map(|standing| standing.user_id).collect::<Vec<_>>()).await?;
        for standing in standings {
            let Some(account) = accounts.find(standing.user_id) else { continue };
            let refused = account.role > Role::User && standing.status != Status::Active;
            signals::decided(tx, &Standing { refused, ..standing }).await?;
        }
        Ok(())
    })
}
