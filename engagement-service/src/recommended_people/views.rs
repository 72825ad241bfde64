//! The routes of recommended people.
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use uuid::Uuid;

use super::connecting::connect;
use super::models::{DismissedPerson, RecommendationReader, RecommendedPerson};
use super::schemas::RecommendedPersonOut;
use super::{PERSON_NOT_FOUND, signals};
use crate::core::api::errors::{Error, Problem};
use crate::core::api::pagination::{DEFAULT_LIMIT, MAX_LIMIT};
use crate::core::app::App;
use crate::core::app::identity::User;
use crate::core::contract::extract::{Path, Query};

/// List people that the caller may want to be connected to, the best first, then the newest
///
/// Left out are the connections of the caller, people that they dismissed, block or mute, that block them, and that are banned.
#[utoipa::path(get, path = "/me/recommendations/people", tag = "recommendations", params(
    ("limit" = Option<i64>, Query, description = "People at most, 1 to 200; 50 when not given"),
), responses(
    (status = 200, body = Vec<RecommendedPersonOut>),
    (status = 422, body = Problem),
))]
pub async fn list_recommended_people(
    user: User,
    State(app): State<App>,
    mut query: Query,
) -> Result<Json<Vec<RecommendedPersonOut>>, Error> {
    let limit = query.integer("limit", 1, MAX_LIMIT).unwrap_or(DEFAULT_LIMIT);
    query.check()?;
    let mut reader = RecommendationReader::find(&app.db, user.id).await?.unwrap_or_default();
    if reader.list.is_none() {
        compute(&app, user.id).await?;
        reader = RecommendationReader::find(&app.db, user.id).await?.unwrap_or_default();
    }
    let RecommendationReader { interests, weights, list } = reader;
    let list = list.unwrap_or_default();
    let mut people = RecommendedPerson::list(&app.db, user.id, &list, limit).await?;
    let missing = limit - i64::try_from(people.len()).unwrap_or(limit);
    if missing > 0 {
        let shown: Vec<Uuid> = people.iter().map(|person| person.id).collect();
        let newest = RecommendedPerson::list_newest(&app.db, user.id, &shown, missing).await?;
        people.extend(RecommendedPerson::list(&app.db, user.id, &newest, missing).await?);
    }
    Ok(Json(people.into_iter().map(|person| RecommendedPersonOut::new(person, &interests, &weights)).collect()))
}

/// Computes the list of a user that has none yet.
async fn compute(app: &App, user: Uuid) -> Result<(), Error> {
    let mut tx = app.db.begin().await?;
    signals::refresh(&mut tx, &[user], true).await?;
    app.commit(tx).await?;
    Ok(())
}

/// Dismiss a recommended person for good
#[utoipa::path(delete, path = "/me/recommendations/people/{user_id}", tag = "recommendations",
    params(("user_id" = uuid::Uuid, Path)), responses(
    (status = 204, description = "The person is not recommended again, whether they were or not"),
    (status = 404, body = Problem),
    (status = 422, body = Problem),
))]
pub async fn dismiss_recommended_person(
    user: User,
    State(app): State<App>,
    Path(person): Path,
) -> Result<StatusCode, Error> {
    let mut tx = app.db.begin().await?;
    if !signals::dismissed(&mut tx, user.id, person).await? {
        return Err(PERSON_NOT_FOUND);
    }
    app.commit_with_answer(tx).await?;
    metrics::counter!("people_recommendation_decisions_total", "decision" => "dismissed").increment(1);
    Ok(StatusCode::NO_CONTENT)
}

/// Accept a recommended person: connect to them
///
/// It is safe to repeat, and ends no connection.
#[utoipa::path(post, path = "/me/recommendations/people/{user_id}/accept", tag = "recommendations",
    params(("user_id" = uuid::Uuid, Path)), responses(
    (status = 204, description = "The caller is connected to the person, whether they were before or not"),
    (status = 400, body = Problem, description = "More than 10,000 connections"),
    (status = 403, body = Problem, description = "The caller is muted"),
    (status = 404, body = Problem, description = "No such person for the caller, or the caller"),
    (status = 422, body = Problem),
    (status = 503, body = Problem, description = "The auth service is unavailable; nothing was changed here"),
))]
pub async fn accept_recommended_person(
    user: User,
    State(app): State<App>,
    Path(person): Path,
    headers: HeaderMap,
) -> Result<StatusCode, Error> {
    if !DismissedPerson::exists(&app.db, user.id, person).await? {
        return Err(PERSON_NOT_FOUND);
    }
    connect(&app, &headers, person).await?;
    let mut tx = app.db.begin().await?;
    signals::dismissed(&mut tx, user.id, person).await?;
    app.commit_with_answer(tx).await?;
    metrics::counter!("people_recommendation_decisions_total", "decision" => "accepted").increment(1);
    Ok(StatusCode::NO_CONTENT)
}
