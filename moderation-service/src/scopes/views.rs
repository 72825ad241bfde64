//! The routes of scopes.
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;

use super::models::ModeratorScope;
use super::schemas::{ModeratorScopeIn, ModeratorScopeOut};
use crate::core::api::errors::{Error, Problem};
use crate::core::api::pagination::Page;
use crate::core::app::App;
use crate::core::app::identity::Role;
use crate::core::contract::extract::{Json as Body, Path};
use crate::core::doors::audit::{self, Entry};
use crate::subjects::staff::{Admin, Moderator};

const NO_SCOPE: Error = Error::Refused(StatusCode::NOT_FOUND, "The moderator works on all of the queue");
const NOT_YOURS: Error = Error::Refused(StatusCode::FORBIDDEN, "Only administrators can do this");

/// List the scopes of moderators, the one that was set last first; for administrators
#[utoipa::path(get, path = "/moderation/moderators", tag = "moderation", params(
    ("limit" = Option<i64>, Query, description = "Items on a page, 1 to 200; 50 when not given"),
    ("cursor" = Option<String>, Query, description = "From the Link header of the page before"),
), responses(
    (status = 200, body = Vec<ModeratorScopeOut>),
    (status = 403, body = Problem, description = "Not an administrator"),
))]
pub async fn list_scopes(_: Admin, State(app): State<App>, page: Page) -> Result<Response, Error> {
    let scopes = ModeratorScope::list(&app.db, page.before, page.rows()).await?;
    let scopes: Vec<_> =
        scopes.into_iter().map(|scope| PlacedScope { at: scope.updated_at, scope: scope.into() }).collect();
    Ok(page.answer(scopes, |placed| (placed.at, placed.scope.moderator)))
}

/// A scope with its place, by which the next page is found.
#[derive(serde::Serialize)]
struct PlacedScope {
    #[serde(skip)]
    at: crate::core::contract::timestamp::Timestamp,
    #[serde(flatten)]
    scope: ModeratorScopeOut,
}

/// Get what of the queue a moderator works on; for administrators, and for moderators about themselves
#[utoipa::path(get, path = "/moderation/moderators/{user_id}", tag = "moderation", params(
    ("user_id" = Uuid, Path, description = "The moderator"),
), responses(
    (status = 200, body = ModeratorScopeOut),
    (status = 403, body = Problem, description = "Not an administrator, and another moderator"),
))]
pub async fn get_scope(
    Moderator(staff): Moderator,
    State(app): State<App>,
    Path(moderator): Path,
) -> Result<Json<ModeratorScopeOut>, Error> {
    if staff.role < Role::Admin && staff.id != moderator {
        return Err(NOT_YOURS);
    }
    let scope = ModeratorScope::find(&app.db, moderator).await?;
    Ok(Json(scope.map_or_else(|| ModeratorScopeOut::unbounded(moderator), ModeratorScopeOut::from)))
}

/// Set what of the queue a moderator works on; for administrators
///
/// What is outside is neither listed for them nor claimed, and they decide nothing about it. Reading a subject stays possible.
#[utoipa::path(put, path = "/moderation/moderators/{user_id}", tag = "moderation", params(
    ("user_id" = Uuid, Path, description = "The moderator"),
), request_body = ModeratorScopeIn, responses(
    (status = 200, body = ModeratorScopeOut),
    (status = 403, body = Problem, description = "Not an administrator"),
))]
pub async fn put_scope(
    Admin(admin): Admin,
    State(app): State<App>,
    Path(moderator): Path,
    Body(scope): Body<ModeratorScopeIn>,
) -> Result<Json<ModeratorScopeOut>, Error> {
    let mut tx = app.db.begin().await?;
    let parts = (scope.types.as_slice(), scope.families.as_slice(), scope.escalated);
    let saved = ModeratorScope::save(&mut tx, moderator, parts, admin.id).await?;
    let result = format!("{:?} {:?} {}", saved.types, saved.families, saved.escalated);
    let entry = Entry { who: Some(admin.id), action: "moderator_scope_set", target: Some(moderator), result: &result };
    audit::record(&mut *tx, entry).await?;
    app.commit(tx).await?;
    Ok(Json(saved.into()))
}

/// Let a moderator work on all of the queue again; for administrators
#[utoipa::path(delete, path = "/moderation/moderators/{user_id}", tag = "moderation", params(
    ("user_id" = Uuid, Path, description = "The moderator"),
), responses(
    (status = 204),
    (status = 403, body = Problem, description = "Not an administrator"),
    (status = 404, body = Problem, description = "The moderator has no scope"),
))]
pub async fn delete_scope(
    Admin(admin): Admin,
    State(app): State<App>,
    Path(moderator): Path,
) -> Result<StatusCode, Error> {
    let mut tx = app.db.begin().await?;
    if !ModeratorScope::delete(&mut tx, moderator).await? {
        return Err(NO_SCOPE);
    }
    let entry = Entry { who: Some(admin.id), action: "moderator_scope_ended", target: Some(moderator), result: "" };
    audit::record(&mut *tx, entry).await?;
    app.commit(tx).await?;
    Ok(StatusCode::NO_CONTENT)
}
