//! Scopes: what of the queue a moderator works on, as administrators share it out among teams, and whether also what was escalated,
//! which is for seniors. A moderator without a scope works on all of it; administrators always do.
pub mod models;
pub mod rights;
mod schemas;
pub mod services;
mod views;

#[cfg(test)]
mod tests;

use axum::http::StatusCode;
use sqlx::{PgExecutor, PgTransaction};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use self::models::{ModeratorScope, find_place};
use self::services::ScopeFilter;
use crate::core::api::errors::Error;
use crate::core::app::App;
use crate::core::app::identity::{Role, User};
use crate::core::app::limits::Limit;
use crate::core::ground::settings::Rate;
use crate::subjects::SubjectKey;
use crate::subjects::reasons::Reason;

/// The subject is for other moderators.
const OUT_OF_SCOPE: Error = Error::Refused(StatusCode::FORBIDDEN, "This is for the moderators of another queue");

/// How often scopes may be read and set.
pub const SCOPES_LIMIT: Limit = Limit {
    name: "moderator_scopes",
    routes: &[
        "GET /api/v1/moderation/moderators",
        "GET /api/v1/moderation/moderators/{user_id}",
        "PUT /api/v1/moderation/moderators/{user_id}",
        "DELETE /api/v1/moderation/moderators/{user_id}",
    ],
    rate: Rate::new(300, 60),
    burst_in_development: None,
    strict: false,
};

/// What of the queue a member of staff works on; administrators work on all of it.
pub async fn scope_of(db: impl PgExecutor<'_>, staff: &User) -> sqlx::Result<ScopeFilter> {
    if staff.role >= Role::Admin {
        return Ok(ScopeFilter::ALL);
    }
    Ok(ModeratorScope::find(db, staff.id).await?.map_or(ScopeFilter::ALL, ScopeFilter::from))
}

/// Whether a subject is in a scope: by the family in which it stands in the queue, or, where a decision was made
/// about it, by the reason of that.
pub async fn is_in_scope(
    tx: &mut PgTransaction<'_>,
    scope: &ScopeFilter,
    key: SubjectKey,
    reason: Option<Reason>,
) -> sqlx::Result<bool> {
    if *scope == ScopeFilter::ALL {
        return Ok(true);
    }
    let (family, is_escalated) = find_place(tx, key).await?;
    let family = reason.map(|reason| reason.family().word()).or(family.as_deref());
    Ok(scope.admits(key.r#type, family, is_escalated))
}

/// Refuses a member of staff in whose scope a subject is not.
pub async fn check_scope(
    tx: &mut PgTransaction<'_>,
    staff: &User,
    key: SubjectKey,
    reason: Option<Reason>,
) -> Result<(), Error> {
    let scope = scope_of(&mut **tx, staff).await?;
    if is_in_scope(tx, &scope, key, reason).await? { Ok(()) } else { Err(OUT_OF_SCOPE) }
}

/// The routes of scopes.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(views::list_scopes)).routes(routes!(
        views::get_scope,
        views::put_scope,
        views::delete_scope
    ))
}
