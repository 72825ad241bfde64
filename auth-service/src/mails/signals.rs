//! Writes mails, each in the transaction of the change that it follows from.
use chrono::NaiveDate;
use sqlx::PgTransaction;
use uuid::Uuid;

use super::MailTemplate;
use super::models::Mail;
use crate::tokens::Purpose;
use crate::tokens::models::revoke;
use crate::users::models::Account;

/// An address was given that is not verified.
pub async fn address_given(tx: &mut PgTransaction<'_>, account: &Account) -> sqlx::Result<()> {
    write(tx, account, &MailTemplate::Verification, &version(account)).await
}

/// A password reset was requested for an account; `request` is the id of the request.
pub async fn password_forgotten(tx: &mut PgTransaction<'_>, account: &Account, request: Uuid) -> sqlx::Result<()> {
    write(tx, account, &MailTemplate::PasswordReset, &request.to_string()).await
}

/// An address was verified; who verifies the second one of their account was welcomed before.
pub async fn address_verified(tx: &mut PgTransaction<'_>, account: &Account) -> sqlx::Result<()> {
    write(tx, account, &MailTemplate::Welcome, &account.id.to_string()).await
}

/// An account has another password. Its address gets a mail if it was verified: else it may be a stranger's.
pub async fn password_changed(tx: &mut PgTransaction<'_>, account: &Account) -> sqlx::Result<()> {
    if !account.is_verified {
        return Ok(());
    }
    write(tx, account, &MailTemplate::PasswordChanged, &version(account)).await
}

/// A session began with a device or from a network that is new to the account.
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

/// A sign-up used an address that has an account. One mail a day, so that sign-ups cannot fill a mailbox.
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
