//! The keys of Perspective's API: each has a name, under which its requests are counted and its suggestions stored.
use std::sync::Arc;

use anyhow::{Context, ensure};
use axum::extract::{FromRef, FromRequestParts};
use axum::http::request::Parts;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::refusals::Refusal;
use crate::core::app::App;
use crate::core::app::limits::RateLimitDecision;
use crate::core::ground::settings::Environment;

/// The header that holds a key where the address does not.
const HEADER: &str = "x-goog-api-key";
/// The longest name of a key, in bytes.
const MAX_NAME: usize = 64;

/// The name and the key of `name=key`. What is wrong is said without what may be a secret.
fn parse(text: &str) -> anyhow::Result<(&str, &str)> {
    let (name, key) = text.split_once('=').context("PERSPECTIVE_KEYS must be like name=key")?;
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    ensure!(
        !name.is_empty() && name.len() <= MAX_NAME && name.chars().all(is_name),
        "the name of a key of PERSPECTIVE_KEYS has 1 to {MAX_NAME} letters, digits, dots, dashes and underscores"
    );
    ensure!(!key.is_empty(), "the key {name} of PERSPECTIVE_KEYS is empty");
    Ok((name, key))
}

/// The keys that are accepted, as digests: what is compared has one length, and memory holds no key.
#[derive(Clone, Debug)]
pub struct Keys(Arc<[(String, [u8; 32])]>);

impl Keys {
    /// Refuses, in production, a key that could be guessed; and two names for one key, or two keys of one name. A variable that is
    /// set to nothing is no key.
    pub fn new(keys: &[SecretString], environment: Environment) -> anyhow::Result<Self> {
        let mut accepted: Vec<(String, [u8; 32])> = Vec::new();
        for text in keys.iter().map(ExposeSecret::expose_secret).filter(|text| !text.is_empty()) {
            let (name, key) = parse(text)?;
            environment.check_secret(&format!("the key {name} of PERSPECTIVE_KEYS"), key)?;
            let digest = Sha256::digest(key).into();
            let is_new = accepted.iter().all(|known| known.0 != name && known.1 != digest);
            ensure!(is_new, "PERSPECTIVE_KEYS has the key {name}, or its name, twice");
            accepted.push((name.to_owned(), digest));
        }
        Ok(Self(accepted.into()))
    }

    /// The name of a key. All keys are compared, so that the time says nothing of them.
    fn name(&self, key: &str) -> Option<&str> {
        let digest: [u8; 32] = Sha256::digest(key).into();
        let mut found = None;
        for (name, known) in self.0.iter() {
            if bool::from(known.ct_eq(&digest)) {
                found = Some(name.as_str());
            }
        }
        found
    }
}

/// A caller that has a key: its name.
pub struct KeyOwner(pub String);

impl<S: Send + Sync> FromRequestParts<S> for KeyOwner
where
    App: FromRef<S>,
{
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        let query: Vec<(String, String)> =
            serde_urlencoded::from_str(parts.uri.query().unwrap_or_default()).unwrap_or_default();
        let in_query = query.into_iter().find_map(|(name, value)| (name == "key").then_some(value));
        let in_header = || parts.headers.get(HEADER)?.to_str().ok().map(str::to_owned);
        let key = in_query.or_else(in_header).filter(|key| !key.is_empty()).ok_or(Refusal::Unregistered)?;
        let keys = parts.extensions.get::<Keys>().ok_or(Refusal::Unregistered)?;
        keys.name(&key).map(|name| Self(name.to_owned())).ok_or(Refusal::InvalidKey)
    }
}

impl KeyOwner {
    /// Counts a request of this key against a limit; refused when there were too many.
    pub async fn take(&self, app: &App, limit: &str) -> Result<(), Refusal> {
        let decision = app.limits.take(limit, &self.0).await;
        let late = decision.filter(|decision: &RateLimitDecision| !decision.allowed());
        late.map_or(Ok(()), |decision| Err(Refusal::Quota(decision.wait)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(text: &str, environment: Environment) -> anyhow::Result<Keys> {
        Keys::new(&text.split(',').map(SecretString::from).collect::<Vec<_>>(), environment)
    }

    /// What is no key is refused at the start, in words that hold no secret.
    #[test]
    fn a_setting_that_holds_no_keys_is_refused() {
        for (text, expected) in [
            ("a-secret", "PERSPECTIVE_KEYS must be like name=key"),
            (
                "=a-secret",
                "the name of a key of PERSPECTIVE_KEYS has 1 to 64 letters, digits, dots, dashes and underscores",
            ),
            (
                "a b=a-secret",
                "the name of a key of PERSPECTIVE_KEYS has 1 to 64 letters, digits, dots, dashes and underscores",
            ),
            ("app=", "the key app of PERSPECTIVE_KEYS is empty"),
            ("app=one,app=two", "PERSPECTIVE_KEYS has the key app, or its name, twice"),
            ("app=one,forum=one", "PERSPECTIVE_KEYS has the key forum, or its name, twice"),
        ] {
            assert_eq!(keys(text, Environment::Development).unwrap_err().to_string(), expected);
        }
        let error = keys("app=short", Environment::Production).unwrap_err().to_string();
        assert!(error.starts_with("the key app of PERSPECTIVE_KEYS has fewer than 32 bytes"), "{error}");
        let both = keys("app=one,,forum=two=2", Environment::Development).unwrap();
        assert_eq!(
            [both.name("one"), both.name("two=2"), both.name("two"), both.name("")],
            [Some("app"), Some("forum"), None, None]
        );
    }
}
