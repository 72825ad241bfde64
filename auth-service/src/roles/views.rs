//! The routes of those who decide.
use axum::Json;
use axum::extract::State;
use axum::response::Response;
use chrono::Utc;

use super::decisions::{assign_role, restrict};
use super::models::{Decision, Member};
use super::schemas::{DecisionOut, Filter, MemberOut, RoleIn, StatusIn};
use crate::app::App;
use crate::core::api::errors::{Error, Problem};
use crate::core::api::pagination::Page;
use crate::core::contract::extract::{Json as Body, Path, Query};
use crate::users::USER_NOT_FOUND;
use crate::users::rights::{Admin, Moderator};

/// List users by role and status, the newest first
#[utoipa::path(get, path = "/admin/users", tag = "admin", params(
    ("role" = Option<crate::core::app::identity::Role>, Query, description = "Only those of this role"),
    ("status" = Option<crate::core::app::identity::Status>, Query, description = "Only those of this status"),
    ("limit" = Option<i64>, Query, description = "Items on a page, 1 to 200; 50 when not given"),
    ("cursor" = Option<String>, Query, description = "From the Link header of the page before"),
), responses(
    (status = 200, body = Vec<MemberOut>),
    (status = 403, body = Problem, description = "Only moderators and administrators can do this"),
))]
pub async fn get_members(_: Moderator, State(app): State<App>, page: Page, query: Query) -> Result<Response, Error> {
    let filter = Filter::read(query)?;
    let members = Member::list(&app.db, filter.role, filter.status, page.before, page.rows()).await?;
    let members: Vec<MemberOut> = members.into_iter().map(MemberOut::from).collect();
    Ok(page.answer(members, |member| (member.date_joined, member.id)))
}

/// Read a user's role and status
#[utoipa::path(get, path = "/admin/users/{user_id}", tag = "admin", params(("user_id" = uuid::Uuid, Path)), responses(
    (status = 200, body = MemberOut),
    (status = 403, body = Problem, description = "Only moderators and administrators can do this"),
    (status = 404, body = Problem),
    (status = 422, body = Problem),
))]
pub async fn get_member(_: Moderator, State(app): State<App>, Path(id): Path) -> Result<Json<MemberOut>, Error> {
    Ok(Json(Member::find(&app.db, id).await?.ok_or(USER_NOT_FOUND)?.into()))
}

/// Set a user's role
#[utoipa::path(put, path = "/admin/users/{user_id}/role", tag = "admin", params(("user_id" = uuid::Uuid, Path)),
    request_body = RoleIn, responses(
    (status = 200, body = MemberOut),
    (status = 403, body = Problem, description = "Only administrators can do this"),
    (status = 404, body = Problem),
    (status = 409, body = Problem, description = "The last administrator, or a user who is muted or banned"),
))]
pub async fn set_role(
    by: Admin,
    State(app): State<App>,
    Path(id): Path,
    Body(input): Body<RoleIn>,
) -> Result<Json<MemberOut>, Error> {
    let mut tx = app.db.begin().await?;
    assign_role(&mut tx, Some(by.id), id, input.role, input.reason.as_deref()).await?;
    let member = Member::find(&mut *tx, id).await?.ok_or(USER_NOT_FOUND)?;
    app.commit_with_answer(tx).await?;
    Ok(Json(member.into()))
}

/// Mute or ban a user, for good or until a time, or lift it; a ban ends all sessions
#[utoipa::path(put, path = "/admin/users/{user_id}/status", tag = "admin", params(("user_id" = uuid::Uuid, Path)),
    request_body = StatusIn, responses(
    (status = 200, body = MemberOut),
    (status = 403, body = Problem, description = "Not a moderator, oneself, an administrator, or a moderator's decision about a moderator"),
    (status = 404, body = Problem),
))]
pub async fn set_status(
    by: Moderator,
    State(app): State<App>,
    Path(id): Path,
    Body(input): Body<StatusIn>,
) -> Result<Json<MemberOut>, Error> {
    input.check(Utc::now())?;
    let mut tx = app.db.begin().await?;
    restrict(&mut tx, by.id, id, (input.status, input.until), &input.reason).await?;
    let member = Member::find(&mut *tx, id).await?.ok_or(USER_NOT_FOUND)?;
    app.commit_with_answer(tx).await?;
    Ok(Json(member.into()))
}

/// List the decisions about a user, newest first
#[utoipa::path(get, path = "/admin/users/{user_id}/history", tag = "admin", params(
    ("user_id" = uuid::Uuid, Path),
    ("limit" = Option<i64>, Query, description = "Items on a page, 1 to 200; 50 when not given"),
    ("cursor" = Option<String>, Query, description = "From the Link header of the page before"),
), responses(
    (status = 200, body = Vec<DecisionOut>),
    (status = 403, body = Problem, description = "Only moderators and administrators can do this"),
    (status = 404, body = Problem),
))]
pub async fn get_decisions(
    _: Moderator,
    State(app): State<App>,
    Path(id): Path,
    page: Page,
) -> Result<Response, Error> {
    Member::find(&app.db, id).await?.ok_or(USER_NOT_FOUND)?;
    let decisions = Decision::list(&app.db, id, page.before, page.rows()).await?;
    let decisions: Vec<DecisionOut> = decisions.into_iter().map(DecisionOut::from).collect();
    Ok(page.answer(decisions, |decision| (decision.at, decision.id)))
}
