//! The routes of signing up and in.
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use chrono::{DateTime, TimeDelta, Utc};

use super::forms::Form;
use super::models::ResetRequest;
use super::schemas::{Activation, ChangePassword, MailRequest, ResetPassword, ResetRequested, SignIn, TokenForm, read};
use crate::accounts::attempts::{Attempt, check_mail};
use crate::accounts::browser::{Bringer, Browser};
use crate::accounts::models::recent_sign_up;
use crate::accounts::signals;
use crate::app::App;
use crate::app::passwords::{PasswordCheck, is_same_password};
use crate::core::api::errors::{Error, Problem};
use crate::core::app::identity::Status;
use crate::core::contract::extract::{Json as Body, Query};
use crate::core::doors::callers::EvenMuted;
use crate::sessions::Reason;
use crate::sessions::models::Device;
use crate::sessions::schemas::{TokenPair, TokenTransport};
use crate::sessions::services::{StartedSession, start_session};
use crate::tokens::Purpose;
use crate::tokens::services::{INVALID_TOKEN, redeem};
use crate::users::address::{self, EmailAddress};
use crate::users::models::Account;
use crate::users::schemas::{UserIn, UserOut, interests};
use crate::users::{ACCOUNT_DELETED, address_taken};
use crate::{roles, sessions};

/// The sentence is the original's, letter by letter.
const MISMATCH: Error = Error::Refused(StatusCode::BAD_REQUEST, "Password and confirm password missmatched");

/// How long after a sign-up the same one is the same person's again: a button that is tapped twice, or a client that has
/// lost the answer.
const DOUBLE_TAP: TimeDelta = TimeDelta::minutes(1);

/// Sign up; a mail with an activation token follows
///
/// The answer for an address that has an account is the same as for one that has none, and its owner gets a mail. As long
/// as the address is not verified, whoever proves it has the account: the token of a later sign-up gives it to that one.
#[utoipa::path(post, path = "/auth/signup", tag = "auth", security(()), request_body = UserIn, responses(
    (status = 201, body = UserOut),
    (status = 400, body = Problem, description = "An unknown interest"),
    (status = 503, body = Problem, description = "Too many passwords to check at the moment"),
))]
pub async fn sign_up(
    State(app): State<App>,
    browser: Browser,
    Body(input): Body<UserIn>,
) -> Result<(StatusCode, Json<UserOut>), Error> {
    let interests = interests(&input.interests)?;
    let draft = input.draft(&interests);
    let hash = app.passwords.hash(&input.password).await?;
    let now = Utc::now();
    let mut tx = app.db.begin().await?;
    let user = if let Some(account) = Account::create(&mut tx, &draft, &hash, &browser.0).await? {
        signals::registered(&mut tx, &account).await?;
        app.commit_with_answer(tx).await?;
        account.into()
    } else {
        tx.rollback().await?;
        // A password may wait for its turn, and no transaction waits with it.
        let is_second_tap = is_second_tap(&app, &input, browser, now).await?;
        let mut tx = app.db.begin().await?;
        if !is_second_tap {
            signals::registered_again(&mut tx, &draft, &hash, browser, now).await?;
        }
        app.commit_with_answer(tx).await?;
        UserOut::imitating(&draft, now)
    };
    Ok((StatusCode::CREATED, Json(user)))
}

/// Whether a browser sends the sign-up again that it has just sent: its person needs no mail about it. Only that browser
/// makes another hash necessary, so its cost reveals to no other who has signed up.
async fn is_second_tap(app: &App, input: &UserIn, browser: Browser, now: DateTime<Utc>) -> Result<bool, Error> {
    let first = recent_sign_up(&app.db, &input.email.key(), &browser.0, now - DOUBLE_TAP).await?;
    match first {
        Some(hash) => Ok(app.passwords.verify(&input.password, Some(&hash)).await?.is_right()),
        None => Ok(false),
    }
}

/// Sign in
#[utoipa::path(post, path = "/auth/signin", tag = "auth", security(()), request_body = SignIn, responses(
    (status = 200, body = TokenPair, description = "Tokens; a browser that uses cookies gets them as cookies"),
    (status = 403, body = Problem, description = "The account is banned"),
    (status = 404, body = Problem, description = "No such account, or not its password"),
    (status = 503, body = Problem, description = "Too many passwords to check at the moment"),
))]
pub async fn sign_in(
    State(app): State<App>,
    transport: TokenTransport,
    device: Device,
    Body(input): Body<SignIn>,
) -> Result<Response, Error> {
    let started = sign_in_with_password(&app, input.email.as_ref(), &input.password, &device).await?;
    let started = started.ok_or(Error::Refused(StatusCode::NOT_FOUND, "Wrong username or password"))?;
    started.answer(&app, transport, Utc::now())
}

/// Sign in, as OAuth 2 has it
#[utoipa::path(post, path = "/auth/token", tag = "auth", security(()),
    request_body(content = TokenForm, content_type = "application/x-www-form-urlencoded"), responses(
    (status = 200, body = TokenPair, description = "Tokens; a browser that uses cookies gets them as cookies"),
    (status = 401, body = Problem, description = "No such account, or not its password"),
    (status = 403, body = Problem, description = "The account is banned"),
    (status = 503, body = Problem, description = "Too many passwords to check at the moment"),
))]
pub async fn generate_token(
    State(app): State<App>,
    transport: TokenTransport,
    device: Device,
    Form(input): Form<TokenForm>,
) -> Result<Response, Error> {
    let started = sign_in_with_password(&app, input.username.as_ref(), &input.password, &device).await?;
    let started = started.ok_or(Error::Refused(StatusCode::UNAUTHORIZED, "Invalid username or password"))?;
    started.answer(&app, transport, Utc::now())
}

/// Set a new password; all sessions end, and the answer holds the tokens of a new one
#[utoipa::path(post, path = "/auth/change-password", tag = "auth", request_body = ChangePassword, responses(
    (status = 200, body = TokenPair, description = "Tokens; a browser that uses cookies gets them as cookies"),
    (status = 400, body = Problem, description = "Not the current password, or two different new ones"),
    (status = 503, body = Problem, description = "Too many passwords to check at the moment"),
))]
pub async fn change_password(
    EvenMuted(user): EvenMuted,
    State(app): State<App>,
    transport: TokenTransport,
    device: Device,
    Body(input): Body<ChangePassword>,
) -> Result<Response, Error> {
    let wrong = || Error::Refused(StatusCode::BAD_REQUEST, "Current password not matching");
    let before = Account::find(&app.db, user.id).await?.ok_or(ACCOUNT_DELETED)?;
    let attempt = Attempt::begin(&app, &EmailAddress::stored(&before.email)).await?;
    let passwords = &app.passwords;
    if !passwords.verify(&input.current_password, Some(&before.password_hash)).await?.is_right() {
        return Err(wrong());
    }
    attempt.succeed(&app).await;
    if !is_same_password(&input.new_password, &input.confirm_password) {
        return Err(MISMATCH);
    }
    let hash = passwords.hash(&input.new_password).await?;
    let mut tx = app.db.begin().await?;
    let account = Account::change_password(&mut tx, user.id, &hash, Some(&before.password_hash)).await?;
    // It was changed meanwhile: then it was not the current password any more.
    let account = account.ok_or_else(wrong)?;
    signals::password_changed(&mut tx, &before, Reason::PasswordChanged).await?;
    let started = start_session(&mut tx, &account, &device).await?.ok_or_else(wrong)?;
    app.commit_with_answer(tx).await?;
    started.answer(&app, transport, Utc::now())
}

/// Request a password reset; if the address has an account, a mail with a token for 5 minutes goes there
#[utoipa::path(post, path = "/auth/forgot-password", tag = "auth", security(()), params(
    ("email" = String, Query, max_length = 254, example = "anna@example.com"),
), responses(
    (status = 200, body = ResetRequested, description = "Whether or not the address has an account"),
))]
pub async fn forgot_password(State(app): State<App>, query: Query) -> Result<Json<ResetRequested>, Error> {
    Ok(Json(request_mail(&app, &query, Purpose::PasswordReset).await?.into()))
}

/// Request another mail of verification; if the address is waiting for one, it goes there
///
/// The token is good for 7 days, as is the one of the mail before.
#[utoipa::path(post, path = "/auth/resend-verification", tag = "auth", security(()), params(
    ("email" = String, Query, max_length = 254, example = "anna@example.com"),
), responses(
    (status = 202, description = "Whether or not the address has an account that is not verified"),
    (status = 422, body = Problem, description = "Not an address"),
))]
pub async fn resend_verification(State(app): State<App>, query: Query) -> Result<StatusCode, Error> {
    request_mail(&app, &query, Purpose::Activation).await?;
    Ok(StatusCode::ACCEPTED)
}

/// Stores a request for a mail. A worker looks up later whether there is such an account, so the time of the answer does
/// not reveal it.
async fn request_mail(app: &App, query: &Query, purpose: Purpose) -> Result<ResetRequest, Error> {
    let input: MailRequest = read(query)?;
    check_mail(app, &input.email).await?;
    let mut tx = app.db.begin().await?;
    let request = ResetRequest::create(&mut *tx, &input.email, purpose).await?;
    app.commit_with_answer(tx).await?;
    Ok(request)
}

/// Set a new password with a token that was mailed less than 5 minutes ago; all sessions end
///
/// The token proves the address that it was mailed to, so the account is verified, too.
#[utoipa::path(post, path = "/auth/reset-password", tag = "auth", security(()), params(
    ("reset_token" = String, Query, max_length = 128, description = "From the mail", example = "from-the-mail"),
    ("password" = String, Query, min_length = 8, max_length = 128, example = "a good anna secret",
        description = "8 to 128 characters, none of the commonest passwords"),
    ("confirmed_password" = String, Query, max_length = 128, example = "a good anna secret",
        description = "The same again"),
), responses(
    (status = 200, body = UserOut),
    (status = 400, body = Problem, description = "Two different passwords"),
    (status = 401, body = Problem, description = "`Invalid Token` or `Token Expired`"),
    (status = 503, body = Problem, description = "Too many passwords to check at the moment"),
))]
pub async fn reset_password(State(app): State<App>, query: Query) -> Result<Json<UserOut>, Error> {
    let input: ResetPassword = read(&query)?;
    if !is_same_password(&input.password, &input.confirmed_password) {
        return Err(MISMATCH);
    }
    // Tried before it is used, so that an invented token costs no hash.
    let mut trial = app.db.begin().await?;
    redeem(&mut trial, Purpose::PasswordReset, &input.reset_token).await?;
    trial.rollback().await?;
    let hash = app.passwords.hash(&input.password).await?;
    let mut tx = app.db.begin().await?;
    let token = redeem(&mut tx, Purpose::PasswordReset, &input.reset_token).await?;
    let before = Account::lock(&mut tx, token.user).await?.ok_or(ACCOUNT_DELETED)?;
    if !address::same(&before.email, &token.email) {
        return Err(INVALID_TOKEN);
    }
    let mut account = Account::change_password(&mut tx, token.user, &hash, None).await?.ok_or(ACCOUNT_DELETED)?;
    signals::password_changed(&mut tx, &before, Reason::PasswordReset).await?;
    if !before.is_verified {
        // The user who has just set the password reads the mail of the address.
        account = Account::verify(&mut tx, token.user).await?.ok_or(ACCOUNT_DELETED)?;
        signals::verified(&mut tx, &account).await?;
    }
    roles::signals::address_proved(&mut tx, &mut account, app.rules.first_admin.as_deref()).await?;
    app.commit_with_answer(tx).await?;
    Ok(Json(account.into()))
}

/// Verify an address with the token that was mailed there less than 7 days ago
///
/// The first address of an account is verified in a session of the account, or from the browser that signed up. From
/// elsewhere it only shows that the mail was read: sessions of the account end, its password is void, and a mail with a
/// token for a new one follows. The token of a sign-up that used an address again gives the account to that sign-up.
#[utoipa::path(post, path = "/users/activate", tag = "user", security(()), params(
    ("activation_token" = String, Query, max_length = 128, description = "From the mail", example = "from-the-mail"),
), responses(
    (status = 200, body = UserOut),
    (status = 400, body = Problem, description = "Another account has the address by now"),
    (status = 401, body = Problem, description = "`Invalid Token` or `Token Expired`"),
))]
pub async fn activate_user(State(app): State<App>, bringer: Bringer, query: Query) -> Result<Json<UserOut>, Error> {
    let input: Activation = read(&query)?;
    let mut tx = app.db.begin().await?;
    let token = redeem(&mut tx, Purpose::Activation, &input.activation_token).await?;
    let account = signals::address_proved(&mut tx, &token, &bringer).await.map_err(address_taken)?;
    let mut account = account.ok_or(INVALID_TOKEN)?;
    roles::signals::address_proved(&mut tx, &mut account, app.rules.first_admin.as_deref()).await?;
    app.commit_with_answer(tx).await?;
    Ok(Json(account.into()))
}

/// Starts a session for an address and its password; none when they do not match an account, at the same cost.
async fn sign_in_with_password(
    app: &App,
    address: Option<&EmailAddress>,
    password: &str,
    device: &Device,
) -> Result<Option<StartedSession>, Error> {
    let passwords = &app.passwords;
    let Some(address) = address else {
        passwords.verify(password, None).await?;
        return Ok(None);
    };
    let attempt = Attempt::begin(app, address).await?;
    let account = Account::find_by_address(&app.db, address).await?;
    let hash = account.as_ref().map(|account| account.password_hash.as_str());
    let check = passwords.verify(password, hash).await?;
    let Some(mut account) = account.filter(|_| check.is_right()) else { return Ok(None) };
    attempt.succeed(app).await;
    // Checked after the password, so that only its owner learns of the ban.
    if account.status == Status::Banned {
        return Err(Error::Refused(StatusCode::FORBIDDEN, "This account is banned"));
    }
    if check == PasswordCheck::RightButStale {
        let hash = passwords.hash(password).await?;
        Account::rehash(&app.db, account.id, &account.password_hash, &hash).await?;
        account.password_hash = hash;
    }
    let mut tx = app.db.begin().await?;
    let started = start_session(&mut tx, &account, device).await?;
    if let Some(started) = &started {
        sessions::signals::started(&mut tx, &account, &started.session).await?;
    }
    app.commit_with_answer(tx).await?;
    Ok(started)
}
