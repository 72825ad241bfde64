//! What the service writes to people, each mail in the transaction of what it follows from.
use chrono::NaiveDate;
use sqlx::PgTransaction;
use uuid::Uuid;

use super::MailTemplate;
use super::models::Mail;
use crate::tokens::Purpose;
use crate::tokens::models::revoke;
use crate::users::models::Account;

/// An address was given that nobody has verified.
pub async fn address_given(tx: &mut PgTransaction<'_>, account: &Account) -> sqlx::Result<()> {
    write(tx, account, &MailTemplate::Verification, &version(account)).await
}

/// Somebody wishes a new password for an account; `wish` is the name of the wish.
pub async fn password_forgotten(tx: &mut PgTransaction<'_>, account: &Account, wish: Uuid) -> sqlx::Result<()> {
    write(tx, account, &MailTemplate::PasswordReset, &wish.to_string()).await
}

/// An address was verified; who verifies the second one of their account was welcomed before.
pub async fn address_verified(tx: &mut PgTransaction<'_>, account: &Account) -> sqlx::Result<()> {
    write(tx, account, &MailTemplate::Welcome, &account.id.to_string()).await
}

/// An account has another password. Its address hears of it if it was verified: else it may be a stranger's.
pub async fn password_changed(tx: &mut PgTransaction<'_>, account: &Account) -> sqlx::Result<()> {
    if !account.is_verified {
        return Ok(());
    }
    write(tx, account, &MailTemplate::PasswordChanged, &version(account)).await
}

/// Somebody has signed in to an account, with a device or from a network that is new to it.
pub async fn signed_in_elsewhere(
    tx: &mut PgTransaction<'_>,
    account: &Account,
    session: Uuid,
    device: String,
    place: &str,
) -> sqlx::Result<()> {
    let letter = MailTemplate::NewSignIn { device, place: place.to_owned() };
    write(tx, account, &letter, &session.to_string()).await
}

/// Somebody tried to make a second account for an address; it hears of it once a day, so that nobody can fill a mailbox.
pub async fn sign_up_attempted(tx: &mut PgTransaction<'_>, account: &Account, today: NaiveDate) -> sqlx::Result<()> {
    write(tx, account, &MailTemplate::SignUpAttempt, &format!("{} {today}", account.id)).await
}

/// The tokens of a person for a purpose are void: neither those that went by mail open anything any more, nor will a mail
/// bring another one.
pub async fn tokens_voided(tx: &mut PgTransaction<'_>, user: Uuid, purpose: Purpose) -> sqlx::Result<()> {
    revoke(tx, user, purpose).await?;
    Mail::cancel_pending(tx, user, purpose).await
}

async fn write(tx: &mut PgTransaction<'_>, account: &Account, letter: &MailTemplate, cause: &str) -> sqlx::Result<()> {
    Mail::create(tx, account.id, &account.email, letter, cause).await
}

/// A change of an account: no two have the same time.
fn version(account: &Account) -> String {
    format!("{} {}", account.id, account.updated_at)
}
