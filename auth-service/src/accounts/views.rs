//! The routes of accounts.
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;

use super::signals;
use crate::app::App;
use crate::connections::models::remove_followers;
use crate::core::api::errors::{Error, Problem};
use crate::core::app::identity::User;
use crate::core::contract::extract::{Json as Body, Path};
use crate::profiles::models::Profile;
use crate::sessions::Reason;
use crate::users::models::{Account, EMAIL_TAKEN, NewPassword, UpdatedAccount};
use crate::users::schemas::{UserIn, UserOut, interests};
use crate::users::{ACCOUNT_DELETED, INTERESTS};

/// Followers disconnected in one transaction when an account is deleted; the last one takes up to twice as many.
const FOLLOWERS: i64 = 1000;

/// The refusal of an address that has an account already, when that is what the database refused.
fn taken(error: sqlx::Error) -> Error {
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

/// Update the caller's account; a name that is not given stays, another password ends all sessions
#[utoipa::path(put, path = "/users/{user_id}", tag = "user", params(("user_id" = uuid::Uuid, Path)),
    request_body = UserIn, responses(
    (status = 200, body = UserOut),
    (status = 400, body = Problem, description = "An unknown interest, or an address that has another account"),
    (status = 403, body = Problem, description = "Another user's account, or the caller is muted"),
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
    let before = Account::find(&app.db, id).await?.ok_or(ACCOUNT_DELETED)?;
    let passwords = &app.passwords;
    let differs = !passwords.verify(&input.password, Some(&before.password_hash)).await?.is_right();
    let hash = passwords.hash(&input.password).await?;
    let password = NewPassword { hash: &hash, compared: &before.password_hash, differs };
    let mut tx = app.db.begin().await?;
    let updated = Account::update(&mut tx, id, &input.draft(&interests), &password).await.map_err(taken)?;
    let UpdatedAccount { account, moved, password_changed } = updated.ok_or(ACCOUNT_DELETED)?;
    signals::updated(&mut tx, &account, moved).await?;
    if password_changed {
        signals::password_changed(&mut tx, &account, Reason::PasswordChanged).await?;
    }
    app.commit_with_answer(tx).await?;
    Ok(Json(account.into()))
}

/// Delete the caller's account
#[utoipa::path(delete, path = "/users/{user_id}", tag = "user", params(("user_id" = uuid::Uuid, Path)), responses(
    (status = 204),
    (status = 403, body = Problem, description = "Another user's account"),
    (status = 422, body = Problem),
))]
pub async fn delete_user(user: User, State(app): State<App>, Path(id): Path) -> Result<StatusCode, Error> {
    if id != user.id {
        return Err(Error::Refused(StatusCode::FORBIDDEN, "You can only delete your own account"));
    }
    let profile = Profile::find(&app.db, id, id).await?.ok_or(ACCOUNT_DELETED)?;
    // Accounts with many followers are disconnected in batches, so that no transaction locks more rows than that.
    for _ in 0..profile.total_followers / FOLLOWERS {
        let mut tx = app.db.begin().await?;
        let lost = remove_followers(&mut tx, id, FOLLOWERS).await?;
        signals::left(&mut tx, &lost).await?;
        app.commit_with_answer(tx).await?;
    }
    let mut tx = app.db.begin().await?;
    if let Some(deleted) = Account::delete(&mut tx, id).await? {
        signals::deleted(&mut tx, &deleted).await?;
    }
    app.commit_with_answer(tx).await?;
    Ok(StatusCode::NO_CONTENT)
}
