//! What follows from a decision about an account, in the decision's transaction.
use sqlx::PgTransaction;
use uuid::Uuid;

use super::models::{Decision, DecisionKind, lock_accounts, set_role};
use crate::core::app::identity::{Role, Status};
use crate::core::doors::audit::{self, Entry};
use crate::profiles;
use crate::sessions::{self, Reason};
use crate::users::models::Account;
use crate::users::{ApiWord, address};

/// An account has another role or status; without `by` an operator or moderation decided it, or time was up.
pub async fn decided(
    tx: &mut PgTransaction<'_>,
    user: Uuid,
    by: Option<Uuid>,
    kind: DecisionKind,
    reason: Option<&str>,
) -> sqlx::Result<()> {
    Decision::create(tx, user, by, kind, reason).await?;
    let (action, result) = match kind {
        DecisionKind::Role(role) => ("role_changed", role.word()),
        DecisionKind::Status(status, ..) => ("status_changed", status.word()),
    };
    audit::record(&mut **tx, Entry { who: by, action, target: Some(user), result }).await?;
    if matches!(kind, DecisionKind::Status(Status::Banned, ..)) {
        sessions::signals::end_all(tx, user, Reason::Banned).await?;
    }
    profiles::signals::updated(tx, user).await
}

/// The address of an account was proved by a token that was mailed there: as long as there is no administrator, the account
/// of the settings, whose address has this key, becomes it. Not at the sign-up: any client can sign up with that address.
pub async fn address_proved(
    tx: &mut PgTransaction<'_>,
    account: &mut Account,
    first_admin: Option<&str>,
) -> sqlx::Result<()> {
    let is_named = first_admin.is_some_and(|first_admin| first_admin == address::key(&account.email));
    if !is_named || lock_accounts(tx, &[account.id]).await?.admins() > 0 {
        return Ok(());
    }
    set_role(tx, account.id, Role::Admin).await?;
    account.role = Role::Admin;
    decided(tx, account.id, None, DecisionKind::Role(Role::Admin), Some("FIRST_ADMIN")).await
}
