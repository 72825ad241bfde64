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
    /// Of a ban: the right to appeal it without a sign-in. Those of before have none.
    appeal_token: Option<String>,
}

/// The longest token that is written into a mail.
const MAX_TOKEN: usize = 256;

/// What moderation has decided, and with which token it is appealed.
fn read_standing(event: &Event) -> Result<(Standing, Option<String>), Failure> {
    let changed: UserStatusChanged = serde_json::from_str(&event.message)?;
    if changed.status == Status::Inactive {
        return Err(Failure::Permanent("INACTIVE is nothing that is decided".to_owned()));
    }
    let token = changed.appeal_token;
    // It becomes a part of a link.
    if token.as_ref().is_some_and(|token| token.len() > MAX_TOKEN || !token.bytes().all(|c| c.is_ascii_alphanumeric()))
    {
        return Err(Failure::Permanent("the token of an appeal has letters and digits alone".to_owned()));
    }
    let standing = Standing {
        user_id: changed.user_id,
        version: changed.version,
        at: changed.at,
        status: changed.status,
        until: changed.until,
        reason: changed.reason,
        moderation_id: changed.decision_id,
        refused: false,
    };
    Ok((standing, token))
}

/// Applies what moderation has decided about accounts. An account that was deleted has no status; of staff a mute or a ban is
/// refused, and the refusal recorded.
pub fn user_status_changed<'a>(tx: &'a mut PgTransaction<'static>, events: &'a [Event]) -> Effect<'a> {
    Box::pin(async move {
        let standings: Vec<_> = events.iter().map(read_standing).collect::<Result<_, _>>()?;
        let accounts =
            lock_accounts(tx, &standings.iter().map(|(standing, _)| standing.user_id).collect::<Vec<_>>()).await?;
        for (standing, token) in standings {
            let Some(account) = accounts.find(standing.user_id) else { continue };
            let refused = account.role > Role::User && standing.status != Status::Active;
            signals::decided(tx, &Standing { refused, ..standing }, token).await?;
        }
        Ok(())
    })
}
