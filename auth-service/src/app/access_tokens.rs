//! Access tokens: how they are issued and checked.
//!
//! An access token is a JWT (RFC 9068) signed with Ed25519. It names a person and a session, lives for minutes, and is
//! good for as long as the session goes on, which one indexed query decides. The key is derived from `SECRET_KEY` by
//! HKDF, so that all replicas have the same one and there is one secret to keep; a service with the public key can check a
//! token and cannot issue one. Keys of `PREVIOUS_SECRET_KEYS` are published and checked with, and never sign: a new secret
//! is put there first, until every replica knows it, and the old one afterwards, until its last token has ended.
use std::collections::HashMap;

use axum::http::StatusCode;
use chrono::{DateTime, TimeDelta, Utc};
use hkdf::Hkdf;
use jsonwebtoken::jwk::{Jwk, JwkSet, KeyAlgorithm, PublicKeyUse, ThumbprintHash};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use uuid::Uuid;

use crate::core::api::errors::Error;
use crate::core::ground::settings::Environment;

/// The seconds by which the clocks of two machines may differ.
const LEEWAY: u64 = 5;
/// The secret of development, which is public.
const DEFAULT_SECRET: &str = "development-only: everybody knows this key";
/// What is derived from the secret, so that no other use of the same secret yields the same key.
const DERIVED: &[u8] = b"auth-service: Ed25519 key of access tokens, version 1";
/// The prefix of the 32 bytes of a private key in PKCS #8 (RFC 8410, section 7).
const PKCS8: [u8; 16] =
    [0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];
/// The type of the token (RFC 9068): an activation or any other JWT is not accepted as an access token.
const TYPE: &str = "at+jwt";

/// Settings of the tokens.
#[derive(clap::Args, Clone, Debug)]
pub struct TokenSettings {
    /// What the key of access tokens is made of, at least 32 bytes; the same in all replicas
    #[arg(long, env = "SECRET_KEY", hide_env_values = true, hide_default_value = true, default_value = DEFAULT_SECRET)]
    pub secret_key: SecretString,

    /// Secrets whose tokens are accepted besides, separated by commas: the one before, or the one to come
    #[arg(long, env = "PREVIOUS_SECRET_KEYS", hide_env_values = true, value_delimiter = ',')]
    pub previous_secret_keys: Vec<SecretString>,

    /// How long an access token is good, in minutes
    #[arg(long = "access-token-expire-minutes", env = "ACCESS_TOKEN_EXPIRE_MINUTES", default_value_t = 15, value_parser = clap::value_parser!(u32).range(1..))]
    pub lifetime_minutes: u32,

    /// The issuer that access tokens name
    #[arg(long, env = "TOKEN_ISSUER", default_value = "auth-service")]
    pub token_issuer: String,

    /// The audience that access tokens name
    #[arg(long, env = "TOKEN_AUDIENCE", default_value = "social-network")]
    pub token_audience: String,

    /// Whether browsers get their tokens as cookies, which no script can read
    #[arg(long, env = "TOKEN_COOKIES", default_value_t = false, action = clap::ArgAction::Set)]
    pub token_cookies: bool,

    /// Other origins whose pages may use the cookies, separated by commas: <https://www.example.org>
    #[arg(long, env = "TOKEN_COOKIE_ORIGINS", value_delimiter = ',')]
    pub token_cookie_origins: Vec<String>,

    /// Whether tokens of the original, which have no end, are accepted
    #[arg(long, env = "ACCEPT_LEGACY_TOKENS", default_value_t = false, action = clap::ArgAction::Set)]
    pub accept_legacy_tokens: bool,
}

impl TokenSettings {
    /// Refuses, in production, a secret that is public or could be guessed.
    pub fn check(&self, environment: Environment) -> anyhow::Result<()> {
        self.secrets().try_for_each(|(name, secret)| environment.check_secret(name, secret))
    }

    /// The secret that signs.
    pub fn secret(&self) -> &str {
        self.secret_key.expose_secret()
    }

    /// All secrets with the settings that they come from; the first one signs.
    pub fn secrets(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let previous = self.previous_secret_keys.iter().map(|secret| ("PREVIOUS_SECRET_KEYS", secret.expose_secret()));
        let signing = ("SECRET_KEY", self.secret());
        // A variable that is set to nothing holds one empty secret.
        std::iter::once(signing).chain(previous.filter(|(_, secret)| !secret.is_empty()))
    }
}

/// The claims of an access token.
#[derive(Serialize, Deserialize)]
struct IssuedClaims {
    iss: String,
    sub: Uuid,
    sid: Uuid,
    aud: String,
    iat: i64,
    exp: i64,
    jti: Uuid,
}

/// The claims that are read of a token of the original; its others may be out of date.
#[derive(Deserialize)]
struct LegacyClaims {
    id: Uuid,
    exp: Option<f64>,
}

/// The claims of a valid token. They do not include whether its session is still active.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Claims {
    pub user: Uuid,
    /// None for a token of the original, which belongs to no session.
    pub session: Option<Uuid>,
    /// None for a token of the original, which need not end.
    pub expires_at: Option<DateTime<Utc>>,
}

/// Issues access tokens and checks them.
pub struct AccessTokens {
    pub settings: TokenSettings,
    header: Header,
    signing: EncodingKey,
    checking: HashMap<String, DecodingKey>,
    /// The public keys, with which other services can check tokens themselves.
    pub published: JwkSet,
    validation: Validation,
    issuer: String,
    audience: String,
    lifetime: TimeDelta,
    legacy: Option<(DecodingKey, Validation)>,
}

impl AccessTokens {
    /// An issuer with the keys of these settings.
    pub fn new(settings: &TokenSettings) -> anyhow::Result<Self> {
        let mut keys = settings.secrets().map(|(name, secret)| {
            anyhow::ensure!(!secret.is_empty(), "{name} must not be empty");
            key(secret)
        });
        let (signing, jwk) = keys.next().ok_or_else(|| anyhow::anyhow!("there is no SECRET_KEY"))??;
        let mut header = Header::new(Algorithm::EdDSA);
        header.typ = Some(TYPE.into());
        header.kid.clone_from(&jwk.common.key_id);
        let mut published = JwkSet { keys: vec![jwk] };
        for other in keys {
            published.keys.push(other?.1);
        }
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.leeway = LEEWAY;
        validation.validate_nbf = true;
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        validation.set_issuer(&[&settings.token_issuer]);
        validation.set_audience(&[&settings.token_audience]);
        let named = |jwk: &Jwk| Ok((jwk.common.key_id.clone().unwrap_or_default(), DecodingKey::from_jwk(jwk)?));
        Ok(Self {
            settings: settings.clone(),
            header,
            signing,
            checking: published.keys.iter().map(named).collect::<anyhow::Result<_>>()?,
            published,
            validation,
            issuer: settings.token_issuer.clone(),
            audience: settings.token_audience.clone(),
            lifetime: TimeDelta::minutes(i64::from(settings.lifetime_minutes)),
            legacy: settings.accept_legacy_tokens.then(|| legacy(&settings.secret_key)),
        })
    }

    /// Issues a token for a user's session and returns it with its lifetime in seconds: it never outlives the session, which
    /// ends at `ends`.
    pub fn issue(
        &self,
        user: Uuid,
        session: Uuid,
        ends: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> anyhow::Result<(String, i64)> {
        let (iat, exp) = (now.timestamp(), (now + self.lifetime).min(ends).timestamp());
        let (iss, aud) = (self.issuer.clone(), self.audience.clone());
        let claims = IssuedClaims { iss, sub: user, sid: session, aud, iat, exp, jti: Uuid::now_v7() };
        Ok((jsonwebtoken::encode(&self.header, &claims, &self.signing)?, exp - iat))
    }

    /// The claims of a token; refuses and counts one that is not ours or has expired.
    pub fn claims(&self, token: &str) -> Result<Claims, Error> {
        self.read(token).ok_or_else(|| {
            count("refused");
            REFUSAL
        })
    }

    /// The claims of a token that is ours and has not expired.
    fn read(&self, token: &str) -> Option<Claims> {
        let header = jsonwebtoken::decode_header(token).ok()?;
        // What a token says is critical has to be understood, and there is nothing that ours say (RFC 7515, section 4.1.11).
        if header.crit.is_some() {
            return None;
        }
        if let (Algorithm::HS256, Some((key, validation))) = (header.alg, &self.legacy) {
            let claims = jsonwebtoken::decode::<LegacyClaims>(token, key, validation).ok()?.claims;
            #[expect(
                clippy::cast_possible_truncation,
                reason = "whole seconds are enough, and too large ones saturate"
            )]
            let expires_at = claims.exp.and_then(|exp| DateTime::from_timestamp(exp as i64, 0));
            return Some(Claims { user: claims.id, session: None, expires_at });
        }
        if header.typ.as_deref() != Some(TYPE) {
            return None;
        }
        let key = self.checking.get(header.kid.as_deref()?)?;
        let claims = jsonwebtoken::decode::<IssuedClaims>(token, key, &self.validation).ok()?.claims;
        let expires_at = DateTime::from_timestamp(claims.exp, 0);
        Some(Claims { user: claims.sub, session: Some(claims.sid), expires_at })
    }
}

/// The private key that is derived from a secret, and its public key under the thumbprint that tokens name (RFC 7638).
pub fn key(secret: &str) -> anyhow::Result<(EncodingKey, Jwk)> {
    let mut der = PKCS8.to_vec();
    der.resize(PKCS8.len() + 32, 0);
    let derived = Hkdf::<Sha256>::new(None, secret.as_bytes()).expand(DERIVED, &mut der[PKCS8.len()..]);
    derived.map_err(|cause| anyhow::anyhow!("hkdf: {cause}"))?;
    let key = EncodingKey::from_ed_der(&der);
    let mut jwk = Jwk::from_encoding_key(&key, Algorithm::EdDSA)?;
    jwk.common.key_id = Some(jwk.thumbprint(ThumbprintHash::SHA256)?);
    jwk.common.public_key_use = Some(PublicKeyUse::Signature);
    jwk.common.key_algorithm = Some(KeyAlgorithm::EdDSA);
    Ok((key, jwk))
}

/// The check of tokens of the original: HMAC with the secret itself; an expiry only where they have one.
fn legacy(secret: &SecretString) -> (DecodingKey, Validation) {
    let mut validation = Validation::new(Algorithm::HS256);
    validation.leeway = LEEWAY;
    validation.validate_nbf = true;
    validation.validate_aud = false;
    validation.required_spec_claims.clear();
    (DecodingKey::from_secret(secret.expose_secret().as_bytes()), validation)
}

/// Counts a check of a token by its outcome.
pub fn count(outcome: &'static str) {
    metrics::counter!("token_checks_total", "outcome" => outcome).increment(1);
}

/// The answer to an invalid token; the sentence is the original's.
pub const REFUSAL: Error = Error::Refused(StatusCode::UNAUTHORIZED, "Invalid username or password");
