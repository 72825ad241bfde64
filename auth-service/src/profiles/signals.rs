//! What follows from a change of a profile, in the change's transaction.
use sqlx::PgTransaction;
use uuid::Uuid;

use super::events::producers;
use super::models::Profile;
use super::schemas::UserUpdated;
use crate::{directory, names};

/// A profile was changed: it is found by its new names, its hash becomes stale, and `user_updated` is published.
pub async fn updated(tx: &mut PgTransaction<'_>, id: Uuid) -> sqlx::Result<()> {
    names::models::refold(tx, &[id]).await?;
    directory::models::mark_stale(tx, &[id]).await?;
    let profile = Profile::find(&mut **tx, id, id).await?.ok_or(sqlx::Error::RowNotFound)?;
    producers::user_updated(tx, &UserUpdated::from(&profile)).await
}
