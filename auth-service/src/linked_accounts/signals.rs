//! What follows from a link and its end, in the same transaction: audit entries, and what a new account needs.
use sqlx::PgTransaction;
use uuid::Uuid;

use crate::accounts;
use crate::core::doors::audit::{self, Entry};
use crate::users::models::Account;

/// An account elsewhere was linked.
pub async fn linked(tx: &mut PgTransaction<'_>, user: Uuid, id: Uuid) -> sqlx::Result<()> {
    record(tx, user, id, "account_linked").await
}

/// A link has ended; the provider's tokens are being revoked.
pub async fn unlinked(tx: &mut PgTransaction<'_>, user: Uuid, id: Uuid) -> sqlx::Result<()> {
    record(tx, user, id, "account_unlinked").await
}

/// A person has signed in by a link.
pub async fn used(tx: &mut PgTransaction<'_>, user: Uuid, id: Uuid) -> sqlx::Result<()> {
    record(tx, user, id, "signed_in_by_linked_account").await
}

async fn record(tx: &mut PgTransaction<'_>, user: Uuid, id: Uuid, action: &str) -> sqlx::Result<()> {
    audit::record(&mut **tx, Entry { who: Some(user), action, target: Some(id), result: "done" }).await
}

/// A new person has come from a provider that has verified their address.
pub async fn registered(tx: &mut PgTransaction<'_>, account: &Account) -> sqlx::Result<()> {
    accounts::signals::registered_verified(tx, account).await
}
