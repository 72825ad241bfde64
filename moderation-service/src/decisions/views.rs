//! The routes of decisions.
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use axum::{Extension, Json};

use super::effects::models::author_of;
use super::locked::lock_for_decision;
use super::models::Decision;
use super::references::check_policy;
use super::schemas::{DecisionIn, DecisionOut, ReversalIn};
use super::statements::StatementOut;
use super::{CLAIMED, NO_SUCH_DECISION, check_moderator, signals};
use crate::core::api::errors::{Error, Problem};
use crate::core::api::pagination::Page;
use crate::core::app::App;
use crate::core::app::identity::User;
use crate::core::contract::extract::{Json as Body, Path};
use crate::scopes::check_scope;
use crate::strikes::services::Ladder;
use crate::subjects::SubjectKey;
use crate::subjects::staff::Moderator;

/// Decide about a post, a comment or a user
///
/// It is recorded, published, and stated to the author. What is hidden or removed is a strike, and enough strikes warn, mute or ban.
#[utoipa::path(post, path = "/moderation/subjects/{type}/{id}/decisions", tag = "moderation", params(
    ("type" = String, Path, max_length = 7, example = "POST", description = "POST, COMMENT, MEDIA or USER"),
    ("id" = Uuid, Path, description = "The post, comment or user"),
), request_body = DecisionIn, responses(
    (status = 201, body = DecisionOut),
    (status = 403, body = Problem, description = "Not a moderator, or the subject is the moderator's own or outside of their scope"),
    (status = 404, body = Problem, description = "There is no such subject, or no such policy, version or rule"),
    (status = 409, body = Problem, description = "Another moderator has claimed the subject; administrators decide all the same"),
))]
pub async fn create_decision(
    Moderator(moderator): Moderator,
    State(app): State<App>,
    Extension(ladder): Extension<Ladder>,
    key: SubjectKey,
    Body(decision): Body<DecisionIn>,
) -> Result<(StatusCode, Json<DecisionOut>), Error> {
    decision.check_fit(key.r#type)?;
    let mut tx = app.db.begin().await?;
    let author = author_of(&mut *tx, key).await?.ok_or(Error::Refused(StatusCode::NOT_FOUND, "No such subject"))?;
    check_moderator(&moderator, author)?;
    check_scope(&mut tx, &moderator, key, None).await?;
    check_policy(&mut *tx, decision.policy.as_ref()).await?;
    lock_for_decision(&mut tx, key, author).await?;
    if signals::is_kept_by_another(&mut *tx, &moderator, key).await? {
        return Err(CLAIMED);
    }
    let decision = signals::moderate(&mut tx, &ladder, decision.by(moderator.id, key, author)).await?;
    app.commit_with_answer(tx).await?;
    Ok((StatusCode::CREATED, Json(decision.into())))
}

/// Read a decision
#[utoipa::path(get, path = "/moderation/decisions/{id}", tag = "moderation", params(
    ("id" = Uuid, Path, description = "The decision"),
), responses(
    (status = 200, body = DecisionOut),
    (status = 403, body = Problem, description = "Not a moderator"),
    (status = 404, body = Problem),
))]
pub async fn get_decision(_: Moderator, State(app): State<App>, Path(id): Path) -> Result<Json<DecisionOut>, Error> {
    let decision = Decision::find(&app.db, id).await?.ok_or(NO_SUCH_DECISION)?;
    Ok(Json(decision.into()))
}

/// Take a decision back
///
/// Its effects end, its strike counts no longer, and what the ladder has done for more strikes than are left ends as well.
#[utoipa::path(post, path = "/moderation/decisions/{id}/reverse", tag = "moderation", params(
    ("id" = Uuid, Path, description = "The decision"),
), request_body = ReversalIn, responses(
    (status = 200, body = DecisionOut),
    (status = 403, body = Problem, description = "Not a moderator, or the decision is about the moderator or outside of their scope"),
    (status = 404, body = Problem),
    (status = 409, body = Problem, description = "The decision was taken back before"),
))]
pub async fn reverse_decision(
    Moderator(moderator): Moderator,
    State(app): State<App>,
    Path(id): Path,
    Body(reversal): Body<ReversalIn>,
) -> Result<Json<DecisionOut>, Error> {
    let mut tx = app.db.begin().await?;
    let decision = Decision::find(&mut *tx, id).await?.ok_or(NO_SUCH_DECISION)?;
    check_moderator(&moderator, decision.author)?;
    check_scope(&mut tx, &moderator, decision.key, Some(decision.reason)).await?;
    let reversed = signals::reverse(&mut tx, id, moderator.id, Some(reversal.note)).await?;
    let reversed = reversed.ok_or(Error::Refused(StatusCode::CONFLICT, "The decision is no longer in force"))?;
    app.commit_with_answer(tx).await?;
    Ok(Json(reversed.into()))
}

/// List the statements of reasons of the decisions about the caller, newest first
#[utoipa::path(get, path = "/me/moderation/decisions", tag = "moderation", params(
    ("limit" = Option<i64>, Query, description = "Items on a page, 1 to 200; 50 when not given"),
    ("cursor" = Option<String>, Query, description = "From the Link header of the page before"),
), responses(
    (status = 200, body = Vec<StatementOut>),
))]
pub async fn get_my_statements(user: User, State(app): State<App>, page: Page) -> Result<Response, Error> {
    let decisions = Decision::list(&app.db, user.id, page.before, page.rows()).await?;
    let statements: Vec<StatementOut> = decisions.into_iter().map(StatementOut::from).collect();
    Ok(page.answer(statements, |statement| (statement.at, statement.decision_id)))
}
