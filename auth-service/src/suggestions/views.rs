//! The routes of suggestions.
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use chrono::Utc;
use uuid::Uuid;

use super::models;
use super::schemas::SuggestionOut;
use super::services::{Suggestion, rank};
use crate::app::App;
use crate::core::api::errors::{Error, Problem};
use crate::core::api::pagination::Page;
use crate::core::app::identity::User;
use crate::core::contract::extract::Path;
use crate::profiles::models::{Profile, begin_snapshot};
use crate::users::{ACCOUNT_DELETED, USER_NOT_FOUND};

/// Suggest people to be connected to, the likeliest first, then the newest
#[utoipa::path(get, path = "/users/suggestions", tag = "user", params(
    ("limit" = Option<i64>, Query, description = "People at most, 1 to 200; 50 when not given"),
), responses(
    (status = 200, body = Vec<SuggestionOut>),
))]
pub async fn suggest_users(user: User, State(app): State<App>, page: Page) -> Result<Json<Vec<SuggestionOut>>, Error> {
    let rows = usize::try_from(page.limit).unwrap_or(usize::MAX);
    let mut tx = begin_snapshot(&app.db).await?;
    let own = Profile::find(&mut *tx, user.id, user.id).await?.ok_or(ACCOUNT_DELETED)?;
    let candidates = models::load_candidates(&mut *tx, user.id).await?;
    let mut suggestions = rank(&candidates, &own.interests, rows);
    let mut ids: Vec<Uuid> = suggestions.iter().map(|suggestion| suggestion.id).collect();
    if suggestions.len() < rows {
        let missing = i64::try_from(rows - suggestions.len()).unwrap_or(i64::MAX);
        let newest = models::load_newest(&mut *tx, user.id, &ids, missing).await?;
        suggestions.extend(newest.iter().map(|candidate| Suggestion::new(candidate, &own.interests)));
        ids = suggestions.iter().map(|suggestion| suggestion.id).collect();
    }
    let profiles = Profile::load(&mut *tx, user.id, &ids).await?;
    Ok(Json(SuggestionOut::list(suggestions, &profiles, user.id, Utc::now().date_naive())))
}

/// Dismiss a suggestion for good
#[utoipa::path(delete, path = "/users/suggestions/{user_id}", tag = "user", params(("user_id" = uuid::Uuid, Path)),
    responses(
    (status = 204),
    (status = 404, body = Problem),
    (status = 422, body = Problem),
))]
pub async fn dismiss_suggestion(user: User, State(app): State<App>, Path(id): Path) -> Result<StatusCode, Error> {
    let mut tx = app.db.begin().await?;
    Profile::find(&mut *tx, user.id, id).await?.ok_or(USER_NOT_FOUND)?;
    models::dismiss(&mut *tx, user.id, id).await?;
    app.commit_with_answer(tx).await?;
    Ok(StatusCode::NO_CONTENT)
}
