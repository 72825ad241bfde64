//! The routes of accounts.
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;

use super::attempts::Attempt;
use super::models::authenticated_within;
use super::schemas::{
    AccountOut, AccountUpdate, ChangeRefusal, RECENT_SECONDS, SignInNeeded, UndoChange, UserUpdateIn,
};
use super::signals;
use crate::app::App;
use crate::connections::models::remove_followers;
use crate::core::api::errors::{Error, Problem};
use crate::core::app::identity::User;
use crate::core::contract::extract::{Json as Body, Path};
use crate::profiles::models::Profile;
use crate::sessions::Reason;
use crate::tokens::Purpose;
use crate::tokens::services::{INVALID_TOKEN, redeem};
use crate::users::address::EmailAddress;
use crate::users::models::{Account, NewPassword};
use crate::users::schemas::{UserOut, interests};
use crate::users::{ACCOUNT_DELETED, ADDRESS_TAKEN, INTERESTS, address_taken};

/// Followers disconnected in one transaction when an account is deleted; the last one takes up to twice as many.
const FOLLOWERS: i64 = 1000;

/// The refusal of a current password that is none; the sentence is the original's.
const WRONG_PASSWORD: Error = Error::Refused(StatusCode::BAD_REQUEST, "Current password not matching");

/// List the interests a person can have
#[utoipa::path(get, path = "/users/interests-choices", tag = "user", security(()), responses(
    (status = 200, body = Vec<String>),
))]
pub async fn get_available_interests_choices() -> Json<[&'static str; 22]> {
    Json(INTERESTS)
}

/// Update the caller's account; a name that is not given stays, another password ends all sessions
///
/// In place of a verified address, another one counts once it is verified with the token that is mailed there; until then
/// it is `pending_email`. The verified address gets a mail about every change of address or password, with a token that
/// takes it back.
#[utoipa::path(put, path = "/users/{user_id}", tag = "user", params(("user_id" = uuid::Uuid, Path)),
    request_body = UserUpdateIn, responses(
    (status = 200, body = AccountOut),
    (status = 400, body = Problem, description = "An unknown interest, an address that has another account, or not the \
        current password"),
    (status = 401, body = SignInNeeded, description = "No valid token; or, with the code \
        `insufficient_user_authentication`, another password without the current one, more than 10 minutes after the sign-in"),
    (status = 403, body = Problem, description = "Another user's account, or the caller is muted"),
    (status = 503, body = Problem, description = "Too many passwords to check at the moment"),
))]
pub async fn update_user(
    user: User,
    State(app): State<App>,
    Path(id): Path,
    Body(input): Body<AccountUpdate>,
) -> Result<Json<AccountOut>, ChangeRefusal> {
    if id != user.id {
        return Err(Error::Refused(StatusCode::FORBIDDEN, "You can only change your own account").into());
    }
    let AccountUpdate { user: input, current_password } = input;
    let interests = interests(&input.interests)?;
    let before = Account::find(&app.db, id).await?.ok_or(ACCOUNT_DELETED)?;
    let differs = prove_owner(&app, &user, &before, &input.password, current_password.as_deref()).await?;
    let hash = app.passwords.hash(&input.password).await?;
    let password = NewPassword { hash: &hash, compared: &before.password_hash, differs };
    let mut tx = app.db.begin().await?;
    if Account::is_taken(&mut *tx, &input.email, id).await? {
        return Err(ADDRESS_TAKEN.into());
    }
    let update = Account::update(&mut tx, id, &input.draft(&interests), &password).await.map_err(address_taken)?;
    let update = update.ok_or(ACCOUNT_DELETED)?;
    signals::updated(&mut tx, &update).await?;
    if update.password_changed {
        signals::password_changed(&mut tx, &update.before, Reason::PasswordChanged).await?;
    }
    app.commit_with_answer(tx).await?;
    Ok(Json(update.account.into()))
}

/// Checks that the caller is the account's owner and not only has a session of theirs: by the current password, in one of
/// the two fields, or by a sign-in just now. Returns whether `password` is another one than the current.
async fn prove_owner(
    app: &App,
    user: &User,
    account: &Account,
    password: &str,
    current_password: Option<&str>,
) -> Result<bool, ChangeRefusal> {
    let hash = Some(account.password_hash.as_str());
    let recent =
        app.rules.update_without_password || authenticated_within(&app.db, user.session, RECENT_SECONDS).await?;
    if recent && current_password.is_none() {
        return Ok(!app.passwords.verify(password, hash).await?.is_right());
    }
    // Who has only the session could guess here.
    let attempt = Attempt::begin(app, &EmailAddress::stored(&account.email)).await?;
    let differs = !app.passwords.verify(password, hash).await?.is_right();
    match current_password {
        Some(current) if !app.passwords.verify(current, hash).await?.is_right() => return Err(WRONG_PASSWORD.into()),
        None if differs => return Err(ChangeRefusal::SignInNeeded),
        _ => {}
    }
    attempt.succeed(app).await;
    Ok(differs)
}

/// Take back a change of address or password, with the token that was mailed to the verified address of before
///
/// The account has that address and its password of before again, and all sessions end. Changes after that one are taken
/// back with it.
#[utoipa::path(post, path = "/auth/undo-change", tag = "auth", security(()), request_body = UndoChange, responses(
    (status = 200, body = UserOut),
    (status = 401, body = Problem, description = "`Invalid Token` or `Token Expired`"),
))]
pub async fn undo_change(State(app): State<App>, Body(input): Body<UndoChange>) -> Result<Json<UserOut>, Error> {
    let mut tx = app.db.begin().await?;
    let token = redeem(&mut tx, Purpose::Undo, &input.token).await?;
    let account = signals::undone(&mut tx, &token).await.map_err(address_taken)?.ok_or(INVALID_TOKEN)?;
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
