//! What follows from a change of an account, in the change's transaction: events, mails, and what Redis knows of them.
use chrono::{DateTime, Utc};
use sqlx::PgTransaction;
use uuid::Uuid;

use super::events::producers;
use super::schemas::UserDeleted;
use crate::core::doors::erasure;
use crate::directory;
use crate::sessions::{self, Reason};
use crate::tokens::Purpose;
use crate::users::models::{Account, DeletedAccount};
use crate::users::schemas::UserOut;
use crate::{mails, names, profiles};

/// An account was created.
pub async fn registered(tx: &mut PgTransaction<'_>, account: &Account) -> sqlx::Result<()> {
    names::models::refold(tx, &[account.id]).await?;
    directory::models::mark_stale(tx, &[account.id]).await?;
    mails::signals::address_given(tx, account).await?;
    producers::user_registered(tx, &UserOut::from(account.clone())).await
}

/// A sign-up used an address that has an account: only the owner of the address gets a mail.
pub async fn registered_again(tx: &mut PgTransaction<'_>, email: &str, now: DateTime<Utc>) -> sqlx::Result<()> {
    match Account::find_by_email(&mut **tx, email).await? {
        Some(owner) => mails::signals::sign_up_attempted(tx, &owner, now.date_naive()).await,
        None => Ok(()),
    }
}

/// The owner updated the account. A new address must be verified, and the tokens mailed to the old one become void.
pub async fn updated(tx: &mut PgTransaction<'_>, account: &Account, moved: bool) -> sqlx::Result<()> {
    profiles::signals::updated(tx, account.id).await?;
    mails::signals::tokens_voided(tx, account.id, Purpose::PasswordReset).await?;
    if moved {
        mails::signals::tokens_voided(tx, account.id, Purpose::Activation).await?;
        mails::signals::address_given(tx, account).await?;
    }
    Ok(())
}

/// The password was changed: all sessions end, and reset tokens that were mailed before become void.
pub async fn password_changed(tx: &mut PgTransaction<'_>, account: &Account, reason: Reason) -> sqlx::Result<()> {
    sessions::signals::end_all(tx, account.id, reason).await?;
    mails::signals::tokens_voided(tx, account.id, Purpose::PasswordReset).await?;
    mails::signals::password_changed(tx, account).await?;
    directory::models::mark_stale(tx, &[account.id]).await
}

/// The address was verified.
pub async fn verified(tx: &mut PgTransaction<'_>, account: &Account) -> sqlx::Result<()> {
    mails::signals::tokens_voided(tx, account.id, Purpose::Activation).await?;
    mails::signals::address_verified(tx, account).await?;
    profiles::signals::updated(tx, account.id).await
}

/// These followers lost their connection to an account that is being deleted.
pub async fn left(tx: &mut PgTransaction<'_>, lost: &[Uuid]) -> sqlx::Result<()> {
    directory::models::mark_stale(tx, lost).await
}

/// The account was deleted: erasure begins in all services. Connections and blocks end with it and publish no events of
/// their own.
pub async fn deleted(tx: &mut PgTransaction<'_>, deleted: &DeletedAccount) -> sqlx::Result<()> {
    directory::models::mark_stale(tx, &[&deleted.lost[..], &[deleted.id]].concat()).await?;
    erasure::begin(tx, &[deleted.id]).await?;
    producers::user_deleted(tx, &UserDeleted { id: deleted.id, deleted_at: deleted.at }).await
}
