//! Who is calling: the token of a person, which this service issues itself and checks without asking anybody, and the
//! token of the platform's own operators.
//!
//! A token is a JWT as the original's, signed with HMAC-SHA-256 under `SECRET_KEY`: the fields of a person, so that a
//! service of the original reads it, and beside them `iat`, `exp`, `jti` and `generation`. It is good until `exp` and for
//! as long as the person's generation stays the same; a change of the password ends the generation, and with it every
//! token that was issued before.
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use chrono::{DateTime, TimeDelta, Utc};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;
use uuid::Uuid;

use super::App;
use super::errors::Error;
use super::settings::Environment;

/// By how many seconds the clocks of two machines may differ.
const LEEWAY: u64 = 5;
/// The shortest secret that production accepts, in bytes: as long as the signature's hash.
const SECRET_LENGTH: usize = 32;
/// What development signs with; everybody knows it.
const DEFAULT_SECRET: &str = "development-only: everybody knows this key";

/// Settings of the tokens.
#[derive(clap::Args, Clone, Debug)]
pub struct Access {
    /// What access tokens are signed with, at least 32 bytes; the same in all replicas
    #[arg(long, env = "SECRET_KEY", hide_env_values = true, hide_default_value = true, default_value = DEFAULT_SECRET)]
    pub secret_key: SecretString,

    /// How long an access token is good, in minutes
    #[arg(long = "access-token-expire-minutes", env = "ACCESS_TOKEN_EXPIRE_MINUTES", default_value_t = 20160, value_parser = clap::value_parser!(u32).range(1..))]
    pub lifetime_minutes: u32,

    /// Whether tokens of the original, which have no end, are accepted
    #[arg(long, env = "ACCEPT_LEGACY_TOKENS", default_value_t = false, action = clap::ArgAction::Set)]
    pub accept_legacy_tokens: bool,

    /// What operators and other services say on /internal/*; without it nobody may
    #[arg(long, env = "SERVICE_TOKEN", hide_env_values = true)]
    pub service_token: Option<SecretString>,
}

impl Access {
    /// Refuses, in production, a secret that everybody knows or could guess.
    pub fn check(&self, environment: Environment) -> anyhow::Result<()> {
        let secret = self.secret_key.expose_secret();
        if environment == Environment::Production {
            anyhow::ensure!(secret != DEFAULT_SECRET, "SECRET_KEY must be set in production");
            anyhow::ensure!(
                secret.len() >= SECRET_LENGTH,
                "SECRET_KEY must have at least {SECRET_LENGTH} bytes in production"
            );
        }
        Ok(())
    }
}

/// The person who calls.
#[derive(Clone, Debug, PartialEq)]
pub struct User {
    pub id: Uuid,
}

/// What a token says of itself, beside the fields of a person.
#[derive(Serialize)]
struct Issued<'a, T> {
    #[serde(flatten)]
    holder: &'a T,
    iat: i64,
    exp: i64,
    jti: Uuid,
    generation: i32,
}

/// What is read of a token; the rest may be out of date.
#[derive(Deserialize)]
struct Claims {
    id: Uuid,
    exp: Option<f64>,
    generation: Option<i32>,
}

/// Issues tokens and checks them.
pub struct Verifier {
    encoding: EncodingKey,
    decoding: DecodingKey,
    validation: Validation,
    lifetime: TimeDelta,
    accept_legacy: bool,
}

impl Verifier {
    /// A verifier of the tokens that were signed with the key of these settings.
    pub fn new(access: &Access) -> anyhow::Result<Self> {
        let secret = access.secret_key.expose_secret().as_bytes();
        anyhow::ensure!(!secret.is_empty(), "SECRET_KEY must not be empty");
        let mut validation = Validation::new(Algorithm::HS256);
        validation.leeway = LEEWAY;
        if access.accept_legacy_tokens {
            validation.required_spec_claims.clear();
        }
        Ok(Self {
            encoding: EncodingKey::from_secret(secret),
            decoding: DecodingKey::from_secret(secret),
            validation,
            lifetime: TimeDelta::minutes(i64::from(access.lifetime_minutes)),
            accept_legacy: access.accept_legacy_tokens,
        })
    }

    /// A token for a person, whose fields `holder` are, issued at `now`.
    pub fn issue(&self, holder: &impl Serialize, generation: i32, now: DateTime<Utc>) -> anyhow::Result<String> {
        let exp = (now + self.lifetime).timestamp();
        let claims = Issued { holder, iat: now.timestamp(), exp, jti: Uuid::now_v7(), generation };
        Ok(jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &self.encoding)?)
    }

    /// Whose token it is and of which generation, when it is one of ours and not past its end.
    fn read(&self, token: &str) -> Option<(Uuid, i32)> {
        let claims = jsonwebtoken::decode::<Claims>(token, &self.decoding, &self.validation).ok()?.claims;
        match (claims.exp, claims.generation) {
            (Some(_), Some(generation)) => Some((claims.id, generation)),
            // A token of the original counts as issued before the first change of the password.
            _ => self.accept_legacy.then_some((claims.id, 0)),
        }
    }
}

/// The token of an `Authorization: Bearer …` header; the scheme in any case.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

impl FromRequestParts<App> for User {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Error> {
        let token = bearer(&parts.headers).ok_or(Error::NotAuthenticated)?;
        let refusal = || Error::Refused(StatusCode::UNAUTHORIZED, "Invalid username or password");
        let (id, generation) = app.verifier.read(token).ok_or_else(refusal)?;
        if app.resources.admits(&app.db, id, generation).await? { Ok(Self { id }) } else { Err(refusal()) }
    }
}

/// An operator, or another service of the platform: whoever knows the service token.
pub struct Operator;

impl FromRequestParts<App> for Operator {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Error> {
        let said = bearer(&parts.headers).ok_or(Error::NotAuthenticated)?;
        let expected = app.settings.security.service_token.as_ref().map(ExposeSecret::expose_secret);
        let knows = expected.is_some_and(|expected| bool::from(expected.as_bytes().ct_eq(said.as_bytes())));
        if knows { Ok(Self) } else { Err(Error::Refused(StatusCode::FORBIDDEN, "Not an operator")) }
    }
}

/// Nothing: this service asks nobody, so it believes nothing that could be out of date.
pub fn start(_: &App) {}

/// The settings for a test: none, since this service asks nobody.
#[cfg(test)]
pub fn stand_in() -> std::future::Ready<Vec<String>> {
    std::future::ready(Vec::new())
}
