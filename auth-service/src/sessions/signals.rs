//! What follows from the end of a session, in the same transaction: other services hear of it.
use sqlx::PgTransaction;
use uuid::Uuid;

use super::Reason;
use super::events::producers::{self, SessionRevoked};
use super::models::Session;
use crate::users::models::Account;

/// Ends one session of a person; false when they have no such session that goes on.
pub async fn end(tx: &mut PgTransaction<'_>, user: Uuid, session: Uuid, reason: Reason) -> sqlx::Result<bool> {
    let Some(revoked_at) = Session::end(tx, session, user, reason).await? else { return Ok(false) };
    let revoked = SessionRevoked { user_id: user, session_id: Some(session), reason, revoked_at };
    producers::session_revoked(tx, &revoked).await?;
    Ok(true)
}

/// Ends all sessions of a person, on whatever device, and voids the tokens of the original that they may have.
pub async fn end_all(tx: &mut PgTransaction<'_>, user: Uuid, reason: Reason) -> sqlx::Result<()> {
    // The account's row is the lock: a sign-in at this moment either comes before, and is ended, or finds what has changed.
    let Some(revoked_at) = Account::void_legacy(tx, user).await? else { return Ok(()) };
    Session::end_all(tx, user, reason).await?;
    producers::session_revoked(tx, &SessionRevoked { user_id: user, session_id: None, reason, revoked_at }).await
}
