//! Decisions carried out: checked under a lock, stored, and announced.
use chrono::{DateTime, Utc};
use sqlx::PgTransaction;
use uuid::Uuid;

use super::models::{DecisionKind, lock_accounts, set_role, set_status};
use super::services::{check_role, check_status, forbidden};
use super::signals;
use crate::core::api::errors::Error;
use crate::core::app::identity::{Role, Status};
use crate::users::{ACCOUNT_DELETED, USER_NOT_FOUND};

/// Assigns a role to an account; `by` is the deciding administrator, none an operator.
pub async fn assign_role(
    tx: &mut PgTransaction<'_>,
    by: Option<Uuid>,
    target: Uuid,
    role: Role,
    reason: Option<&str>,
) -> Result<(), Error> {
    let ids: Vec<Uuid> = by.into_iter().chain([target]).collect();
    let accounts = lock_accounts(tx, &ids).await?;
    // Checked again under the lock: the administrator may have lost the role meanwhile.
    if by.is_some_and(|by| accounts.find(by).is_none_or(|by| by.role < Role::Admin)) {
        return Err(forbidden("Only administrators can do this"));
    }
    check_role(&accounts.find(target).ok_or(USER_NOT_FOUND)?, role, accounts.admins())?;
    set_role(tx, target, role).await?;
    Ok(signals::decided(tx, target, by, DecisionKind::Role(role), reason).await?)
}

/// Mutes or bans an account until a time or for good, or lifts what there is.
pub async fn restrict(
    tx: &mut PgTransaction<'_>,
    by: Uuid,
    target: Uuid,
    (status, until): (Status, Option<DateTime<Utc>>),
    reason: &str,
) -> Result<(), Error> {
    let accounts = lock_accounts(tx, &[by, target]).await?;
    check_status(&accounts.find(by).ok_or(ACCOUNT_DELETED)?, &accounts.find(target).ok_or(USER_NOT_FOUND)?)?;
    let status = set_status(tx, target, status, until, false).await?;
    Ok(signals::decided(tx, target, Some(by), DecisionKind::Status(status, until, None), Some(reason)).await?)
}
