//! What follows when a person's tokens of a purpose are to be void: neither those that went by mail open anything any more,
//! nor will a mail bring another one.
use sqlx::PgTransaction;
use uuid::Uuid;

use super::Purpose;
use super::models::revoke;
use crate::mails::models::Mail;

/// The tokens of a person for a purpose are void.
pub async fn voided(tx: &mut PgTransaction<'_>, user: Uuid, purpose: Purpose) -> sqlx::Result<()> {
    revoke(tx, user, purpose).await?;
    Mail::call_back(tx, user, purpose).await
}
