//! How a token is made, and how one that was brought back is looked up.
use axum::http::StatusCode;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use sqlx::PgTransaction;

use super::Purpose;
use super::models::{MailedToken, TokenCheck, UserToken, sweep};
use crate::core::api::errors::Error;

/// 256 random bits, as text that needs no escape in a URL.
pub fn generate_secret() -> String {
    BASE64_URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>())
}

/// What is stored of a token. A plain hash is enough for 256 random bits: there is nothing to guess.
pub fn hash_secret(secret: &str) -> [u8; 32] {
    Sha256::digest(secret).into()
}

/// The refusal of a token that is none, or that proves nothing any more.
pub const INVALID_TOKEN: Error = Error::Refused(StatusCode::UNAUTHORIZED, "Invalid Token");

/// A new token for a person: the record is stored, and the secret goes into their mail only.
pub async fn issue(tx: &mut PgTransaction<'_>, token: &MailedToken, purpose: Purpose) -> sqlx::Result<String> {
    let secret = generate_secret();
    sweep(tx, token.user, purpose).await?;
    UserToken::create(tx, token, purpose, &hash_secret(&secret)).await?;
    Ok(secret)
}

/// Uses a token up.
pub async fn redeem(tx: &mut PgTransaction<'_>, purpose: Purpose, secret: &str) -> Result<MailedToken, Error> {
    match UserToken::consume(tx, purpose, &hash_secret(secret)).await? {
        TokenCheck::Valid(token) => Ok(token),
        TokenCheck::Expired => Err(Error::Refused(StatusCode::UNAUTHORIZED, "Token Expired")),
        TokenCheck::Unknown => Err(INVALID_TOKEN),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_long_and_differ_and_are_not_what_is_stored() {
        let (one, other) = (generate_secret(), generate_secret());
        assert_eq!((one.len(), other.len()), (43, 43));
        assert_ne!(one, other);
        assert_ne!(hash_secret(&one), hash_secret(&other));
        assert!(one.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'), "{one}");
    }
}
