//! What follows from the start and the end of a session, in the same transaction: mail, event and audit entry.
use sqlx::PgTransaction;
use uuid::Uuid;

use super::Reason;
use super::events::producers::{self, SessionRevoked};
use super::known_devices;
use super::models::Session;
use crate::core::contract::timestamp::Timestamp;
use crate::core::doors::audit::{self, Entry};
use crate::mails;
use crate::users::models::Account;

/// A session began: with a device that is new to the account, its verified address gets a mail.
pub async fn started(tx: &mut PgTransaction<'_>, account: &Account, session: &Session) -> sqlx::Result<()> {
    let device = known_devices::describe_device(session.device.as_deref());
    let is_news =
        known_devices::models::record_visit(tx, account.id, &device, session.address_prefix.as_deref()).await?;
    if is_news && account.is_verified {
        let network = session.address_prefix.as_deref().unwrap_or("an unknown network");
        mails::signals::signed_in_elsewhere(tx, account, session.id, device, network).await?;
    }
    Ok(())
}

/// Ends one session of a person; false when they have no such session that goes on.
pub async fn end(tx: &mut PgTransaction<'_>, user: Uuid, session: Uuid, reason: Reason) -> sqlx::Result<bool> {
    let Some(revoked_at) = Session::end(tx, session, user, reason).await? else { return Ok(false) };
    announce_end(tx, user, Some(session), reason, revoked_at).await?;
    Ok(true)
}

/// Ends all sessions of a person, on whatever device, and voids the tokens of the original that they may have.
pub async fn end_all(tx: &mut PgTransaction<'_>, user: Uuid, reason: Reason) -> sqlx::Result<()> {
    // The account's row is the lock: a sign-in at this moment either comes before, and is ended, or finds what has changed.
    let Some(revoked_at) = Account::void_legacy(tx, user).await? else { return Ok(()) };
    Session::end_all(tx, user, reason).await?;
    announce_end(tx, user, None, reason, revoked_at).await
}

async fn announce_end(
    tx: &mut PgTransaction<'_>,
    user_id: Uuid,
    session_id: Option<Uuid>,
    reason: Reason,
    revoked_at: Timestamp,
) -> sqlx::Result<()> {
    let entry = Entry {
        who: reason.is_their_own().then_some(user_id),
        action: if session_id.is_some() { "session_ended" } else { "sessions_ended" },
        target: session_id.or(Some(user_id)),
        result: reason.word(),
    };
    audit::record(&mut **tx, entry).await?;
    producers::session_revoked(tx, &SessionRevoked { user_id, session_id, reason: reason.word(), revoked_at }).await
}
