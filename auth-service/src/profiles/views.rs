//! The routes of profiles.
use axum::Json;
use axum::extract::State;
use axum::extract::rejection::PathRejection;
use axum::http::StatusCode;
use axum::response::Response;
use chrono::Utc;

use super::models::{Profile, USERNAME_TAKEN, begin_snapshot, find_by_username, list_visible};
use super::schemas::{Lookup, OwnProfileOut, ProfileIn, ProfileOut};
use super::services::username_fault;
use super::signals;
use crate::app::App;
use crate::core::api::errors::{Error, Problem};
use crate::core::api::pagination::Page;
use crate::core::app::identity::User;
use crate::core::contract::extract::{Json as Body, Path};
use crate::core::doors::callers::EvenMuted;
use crate::users::{ACCOUNT_DELETED, USER_NOT_FOUND};

/// List all users, the newest first
#[utoipa::path(get, path = "/users", tag = "user", params(
    ("limit" = Option<i64>, Query, description = "Items on a page, 1 to 200; 50 when not given"),
    ("cursor" = Option<String>, Query, description = "From the Link header of the page before"),
), responses(
    (status = 200, body = Vec<ProfileOut>),
))]
pub async fn get_users(user: User, State(app): State<App>, page: Page) -> Result<Response, Error> {
    let mut tx = begin_snapshot(&app.db).await?;
    let ids = list_visible(&mut *tx, user.id, page.before, page.rows()).await?;
    let profiles = Profile::load(&mut *tx, user.id, &ids).await?;
    let people = ProfileOut::list(&profiles, user.id, Utc::now().date_naive());
    Ok(page.answer(people, |person| (person.user.date_joined, person.user.id)))
}

/// Read the caller's profile
#[utoipa::path(get, path = "/users/me", tag = "user", responses(
    (status = 200, body = OwnProfileOut),
))]
pub async fn get_session_user(user: User, State(app): State<App>) -> Result<Json<OwnProfileOut>, Error> {
    Ok(Json(Profile::find(&app.db, user.id, user.id).await?.ok_or(ACCOUNT_DELETED)?.into()))
}

/// Update the given fields of the caller's profile; null clears a field
#[utoipa::path(patch, path = "/users/me", tag = "user", request_body = ProfileIn, responses(
    (status = 200, body = OwnProfileOut),
    (status = 400, body = Problem, description = "An unknown interest, or a username that is taken or looks like one"),
    (status = 403, body = Problem, description = "The caller is muted"),
))]
pub async fn update_session_user(
    user: User,
    State(app): State<App>,
    Body(input): Body<ProfileIn>,
) -> Result<Json<OwnProfileOut>, Error> {
    let update = input.into_update()?;
    let mut tx = app.db.begin().await?;
    let profile = Profile::update(&mut tx, user.id, &update).await.map_err(taken)?.ok_or(ACCOUNT_DELETED)?;
    signals::updated(&mut tx, user.id).await?;
    app.commit_with_answer(tx).await?;
    Ok(Json(profile.into()))
}

/// The refusal of a username that is taken, when that is what the database refused.
fn taken(error: sqlx::Error) -> Error {
    match &error {
        sqlx::Error::Database(cause) if cause.constraint() == Some(USERNAME_TAKEN) => {
            Error::Refused(StatusCode::BAD_REQUEST, "User with this username already exists")
        }
        _ => error.into(),
    }
}

/// Read a user's profile
#[utoipa::path(get, path = "/users/{user_id}", tag = "user", params(("user_id" = uuid::Uuid, Path)), responses(
    (status = 200, body = ProfileOut),
    (status = 404, body = Problem),
    (status = 422, body = Problem),
))]
pub async fn retrieve_user(user: User, State(app): State<App>, Path(id): Path) -> Result<Json<ProfileOut>, Error> {
    let profile = Profile::find(&app.db, user.id, id).await?.ok_or(USER_NOT_FOUND)?;
    Ok(Json(ProfileOut::new(&profile, user.id, Utc::now().date_naive())))
}

/// Read a user's profile by username, in any case
#[utoipa::path(get, path = "/users/by-username/{username}", tag = "user", params(
    ("username" = String, Path, min_length = 3, max_length = 30, example = "anna.b"),
), responses(
    (status = 200, body = ProfileOut),
    (status = 404, body = Problem),
))]
pub async fn retrieve_user_by_username(
    user: User,
    State(app): State<App>,
    username: Result<axum::extract::Path<String>, PathRejection>,
) -> Result<Json<ProfileOut>, Error> {
    // What cannot be read, or cannot be a username, belongs to no user.
    let username = username.map_err(|_| USER_NOT_FOUND)?.0;
    if username_fault(&username).is_some() {
        return Err(USER_NOT_FOUND);
    }
    let id = find_by_username(&app.db, &username).await?.ok_or(USER_NOT_FOUND)?;
    let profile = Profile::find(&app.db, user.id, id).await?.ok_or(USER_NOT_FOUND)?;
    Ok(Json(ProfileOut::new(&profile, user.id, Utc::now().date_naive())))
}

/// Read the profiles of up to 100 people, in the order asked for; who does not exist is left out
#[utoipa::path(post, path = "/users/lookup", tag = "user", request_body = Lookup, responses(
    (status = 200, body = Vec<ProfileOut>),
))]
pub async fn lookup_users(
    EvenMuted(user): EvenMuted,
    State(app): State<App>,
    Body(input): Body<Lookup>,
) -> Result<Json<Vec<ProfileOut>>, Error> {
    let mut profiles = Profile::load(&app.db, user.id, &input.ids).await?;
    profiles.retain(|profile| !profile.hidden);
    Ok(Json(ProfileOut::list(&profiles, user.id, Utc::now().date_naive())))
}
