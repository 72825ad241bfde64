//! What a decision refers to has to be there.
use axum::http::StatusCode;
use sqlx::PgExecutor;

use super::effects::models::ReferredPolicy;
use crate::core::api::errors::Error;
use crate::subjects::changes::PolicyRef;

/// Refuses a policy, a version or a rule that there is not.
pub async fn check_policy(db: impl PgExecutor<'_>, policy: Option<&PolicyRef>) -> Result<(), Error> {
    let Some(policy) = policy else { return Ok(()) };
    let refuse = |what| Err(Error::Refused(StatusCode::NOT_FOUND, what));
    match ReferredPolicy::find(db, policy).await? {
        ReferredPolicy { has_policy: false, .. } => refuse("No such policy"),
        ReferredPolicy { has_version: false, .. } => refuse("The policy has no such version"),
        ReferredPolicy { has_rule: false, .. } => refuse("The version of the policy has no such rule"),
        _ => Ok(()),
    }
}
