//! The routes of appeals.
use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::models::{Appeal, WaitingAppeal, release};
use super::schemas::{AppealCaseOut, AppealClaimIn, AppealClaimOut, AppealIn, AppealOut, ResolutionIn, TokenAppealIn};
use super::{NOT_CLAIMED, signals};
use crate::core::api::errors::{Error, Problem};
use crate::core::api::pagination::Page;
use crate::core::app::App;
use crate::core::app::identity::{Role, User};
use crate::core::contract::extract::{Json as Body, Path, Query};
use crate::core::contract::timestamp::Timestamp;
use crate::core::doors::callers::EvenMuted;
use crate::decisions::statements::StatementOut;
use crate::scopes::scope_of;
use crate::subjects::staff::Moderator;

/// Searches for free appeals before the answer is what was claimed before: each but the last was lost to another moderator.
const SEARCHES: u32 = 20;

/// Appeal a decision about the caller, once, within six months
///
/// A muted user can, too. Another moderator than the one who decided resolves the appeal.
#[utoipa::path(post, path = "/me/moderation/decisions/{id}/appeal", tag = "moderation", params(
    ("id" = Uuid, Path, description = "The decision"),
), request_body = AppealIn, responses(
    (status = 201, body = AppealOut),
    (status = 404, body = Problem),
    (status = 409, body = Problem, description = "Appealed before, too late, no longer in force, or without an effect"),
))]
pub async fn create_appeal(
    EvenMuted(user): EvenMuted,
    State(app): State<App>,
    Path(id): Path,
    Body(appeal): Body<AppealIn>,
) -> Result<(StatusCode, Json<AppealOut>), Error> {
    let mut tx = app.db.begin().await?;
    let appeal = signals::appeal(&mut tx, id, user.id, &appeal.text).await?;
    app.commit_with_answer(tx).await?;
    Ok((StatusCode::CREATED, Json(appeal.into())))
}

/// Read the statement of reasons that a mail's token is about, without a sign-in
///
/// Who is banned has no session: the mail about the ban brings the token.
#[utoipa::path(get, path = "/moderation/appeals/by-token", tag = "moderation", security(()), params(
    ("token" = String, Query, max_length = 96, description = "The token of the link", example = "00"),
), responses(
    (status = 200, body = StatementOut),
    (status = 404, body = Problem, description = "The token gives no right to a decision"),
))]
pub async fn get_statement_by_token(State(app): State<App>, mut query: Query) -> Result<Response, Error> {
    let token = query.required("token");
    query.check()?;
    let mut tx = app.db.begin().await?;
    let statement = StatementOut::from(signals::decision_of(&mut tx, &token).await?);
    // It is read with a token that no cache knows as one of access.
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(statement)).into_response())
}

/// Appeal a decision with a mail's token, without a sign-in, once, within six months
#[utoipa::path(post, path = "/moderation/appeals/by-token", tag = "moderation", security(()),
    request_body = TokenAppealIn, responses(
    (status = 201, body = AppealOut),
    (status = 404, body = Problem, description = "The token gives no right to a decision"),
    (status = 409, body = Problem, description = "Appealed before, too late, no longer in force, or without an effect"),
))]
pub async fn create_appeal_by_token(
    State(app): State<App>,
    Body(appeal): Body<TokenAppealIn>,
) -> Result<(StatusCode, Json<AppealOut>), Error> {
    let mut tx = app.db.begin().await?;
    let decision = signals::decision_of(&mut tx, &appeal.token).await?;
    let appeal = signals::appeal(&mut tx, decision.id, decision.author, &appeal.text).await?;
    app.commit_with_answer(tx).await?;
    Ok((StatusCode::CREATED, Json(appeal.into())))
}

/// List the caller's appeals, newest first
#[utoipa::path(get, path = "/me/appeals", tag = "moderation", params(
    ("limit" = Option<i64>, Query, description = "Items on a page, 1 to 200; 50 when not given"),
    ("cursor" = Option<String>, Query, description = "From the Link header of the page before"),
), responses(
    (status = 200, body = Vec<AppealOut>),
))]
pub async fn get_my_appeals(user: User, State(app): State<App>, page: Page) -> Result<Response, Error> {
    let appeals = Appeal::list_of(&app.db, user.id, page.before, page.rows()).await?;
    let appeals: Vec<AppealOut> = appeals.into_iter().map(AppealOut::from).collect();
    Ok(page.answer(appeals, |appeal| (appeal.at, appeal.id)))
}

/// List the open appeals in the caller's scope, the most urgent first
///
/// What waits longest comes first; but an appeal against a ban comes before one against a label or a warning that has waited up to 33 hours
/// longer, and one against a mute or about what was hidden before one that has waited up to 17 hours longer.
#[utoipa::path(get, path = "/moderation/appeals", tag = "moderation", params(
    ("claimed_by_me" = Option<bool>, Query, description = "True: what the caller has claimed, all of it"),
    ("limit" = Option<i64>, Query, description = "Items on a page, 1 to 200; 50 when not given"),
    ("cursor" = Option<String>, Query, description = "From the Link header of the page before"),
), responses(
    (status = 200, body = Vec<AppealCaseOut>),
    (status = 403, body = Problem, description = "Not a moderator"),
))]
pub async fn get_appeals(
    Moderator(moderator): Moderator,
    State(app): State<App>,
    page: Page,
    query: Query,
) -> Result<Response, Error> {
    if query.get("claimed_by_me") == Some("true") {
        return Ok(Json(claimed_by(&app, &moderator).await?).into_response());
    }
    let scope = scope_of(&app.db, &moderator).await?;
    let appeals = WaitingAppeal::list(&app.db, &scope, page.before, page.rows()).await?;
    let appeals: Vec<_> =
        appeals.into_iter().map(|appeal| PlacedAppeal { place: appeal.place, case: appeal.into() }).collect();
    Ok(page.answer(appeals, |placed| (placed.place, placed.case.appeal.id)))
}

/// An appeal with its place, by which the next page is found.
#[derive(serde::Serialize)]
struct PlacedAppeal {
    #[serde(skip)]
    place: Timestamp,
    #[serde(flatten)]
    case: AppealCaseOut,
}

/// What a moderator has claimed.
async fn claimed_by(app: &App, moderator: &User) -> Result<Vec<AppealCaseOut>, Error> {
    let claimed = WaitingAppeal::list_claimed(&app.db, moderator.id).await?;
    Ok(claimed.into_iter().map(AppealCaseOut::from).collect())
}

/// Claim the most urgent appeals that are free, for 15 minutes; all that the caller has claimed then
///
/// None is about what the caller has decided or wrote, nor about a measure of the ladder in which a strike of theirs counted.
#[utoipa::path(post, path = "/moderation/appeals/claim", tag = "moderation", request_body = AppealClaimIn, responses(
    (status = 200, body = Vec<AppealCaseOut>, description = "The appeals, the most urgent first; none when nothing is free"),
    (status = 403, body = Problem, description = "Not a moderator"),
))]
pub async fn claim_next_appeals(
    Moderator(moderator): Moderator,
    State(app): State<App>,
    Body(wanted): Body<AppealClaimIn>,
) -> Result<Json<Vec<AppealCaseOut>>, Error> {
    let scope = scope_of(&app.db, &moderator).await?;
    for _ in 0..SEARCHES {
        let mut tx = app.db.begin().await?;
        let claimed = WaitingAppeal::claim_next(&mut tx, (moderator.id, &scope), wanted.limit).await?;
        app.commit(tx).await?;
        if !claimed.is_outrun {
            break;
        }
    }
    Ok(Json(claimed_by(&app, &moderator).await?))
}

/// Claim an appeal for 15 minutes, or extend the claim
#[utoipa::path(post, path = "/moderation/appeals/{id}/claim", tag = "moderation", params(
    ("id" = Uuid, Path, description = "The appeal"),
), responses(
    (status = 200, body = AppealClaimOut),
    (status = 403, body = Problem, description = "Not a moderator, or one who took part in the decision, or the one who appealed, or it is outside of their scope"),
    (status = 404, body = Problem),
    (status = 409, body = Problem, description = "Another moderator has claimed it, or it was resolved before"),
))]
pub async fn claim_appeal(
    Moderator(moderator): Moderator,
    State(app): State<App>,
    Path(id): Path,
) -> Result<Json<AppealClaimOut>, Error> {
    let mut tx = app.db.begin().await?;
    let until = signals::claimed(&mut tx, id, &moderator).await?;
    app.commit(tx).await?;
    Ok(Json(AppealClaimOut { moderator: moderator.id, until }))
}

/// End one's claim on an appeal; administrators end any
#[utoipa::path(delete, path = "/moderation/appeals/{id}/claim", tag = "moderation", params(
    ("id" = Uuid, Path, description = "The appeal"),
), responses(
    (status = 204),
    (status = 403, body = Problem, description = "Not a moderator"),
    (status = 404, body = Problem, description = "The caller has not claimed it"),
))]
pub async fn release_appeal(
    Moderator(moderator): Moderator,
    State(app): State<App>,
    Path(id): Path,
) -> Result<StatusCode, Error> {
    let by = (moderator.role < Role::Admin).then_some(moderator.id);
    if release(&app.db, id, by).await? { Ok(StatusCode::NO_CONTENT) } else { Err(NOT_CLAIMED) }
}

/// Resolve an appeal: the decision stands, or its effects end
///
/// By a moderator other than the one who decided or, of a measure of the ladder, those whose strikes counted; what a machine has decided,
/// any moderator resolves.
#[utoipa::path(post, path = "/moderation/appeals/{id}/resolve", tag = "moderation", params(
    ("id" = Uuid, Path, description = "The appeal"),
), request_body = ResolutionIn, responses(
    (status = 200, body = AppealCaseOut),
    (status = 403, body = Problem, description = "Not a moderator, or one who took part in the decision, or the one who appealed, or it is outside of their scope"),
    (status = 404, body = Problem),
    (status = 409, body = Problem, description = "The appeal was resolved before, or another moderator has claimed it; administrators resolve it all the same"),
))]
pub async fn resolve_appeal(
    Moderator(moderator): Moderator,
    State(app): State<App>,
    Path(id): Path,
    Body(resolution): Body<ResolutionIn>,
) -> Result<Json<AppealCaseOut>, Error> {
    let mut tx = app.db.begin().await?;
    let appeal = signals::resolve(&mut tx, id, resolution.outcome, &moderator, resolution.note).await?;
    app.commit_with_answer(tx).await?;
    Ok(Json(appeal.into()))
}
