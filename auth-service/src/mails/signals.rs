//! Writes mails, each in the transaction of the change that it follows from.
use chrono::{DateTime, NaiveDate, Utc};
use sqlx::PgTransaction;
use uuid::Uuid;

use super::MailTemplate;
use super::models::{Mail, RequestedMail};
use crate::tokens::Purpose;
use crate::tokens::models::revoke;
use crate::users::models::Account;

/// An address was given that is not verified: the account's, or the one that is to take its place.
pub async fn address_given(tx: &mut PgTransaction<'_>, account: &Account) -> sqlx::Result<()> {
    let recipient = account.pending_email.as_ref().unwrap_or(&account.email);
    Mail::create(tx, account.id, recipient, &MailTemplate::Verification, &version(account), None).await
}

/// A sign-up used the address of an account that is not verified; the token accepts the claim.
pub async fn address_claimed(tx: &mut PgTransaction<'_>, account: &Account, claim: Uuid) -> sqlx::Result<()> {
    let letter = MailTemplate::Verification;
    Mail::create(tx, account.id, &account.email, &letter, &claim.to_string(), Some(claim)).await
}

/// Another verification of an address was asked for; `request` is the id of the request.
pub async fn verification_requested(
    tx: &mut PgTransaction<'_>,
    user: Uuid,
    recipient: &str,
    request: Uuid,
) -> sqlx::Result<()> {
    Mail::create(tx, user, recipient, &MailTemplate::Verification, &request.to_string(), None).await
}

/// An account changed whose address was verified: that address, which `before` has, gets a mail, and a token that takes
/// the change back.
pub async fn changed(
    tx: &mut PgTransaction<'_>,
    before: &Account,
    letter: &MailTemplate,
    change: Uuid,
) -> sqlx::Result<()> {
    Mail::create(tx, before.id, &before.email, letter, &change.to_string(), Some(change)).await
}

/// A change was taken back; `replaced` is the address that the account had until then.
pub async fn change_undone(
    tx: &mut PgTransaction<'_>,
    account: &Account,
    replaced: &str,
    change: Uuid,
) -> sqlx::Result<()> {
    Mail::create(tx, account.id, replaced, &MailTemplate::ChangeUndone, &change.to_string(), None).await
}

/// A password reset was requested for an account; `request` is the id of the request.
pub async fn password_forgotten(tx: &mut PgTransaction<'_>, account: &Account, request: Uuid) -> sqlx::Result<()> {
    write(tx, account, &MailTemplate::PasswordReset, &request.to_string()).await
}

/// An address was verified; who verifies the second one of their account was welcomed before.
pub async fn address_verified(tx: &mut PgTransaction<'_>, account: &Account) -> sqlx::Result<()> {
    write(tx, account, &MailTemplate::Welcome, &account.id.to_string()).await
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

/// An account of another platform was linked; `link` is its id.
pub async fn account_linked(
    tx: &mut PgTransaction<'_>,
    account: &Account,
    link: Uuid,
    provider: &str,
) -> sqlx::Result<()> {
    let letter = MailTemplate::AccountLinked { provider: provider.to_owned() };
    write(tx, account, &letter, &link.to_string()).await
}

/// It is linked no more.
pub async fn account_unlinked(
    tx: &mut PgTransaction<'_>,
    account: &Account,
    link: Uuid,
    provider: &str,
) -> sqlx::Result<()> {
    let letter = MailTemplate::AccountUnlinked { provider: provider.to_owned() };
    write(tx, account, &letter, &link.to_string()).await
}

/// A sign-up used an address that has an account. One mail a day, so that sign-ups cannot fill a mailbox.
pub async fn sign_up_attempted(tx: &mut PgTransaction<'_>, account: &Account, today: NaiveDate) -> sqlx::Result<()> {
    write(tx, account, &MailTemplate::SignUpAttempt, &format!("{} {today}", account.id)).await
}

/// Moderation has banned an account: its owner reads until when and why, and gets the token with which they appeal without a
/// sign-in. One mail for each decision.
pub async fn banned(
    tx: &mut PgTransaction<'_>,
    account: &Account,
    decision: Uuid,
    until: Option<DateTime<Utc>>,
    reason: Option<String>,
    appeal_token: String,
) -> sqlx::Result<()> {
    let until = until.map(|until| until.format("%-d %B %Y, %H:%M UTC").to_string());
    write(tx, account, &MailTemplate::Banned { until, reason, appeal_token }, &decision.to_string()).await
}

/// Another service asks for mails about notifications.
pub async fn notification_mails_requested(tx: &mut PgTransaction<'_>, mails: &[RequestedMail]) -> sqlx::Result<()> {
    Mail::create_requested(tx, mails).await
}

/// The tokens of a person for a purpose are void: neither those that went by mail open anything any more, nor will a mail
/// bring another one.
pub async fn tokens_voided(tx: &mut PgTransaction<'_>, user: Uuid, purpose: Purpose) -> sqlx::Result<()> {
    revoke(tx, user, purpose).await?;
    Mail::cancel_pending(tx, user, purpose).await
}

async fn write(tx: &mut PgTransaction<'_>, account: &Account, letter: &MailTemplate, cause: &str) -> sqlx::Result<()> {
    Mail::create(tx, account.id, &account.email, letter, cause, None).await
}

/// A change of an account: no two have the same time.
fn version(account: &Account) -> String {
    format!("{} {}", account.id, account.updated_at)
}
