//! The routes of connections.
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use chrono::Utc;
use sqlx::PgTransaction;
use uuid::Uuid;

use super::models::{self, Pair};
use super::schemas::ConnectionOut;
use super::signals;
use crate::app::App;
use crate::core::api::errors::{Error, Problem};
use crate::core::api::pagination::Page;
use crate::core::app::identity::User;
use crate::core::contract::extract::Path;
use crate::profiles::models::{Profile, begin_snapshot};
use crate::profiles::schemas::ProfileOut;
use crate::users::models::Account;
use crate::users::schemas::UserOut;
use crate::users::{ACCOUNT_DELETED, USER_NOT_FOUND};

/// List the caller's connections, those who joined last first
#[utoipa::path(get, path = "/users/me/connections", tag = "user", params(
    ("limit" = Option<i64>, Query, description = "Items on a page, 1 to 200; 50 when not given"),
    ("cursor" = Option<String>, Query, description = "From the Link header of the page before"),
), responses(
    (status = 200, body = Vec<ProfileOut>),
))]
pub async fn user_connections(user: User, State(app): State<App>, page: Page) -> Result<Response, Error> {
    let mut tx = begin_snapshot(&app.db).await?;
    let ids = models::list_own(&mut *tx, user.id, page.before, page.rows()).await?;
    let profiles = Profile::load(&mut *tx, user.id, &ids).await?;
    let people = ProfileOut::list(&profiles, user.id, Utc::now().date_naive());
    Ok(page.answer(people, |person| (person.user.date_joined, person.user.id)))
}

/// List a user's connections, the latest first
#[utoipa::path(get, path = "/users/{user_id}/connections", tag = "user", params(
    ("user_id" = uuid::Uuid, Path),
    ("limit" = Option<i64>, Query, description = "Items on a page, 1 to 200; 50 when not given"),
    ("cursor" = Option<String>, Query, description = "From the Link header of the page before"),
), responses(
    (status = 200, body = Vec<ConnectionOut>),
    (status = 404, body = Problem),
))]
pub async fn list_connections(
    user: User,
    State(app): State<App>,
    Path(id): Path,
    page: Page,
) -> Result<Response, Error> {
    let mut tx = begin_snapshot(&app.db).await?;
    Profile::find(&mut *tx, user.id, id).await?.ok_or(USER_NOT_FOUND)?;
    let listed = models::connections(&mut *tx, id, user.id, page.before, page.rows()).await?;
    answer(tx, user.id, page, &listed).await
}

/// List a user's followers, the latest first
#[utoipa::path(get, path = "/users/{user_id}/followers", tag = "user", params(
    ("user_id" = uuid::Uuid, Path),
    ("limit" = Option<i64>, Query, description = "Items on a page, 1 to 200; 50 when not given"),
    ("cursor" = Option<String>, Query, description = "From the Link header of the page before"),
), responses(
    (status = 200, body = Vec<ConnectionOut>),
    (status = 404, body = Problem),
))]
pub async fn list_followers(user: User, State(app): State<App>, Path(id): Path, page: Page) -> Result<Response, Error> {
    let mut tx = begin_snapshot(&app.db).await?;
    Profile::find(&mut *tx, user.id, id).await?.ok_or(USER_NOT_FOUND)?;
    let listed = models::followers(&mut *tx, id, user.id, page.before, page.rows()).await?;
    answer(tx, user.id, page, &listed).await
}

async fn answer(
    mut tx: PgTransaction<'_>,
    viewer: Uuid,
    page: Page,
    listed: &[models::ListedUser],
) -> Result<Response, Error> {
    let ids: Vec<Uuid> = listed.iter().map(|listed| listed.id).collect();
    let profiles = Profile::load(&mut *tx, viewer, &ids).await?;
    let people = ConnectionOut::list(listed, &profiles, viewer, Utc::now().date_naive());
    Ok(page.answer(people, |person| (person.connected_at, person.profile.user.id)))
}

/// Connect to a user; a connection has one direction
#[utoipa::path(post, path = "/users/{user_id}/connect", tag = "user", params(("user_id" = uuid::Uuid, Path)), responses(
    (status = 200, body = UserOut, description = "The caller's account"),
    (status = 400, body = Problem, description = "The caller, a user that the caller has blocked, or more than 10,000 connections"),
    (status = 403, body = Problem, description = "The caller is muted"),
    (status = 404, body = Problem),
    (status = 422, body = Problem),
))]
pub async fn add_user_connection(
    user: User,
    State(app): State<App>,
    Path(target): Path,
) -> Result<Json<UserOut>, Error> {
    if target == user.id {
        return Err(Error::Refused(StatusCode::BAD_REQUEST, "Can not self connect"));
    }
    let mut tx = app.db.begin().await?;
    let pair = Pair::lock(&mut tx, user.id, target).await??;
    if let Some(connection) = pair.connect(&mut tx).await?? {
        signals::connected(&mut tx, connection).await?;
    }
    let account = Account::find(&mut *tx, user.id).await?.ok_or(ACCOUNT_DELETED)?;
    app.commit_with_answer(tx).await?;
    Ok(Json(account.into()))
}

/// End the caller's connection to a user
#[utoipa::path(delete, path = "/users/{user_id}/disconnect", tag = "user", params(("user_id" = uuid::Uuid, Path)),
    responses(
    (status = 204),
    (status = 400, body = Problem, description = "The user is the caller"),
    (status = 404, body = Problem),
    (status = 422, body = Problem),
))]
pub async fn remove_user_connection(
    user: User,
    State(app): State<App>,
    Path(target): Path,
) -> Result<StatusCode, Error> {
    if target == user.id {
        return Err(Error::Refused(StatusCode::BAD_REQUEST, "Can not self disconnect"));
    }
    let mut tx = app.db.begin().await?;
    let pair = Pair::lock(&mut tx, user.id, target).await??;
    if let Some(connection) = pair.disconnect(&mut tx).await? {
        signals::disconnected(&mut tx, &[connection]).await?;
    }
    app.commit_with_answer(tx).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Connect to a user, or end the connection when there is one
#[utoipa::path(post, path = "/users/{user_id}/connect/toggle", tag = "user", params(("user_id" = uuid::Uuid, Path)),
    responses(
    (status = 200, body = ProfileOut, description = "The other person; `following` says what it is now"),
    (status = 400, body = Problem, description = "The caller, a user that the caller has blocked, or more than 10,000 connections"),
    (status = 403, body = Problem, description = "The caller is muted"),
    (status = 404, body = Problem),
    (status = 422, body = Problem),
))]
pub async fn toggle_user_connection(
    user: User,
    State(app): State<App>,
    Path(target): Path,
) -> Result<Json<ProfileOut>, Error> {
    if target == user.id {
        return Err(Error::Refused(StatusCode::BAD_REQUEST, "Can not self connect"));
    }
    let mut tx = app.db.begin().await?;
    let pair = Pair::lock(&mut tx, user.id, target).await??;
    if let Some(connection) = pair.disconnect(&mut tx).await? {
        signals::disconnected(&mut tx, &[connection]).await?;
    } else if let Some(connection) = pair.connect(&mut tx).await?? {
        signals::connected(&mut tx, connection).await?;
    }
    let profile = Profile::find(&mut *tx, user.id, target).await?.ok_or(USER_NOT_FOUND)?;
    app.commit_with_answer(tx).await?;
    Ok(Json(ProfileOut::new(&profile, user.id, Utc::now().date_naive())))
}
