//! The browser of a request, by which a sign-up and the verification that follows it are known to be the same person's.
//!
//! Whoever signs up with an address need not be its owner, and whoever follows the link in its mail need not be who signed
//! up. They are one when the link is followed in a session of the account, or from the browser that signed up: the same
//! address (a /64 of IPv6) and the same User-Agent. It is weaker than a cookie, and needs none: clients of the original
//! verify without any. What is stored is a hash, until the address is verified.
use axum::extract::FromRequestParts;
use axum::http::header;
use axum::http::request::Parts;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::app::App;
use crate::core::api::errors::Error;
use crate::core::doors::callers::EvenMuted;
use crate::core::doors::client_ip::Client;

/// The browser of a request, as SHA-256.
#[derive(Clone, Copy, Debug)]
pub struct Browser(pub [u8; 32]);

impl FromRequestParts<App> for Browser {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Error> {
        let mut hash = Sha256::new();
        hash.update(Client::current().map(Client::host).unwrap_or_default());
        hash.update([0]);
        hash.update(parts.headers.get(header::USER_AGENT).map_or(&b""[..], |agent| agent.as_bytes()));
        Ok(Self(hash.finalize().into()))
    }
}

/// Who brings a token that was mailed.
#[derive(Clone, Copy, Debug)]
pub struct Bringer {
    pub browser: Browser,
    /// The person whose session it is, when the request has one.
    pub user: Option<Uuid>,
}

impl FromRequestParts<App> for Bringer {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Error> {
        let browser = Browser::from_request_parts(parts, app).await?;
        let user = match EvenMuted::from_request_parts(parts, app).await {
            Ok(EvenMuted(user)) => Some(user.id),
            // A token that is none is as good as none; the mailed one is what counts.
            Err(Error::Refused(..) | Error::Challenged(..)) => None,
            Err(error) => return Err(error),
        };
        Ok(Self { browser, user })
    }
}
