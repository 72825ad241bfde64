//! What follows from a change of a policy, in the same transaction: it is audited.
use sqlx::PgTransaction;
use uuid::Uuid;

use super::models::Policy;
use crate::core::doors::audit::{self, Entry};

/// A policy was created or changed.
pub async fn changed(tx: &mut PgTransaction<'_>, policy: &Policy, by: Uuid) -> sqlx::Result<()> {
    let action = if policy.version == 1 { "policy_created" } else { "policy_changed" };
    let result = format!("version {} {:?}", policy.version, policy.mode);
    audit::record(&mut **tx, Entry { who: Some(by), action, target: Some(policy.id), result: &result }).await
}
