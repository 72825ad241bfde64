//! What follows from a link and its end, in the same transaction: audit entries, and what a new account needs.
use sqlx::PgTransaction;
use uuid::Uuid;

use super::models::{LinkedAccount, Unlinked};
use crate::accounts;
use crate::core::doors::audit::{self, Entry};
use crate::mails;
use crate::users::models::Account;

/// An account of a provider of this name was linked, of a new account or of one that was there.
pub async fn linked(tx: &mut PgTransaction<'_>, link: &LinkedAccount, provider: &str) -> sqlx::Result<()> {
    record(tx, link.user_id, link.id, "account_linked").await?;
    accounts::signals::link_changed(tx, link.user_id, provider, true, link.linked_at).await
}

/// An account elsewhere was linked to one that was there: there is one more way into it, of which its owner is to know.
pub async fn way_in_added(
    tx: &mut PgTransaction<'_>,
    account: &Account,
    link: &LinkedAccount,
    title: &str,
) -> sqlx::Result<()> {
    mails::signals::account_linked(tx, account, link.id, title).await
}

/// A link has ended, to a provider of this name and title; the provider's tokens are being revoked.
pub async fn unlinked(
    tx: &mut PgTransaction<'_>,
    account: &Account,
    id: Uuid,
    link: &Unlinked,
    (provider, title): (&str, &str),
) -> sqlx::Result<()> {
    record(tx, account.id, id, "account_unlinked").await?;
    accounts::signals::link_changed(tx, account.id, provider, false, link.at).await?;
    mails::signals::account_unlinked(tx, account, id, title).await
}

/// A person has signed in by a link to a provider of this name. It is published again, for services that came after it.
pub async fn used(tx: &mut PgTransaction<'_>, link: &LinkedAccount, provider: &str) -> sqlx::Result<()> {
    record(tx, link.user_id, link.id, "signed_in_by_linked_account").await?;
    accounts::signals::link_changed(tx, link.user_id, provider, true, link.linked_at).await
}

async fn record(tx: &mut PgTransaction<'_>, user: Uuid, id: Uuid, action: &str) -> sqlx::Result<()> {
    audit::record(&mut **tx, Entry { who: Some(user), action, target: Some(id), result: "done" }).await
}

/// A new person has come from a provider that has verified their address.
pub async fn registered(tx: &mut PgTransaction<'_>, account: &Account) -> sqlx::Result<()> {
    accounts::signals::registered_verified(tx, account).await
}
