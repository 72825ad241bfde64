//! The routes of people.
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use chrono::Utc;

use super::models::{Account, EMAIL_TAKEN, Missing, NewPassword, Updated};
use super::schemas::{UserIn, UserOut, interests};
use super::{INTERESTS, signals};
use crate::core::App;
use crate::core::errors::{Error, Problem};
use crate::core::extract::{Json as Body, Path};
use crate::core::pagination::Page;
use crate::core::security::User;
use crate::profiles::models::{Profile, snapshot};
use crate::profiles::schemas::ProfileOut;
use crate::sessions::Reason;

/// What a person hears whose account was deleted while they were asking.
pub const GONE: Error = Error::Refused(StatusCode::UNAUTHORIZED, "Invalid username or password");

/// The refusal of an address that has an account already, when that is what the database refused.
pub fn taken(error: sqlx::Error) -> Error {
    match &error {
        sqlx::Error::Database(cause) if cause.constraint() == Some(EMAIL_TAKEN) => {
            Error::Refused(StatusCode::BAD_REQUEST, "User with this email already exists")
        }
        _ => error.into(),
    }
}

/// List the interests a person can have
#[utoipa::path(get, path = "/users/interests-choices", tag = "user", security(()), responses(
    (status = 200, body = Vec<String>),
))]
pub async fn get_available_interests_choices() -> Json<[&'static str; 22]> {
    Json(INTERESTS)
}

/// List those whom one is connected to, who joined last first
#[utoipa::path(get, path = "/users/me/connections", tag = "user", params(
    ("limit" = Option<i64>, Query, description = "Items on a page, 1 to 200; 50 when not given"),
    ("cursor" = Option<String>, Query, description = "From the Link header of the page before"),
), responses(
    (status = 200, body = Vec<ProfileOut>),
    (status = 401, body = Problem),
    (status = 422, body = Problem),
))]
pub async fn user_connections(user: User, State(app): State<App>, page: Page) -> Result<Response, Error> {
    let mut tx = snapshot(&app.db).await?;
    let ids = Account::connections(&mut *tx, user.id, page.before, page.rows()).await?;
    let profiles = Profile::load(&mut *tx, user.id, &ids).await?;
    let today = Utc::now().date_naive();
    let people: Vec<_> = profiles.iter().map(|profile| ProfileOut::new(profile, user.id, today)).collect();
    Ok(page.answer(people, |person| (person.user.date_joined, person.user.id)))
}

/// Change one's own account; a name that is not given stays, another password ends all sessions
#[utoipa::path(put, path = "/users/{user_id}", tag = "user", params(("user_id" = uuid::Uuid, Path)),
    request_body = UserIn, responses(
    (status = 200, body = UserOut),
    (status = 400, body = Problem, description = "An unknown interest, or an address that has another account"),
    (status = 401, body = Problem),
    (status = 403, body = Problem, description = "Somebody else's account"),
    (status = 422, body = Problem),
    (status = 503, body = Problem, description = "Too many passwords to check at the moment"),
))]
pub async fn update_user(
    user: User,
    State(app): State<App>,
    Path(id): Path,
    Body(input): Body<UserIn>,
) -> Result<Json<UserOut>, Error> {
    if id != user.id {
        return Err(Error::Refused(StatusCode::FORBIDDEN, "You can only change your own account"));
    }
    let interests = interests(&input.interests)?;
    let before = Account::find(&app.db, id).await?.ok_or(GONE)?;
    let passwords = &app.resources.passwords;
    let differs = !passwords.verify(&input.password, Some(&before.password_hash)).await?;
    let hash = passwords.hash(&input.password).await?;
    let password = NewPassword { hash: &hash, compared: &before.password_hash, differs };
    let mut tx = app.db.begin().await?;
    let updated = Account::update(&mut tx, id, &input.draft(&interests), &password).await.map_err(taken)?;
    let Updated { account, moved, password_changed } = updated.ok_or(GONE)?;
    signals::updated(&mut tx, &account, moved).await?;
    if password_changed {
        signals::password_changed(&mut tx, &account, Reason::PasswordChanged).await?;
    }
    app.commit(tx).await?;
    app.resources.wake();
    Ok(Json(account.into()))
}

/// Delete one's own account
#[utoipa::path(delete, path = "/users/{user_id}", tag = "user", params(("user_id" = uuid::Uuid, Path)), responses(
    (status = 204),
    (status = 401, body = Problem),
    (status = 403, body = Problem, description = "Somebody else's account"),
    (status = 422, body = Problem),
))]
pub async fn delete_user(user: User, State(app): State<App>, Path(id): Path) -> Result<StatusCode, Error> {
    if id != user.id {
        return Err(Error::Refused(StatusCode::FORBIDDEN, "You can only delete your own account"));
    }
    let mut tx = app.db.begin().await?;
    let lost = Account::delete(&mut tx, id).await?;
    signals::deleted(&mut tx, id, &lost).await?;
    app.commit(tx).await?;
    app.resources.wake();
    Ok(StatusCode::NO_CONTENT)
}

/// Connect to somebody; they are not connected to oneself by it
#[utoipa::path(post, path = "/users/{user_id}/connect", tag = "user", params(("user_id" = uuid::Uuid, Path)), responses(
    (status = 200, body = UserOut, description = "One's own account"),
    (status = 400, body = Problem, description = "That is oneself"),
    (status = 401, body = Problem),
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
    let account = Account::connect(&mut tx, user.id, target).await?.map_err(refusal)?;
    signals::linked(&mut tx, &account, target).await?;
    app.commit(tx).await?;
    app.resources.wake();
    Ok(Json(account.into()))
}

/// End one's connection to somebody
#[utoipa::path(delete, path = "/users/{user_id}/disconnect", tag = "user", params(("user_id" = uuid::Uuid, Path)),
    responses(
    (status = 204),
    (status = 400, body = Problem, description = "That is oneself"),
    (status = 401, body = Problem),
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
    let account = Account::disconnect(&mut tx, user.id, target).await?.map_err(refusal)?;
    signals::linked(&mut tx, &account, target).await?;
    app.commit(tx).await?;
    app.resources.wake();
    Ok(StatusCode::NO_CONTENT)
}

fn refusal(missing: Missing) -> Error {
    match missing {
        Missing::User => GONE,
        Missing::Target => Error::Refused(StatusCode::NOT_FOUND, "Target user not found"),
    }
}
