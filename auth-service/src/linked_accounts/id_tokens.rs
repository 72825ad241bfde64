//! Id tokens: whether one was issued by this provider, for this client, about this sign-in, and is fresh (`OpenID` Connect Core
//! 1.0, section 3.1.3.7).
use chrono::{DateTime, Utc};
use jsonwebtoken::jwk::{AlgorithmParameters, Jwk};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde::Deserialize;
use serde_json::Value;

/// The seconds by which the clocks of a provider and of this service may differ.
pub const LEEWAY: u64 = 60;

/// What is read of an id token.
#[derive(Debug, Deserialize)]
pub struct IdTokenClaims {
    pub sub: String,
    iat: i64,
    aud: Value,
    azp: Option<String>,
    nonce: Option<String>,
    /// When the person has signed in at the provider; it has to be there where `max_age` was asked for.
    auth_time: Option<Value>,
    pub email: Option<String>,
    /// Some providers write the word.
    pub email_verified: Option<Value>,
    pub name: Option<String>,
    pub preferred_username: Option<String>,
}

impl IdTokenClaims {
    /// When the person has signed in at the provider, where it says so.
    pub fn authenticated_at(&self) -> Option<DateTime<Utc>> {
        DateTime::from_timestamp(self.auth_time.as_ref()?.as_i64()?, 0)
    }
}

/// What an id token has to be.
pub struct IdTokenRules<'a> {
    pub issuer: &'a str,
    pub client_id: &'a str,
    pub algorithms: &'a [Algorithm],
    pub nonce: &'a str,
}

/// Why an id token is refused.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdTokenFault {
    /// Its key may be a newer one.
    #[error("the key is not known")]
    UnknownKey,
    #[error("{0}")]
    Refused(String),
}

/// The claims of an id token that obeys the rules.
pub fn verify(
    token: &str,
    keys: &[Jwk],
    rules: &IdTokenRules<'_>,
    now: DateTime<Utc>,
) -> Result<IdTokenClaims, IdTokenFault> {
    let refused = |cause: &str| IdTokenFault::Refused(cause.to_owned());
    let by_library = |cause: jsonwebtoken::errors::Error| IdTokenFault::Refused(cause.to_string());
    // `none` and unknown algorithms are no header at all to the library.
    let header = jsonwebtoken::decode_header(token).map_err(by_library)?;
    if !rules.algorithms.contains(&header.alg) || header.crit.is_some() {
        return Err(refused("its algorithm is none of the provider's"));
    }
    // A symmetric key in a published set is no secret.
    let usable: Vec<&Jwk> =
        keys.iter().filter(|key| !matches!(key.algorithm, AlgorithmParameters::OctetKey(_))).collect();
    let key = match &header.kid {
        Some(kid) => usable.iter().find(|key| key.common.key_id.as_ref() == Some(kid)),
        None if usable.len() == 1 => usable.first(),
        None => return Err(refused("it names no key, and the provider has several")),
    };
    let key = DecodingKey::from_jwk(key.ok_or(IdTokenFault::UnknownKey)?).map_err(by_library)?;
    let mut validation = Validation::new(header.alg);
    validation.leeway = LEEWAY;
    validation.validate_nbf = true;
    validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
    validation.set_issuer(&[rules.issuer]);
    validation.set_audience(&[rules.client_id]);
    let claims = jsonwebtoken::decode::<IdTokenClaims>(token, &key, &validation).map_err(by_library)?.claims;
    let is_shared = claims.aud.as_array().is_some_and(|audiences| audiences.len() > 1);
    match &claims.azp {
        Some(party) if party != rules.client_id => return Err(refused("it was issued for another client")),
        None if is_shared => return Err(refused("it has several audiences and does not say for which it was issued")),
        _ => {}
    }
    if claims.nonce.as_deref() != Some(rules.nonce) {
        return Err(refused("its nonce is not this sign-in's"));
    }
    let latest = now.timestamp().saturating_add_unsigned(LEEWAY);
    if claims.iat > latest {
        return Err(refused("it was issued in the future"));
    }
    if claims.authenticated_at().is_some_and(|at| at.timestamp() > latest) {
        return Err(refused("its person has signed in in the future"));
    }
    Ok(claims)
}
