//! Encryption of what providers entrust to this service: XChaCha20-Poly1305 with keys that are derived from secrets.
//!
//! Each secret gives one key by HKDF, and a key id that is derived beside it and reveals nothing of it. The first secret
//! encrypts; the others only decrypt, until a job has encrypted everything anew. A nonce is 192 random bits, which never
//! repeat by chance. The associated data name the row, so that a cipher which is copied into another row does not open.
//!
//! While a secret is being replaced, one replica may encrypt with a key that another one does not know yet. What such a replica
//! cannot read it leaves as it is, and its caller tries again: another replica, or this one with its new settings.
use anyhow::ensure;
use axum::http::StatusCode;
use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use hkdf::Hkdf;
use sha2::Sha256;

use crate::core::api::errors::Error;

/// What is derived from a secret, so that no other use of the same secret yields the same bytes.
const KEY: &[u8] = b"auth-service: XChaCha20-Poly1305 key of linked accounts, version 1";
const KEY_ID: &[u8] = b"auth-service: id of the key of linked accounts, version 1";
/// Length of a nonce, in bytes.
const NONCE: usize = 24;

/// An encrypted text, and the key that it needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed {
    /// The nonce, then the cipher with its tag.
    pub bytes: Vec<u8>,
    pub key_id: String,
}

/// Why a text cannot be decrypted.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealFault {
    /// Another replica has the key, or will; or it is lost.
    #[error("no secret gives the key {0} of a linked account")]
    UnknownKey(String),
    #[error("what is stored of a linked account was not encrypted for its row")]
    Invalid,
}

/// What needs a key that this process does not have.
pub const OTHER_KEY: Error = Error::Refused(
    StatusCode::SERVICE_UNAVAILABLE,
    "The keys of linked accounts are being replaced; try again in a moment",
);

impl From<SealFault> for Error {
    fn from(fault: SealFault) -> Self {
        match fault {
            SealFault::UnknownKey(_) => {
                tracing::warn!(%fault, "a request needs a key that this process does not have");
                OTHER_KEY
            }
            SealFault::Invalid => Self::Internal(fault.into()),
        }
    }
}

/// One key and its id.
struct SealingKey {
    id: String,
    cipher: XChaCha20Poly1305,
}

/// The keys of linked accounts; the first one encrypts.
pub struct Keyring {
    keys: Vec<SealingKey>,
}

impl Keyring {
    /// The keys of these secrets, of which there is at least one.
    pub fn new<'a>(secrets: impl Iterator<Item = &'a str>) -> anyhow::Result<Self> {
        let keys = secrets.map(derive).collect::<anyhow::Result<Vec<_>>>()?;
        ensure!(!keys.is_empty(), "linked accounts need a secret");
        Ok(Self { keys })
    }

    /// The id of the key that encrypts.
    pub fn current(&self) -> &str {
        &self.keys[0].id
    }

    /// The ids of all keys.
    pub fn key_ids(&self) -> Vec<String> {
        self.keys.iter().map(|key| key.id.clone()).collect()
    }

    /// Encrypts a text for a row.
    pub fn seal(&self, text: &[u8], row: &[u8]) -> anyhow::Result<Sealed> {
        let nonce = rand::random::<[u8; NONCE]>();
        let payload = Payload { msg: text, aad: row };
        let cipher = self.keys[0].cipher.encrypt(&XNonce::from(nonce), payload);
        let cipher = cipher.map_err(|_| anyhow::anyhow!("a text is too long to be encrypted"))?;
        Ok(Sealed { bytes: [&nonce[..], &cipher].concat(), key_id: self.current().to_owned() })
    }

    /// Decrypts what was encrypted for a row.
    pub fn open(&self, sealed: &Sealed, row: &[u8]) -> Result<Vec<u8>, SealFault> {
        let key = self.keys.iter().find(|key| key.id == sealed.key_id);
        let key = key.ok_or_else(|| SealFault::UnknownKey(sealed.key_id.clone()))?;
        let (nonce, cipher) = sealed.bytes.split_first_chunk::<NONCE>().ok_or(SealFault::Invalid)?;
        let text = key.cipher.decrypt(&XNonce::from(*nonce), Payload { msg: cipher, aad: row });
        text.map_err(|_| SealFault::Invalid)
    }
}

fn derive(secret: &str) -> anyhow::Result<SealingKey> {
    ensure!(!secret.is_empty(), "the secret of linked accounts must not be empty");
    let (mut key, mut id) = ([0; 32], [0; 8]);
    let hkdf = Hkdf::<Sha256>::new(None, secret.as_bytes());
    for (purpose, out) in [(KEY, &mut key[..]), (KEY_ID, &mut id[..])] {
        hkdf.expand(purpose, out).map_err(|cause| anyhow::anyhow!("hkdf: {cause}"))?;
    }
    Ok(SealingKey { id: format!("{:016x}", u64::from_be_bytes(id)), cipher: XChaCha20Poly1305::new(&key.into()) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keyring(secrets: &[&str]) -> Keyring {
        Keyring::new(secrets.iter().copied()).unwrap()
    }

    /// A stolen database holds nothing that opens without the secret, nor in another row.
    #[test]
    fn what_is_encrypted_opens_with_its_key_for_its_row_and_unchanged_only() {
        let ring = keyring(&["one secret"]);
        let sealed = ring.seal(b"token", b"row 1").unwrap();
        assert_eq!(ring.open(&sealed, b"row 1").unwrap(), b"token");
        assert!(!sealed.bytes.windows(5).any(|part| part == b"token"));
        assert_ne!(sealed, ring.seal(b"token", b"row 1").unwrap(), "each cipher has a nonce of its own");
        assert!(ring.open(&sealed, b"row 2").is_err());
        let mut changed = sealed.clone();
        *changed.bytes.last_mut().unwrap() ^= 1;
        assert!(ring.open(&changed, b"row 1").is_err());
        let short = Sealed { bytes: vec![0; 23], ..sealed.clone() };
        assert!(ring.open(&short, b"row 1").is_err());
        let error = keyring(&["other secret"]).open(&sealed, b"row 1").unwrap_err();
        assert_eq!(error, SealFault::UnknownKey(ring.current().to_owned()));
        assert!(error.to_string().starts_with("no secret gives the key"), "{error}");
    }

    /// A new secret encrypts from then on, and the one before still decrypts.
    #[test]
    fn a_secret_is_replaced_without_losing_what_it_encrypted() {
        let old = keyring(&["old secret"]);
        let sealed = old.seal(b"token", b"row").unwrap();
        let both = keyring(&["new secret", "old secret"]);
        assert_eq!(both.open(&sealed, b"row").unwrap(), b"token");
        assert_ne!(both.current(), old.current());
        assert_eq!(both.seal(b"token", b"row").unwrap().key_id, both.current());
        assert!(Keyring::new([""].into_iter()).is_err());
    }
}
