//! The exchange of a refresh token for the next one, which can be answered again.
//!
//! The next token is derived from the one that is exchanged: HKDF-SHA256 (RFC 5869) with the secret of the service as key
//! material and the token in the info. Without the secret it is as random as the first one; with it the service computes it
//! anew and stores no more than its SHA-256. So a request whose answer was lost on the way is answered with the same token.
//!
//! 1. A token that was not exchanged yet is marked as exchanged, and its successor is stored. Of many at once, one does that.
//! 2. One that was exchanged within the last 30 s is answered again with the last token of its succession: its successor, or,
//!    where another window has exchanged that meanwhile, the successor of the successor. All windows end up with one token.
//! 3. One that was exchanged before that is a replay, and ends the session for all who hold its tokens (RFC 9700, section
//!    4.14.2).
//!
//! The leeway is what others call the reuse interval (Auth0) or the grace period (Okta) of rotation, at the price that they
//! pay: a thief who presents the token within 30 s of its exchange is not noticed then. From there on thief and owner hold one
//! token, and as soon as one of them exchanges it, the other's exchange half a minute later is a replay. The leeway counts
//! from the first exchange of the very token, so repeating it does not lengthen it.
use anyhow::anyhow;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use hkdf::Hkdf;
use sha2::Sha256;
use sqlx::PgTransaction;
use uuid::Uuid;

use super::models::{Device, Rotation, Session};
use super::services::StartedSession;
use crate::app::access_tokens::TokenSettings;
use crate::core::api::errors::Error;
use crate::tokens::services::hash_secret;

/// What is derived from the secret, so that no other use of the same secret yields the same value; the token follows.
const DERIVED: &[u8] = b"auth-service: successor of a refresh token, version 1: ";
/// How many exchanges may lie between a token and the last one of its succession. Within the leeway honest windows make
/// two or three.
const MAX_EXCHANGES: usize = 8;

/// What came of the exchange of a refresh token.
pub enum Exchange {
    /// The session goes on with this token.
    Done(StartedSession),
    /// The token had been exchanged long before: that session has to end.
    Replayed { session: Uuid, user: Uuid },
    /// The token is good for nothing.
    Refused,
}

/// Exchanges a refresh token, or answers its exchange again.
pub async fn exchange(
    tx: &mut PgTransaction<'_>,
    settings: &TokenSettings,
    device: &Device,
    presented: &str,
) -> Result<Exchange, Error> {
    let next = successor(settings.secret(), presented)?;
    let rotation = Session::rotate(tx, device, &hash_secret(presented), &hash_secret(&next)).await?;
    Ok(match rotation {
        Rotation::Done(session) => Exchange::Done(StartedSession { session, refresh_token: next }),
        Rotation::Repeated(session) => match last_successor(tx, settings, &session, presented).await? {
            Some(refresh_token) => Exchange::Done(StartedSession { session, refresh_token }),
            None => Exchange::Refused,
        },
        Rotation::Replayed { session, user } => Exchange::Replayed { session, user },
        Rotation::Refused => Exchange::Refused,
    })
}

/// The token of a session that follows from one that was exchanged, and was not exchanged itself.
async fn last_successor(
    tx: &mut PgTransaction<'_>,
    settings: &TokenSettings,
    session: &Session,
    presented: &str,
) -> Result<Option<String>, Error> {
    let mut token = presented.to_owned();
    for _ in 0..MAX_EXCHANGES {
        let mut next = None;
        // While the secret is replaced, another replica may have made it with the next or the previous one.
        for (_, secret) in settings.secrets() {
            let candidate = successor(secret, &token)?;
            if let Some(exchanged) = session.has_exchanged(tx, &hash_secret(&candidate)).await? {
                next = Some((candidate, exchanged));
                break;
            }
        }
        match next {
            Some((next, true)) => token = next,
            Some((next, false)) => return Ok(Some(next)),
            None => return Ok(None),
        }
    }
    Ok(None)
}

/// The refresh token that follows a token under a secret: 256 bits, as text that needs no escape in a URL.
fn successor(secret: &str, token: &str) -> anyhow::Result<String> {
    let mut next = [0; 32];
    let derived =
        Hkdf::<Sha256>::new(None, secret.as_bytes()).expand_multi_info(&[DERIVED, token.as_bytes()], &mut next);
    derived.map_err(|cause| anyhow!("hkdf: {cause}"))?;
    Ok(BASE64_URL_SAFE_NO_PAD.encode(next))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_successor_depends_on_the_token_and_the_secret() {
        let next = |secret, token| successor(secret, token).unwrap();
        assert_eq!(next("secret", "token"), next("secret", "token"));
        assert_eq!(next("secret", "token").len(), 43, "256 bits");
        for other in [next("secret", "token2"), next("secret2", "token"), next("secret", &next("secret", "token"))] {
            assert_ne!(next("secret", "token"), other);
        }
    }
}
