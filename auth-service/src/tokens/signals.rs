//! What follows from a wish for a token, in the wish's transaction: the record, and the mail that carries the secret.
use sqlx::PgTransaction;
use uuid::Uuid;

use super::Purpose;
use super::models::{UserToken, sweep};
use super::services::{fingerprint, secret};
use crate::core::App;
use crate::mails::models::Mail;

/// A token for a person goes to their address.
pub async fn wanted(
    app: &App,
    tx: &mut PgTransaction<'_>,
    purpose: Purpose,
    user: Uuid,
    email: &str,
) -> sqlx::Result<()> {
    let secret = secret();
    if purpose.lifetime().is_some() {
        sweep(tx, user, purpose).await?;
    }
    UserToken::create(tx, user, purpose, &fingerprint(&secret)).await?;
    let (subject, body) = words(purpose, &app.settings.public_url, &secret);
    Mail::create(tx, user, email, subject, &body).await
}

/// Subject and text. Nothing in them was written by a user, so that the service cannot be made to send somebody's words.
fn words(purpose: Purpose, public_url: &str, secret: &str) -> (&'static str, String) {
    match purpose {
        Purpose::Activation => (
            "Verify your address",
            format!(
                "Somebody, probably you, has given this address for their account.\n\n\
                To verify it, send a POST request to\n\
                {public_url}/api/v1/users/activate?activation_token={secret}\n\n\
                Token: {secret}\n\n\
                If it was not you, there is nothing to do.\n"
            ),
        ),
        Purpose::PasswordReset => (
            "Set a new password",
            format!(
                "Somebody, probably you, has asked for a new password for the account of this address.\n\n\
                To set one within 5 minutes, send a POST request with password and confirmed_password to\n\
                {public_url}/api/v1/auth/reset-password?reset_token={secret}\n\n\
                Token: {secret}\n\n\
                If it was not you, there is nothing to do: your password is unchanged.\n"
            ),
        ),
    }
}
