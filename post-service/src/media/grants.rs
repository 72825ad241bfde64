//! Addresses of pictures that work without a header, as `<img>` needs it: signed, and good for an hour or two.
//!
//! A grant is what an address allows, and an HMAC-SHA256 of that and of the picture's id. Its end is rounded, so that all readers
//! of an hour get the same address, and caches keep one copy. It says how a picture may be seen, and not that it may be: whether
//! the post still shows it is asked at each request.
use std::time::Duration;

use axum::body::Bytes;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;
use uuid::Uuid;

/// The shortest time that an address is good for; the longest is twice as long. In seconds.
const LIFETIME: u64 = 3_600;
/// The bytes of the code that are sent: 128 bits, which cannot be tried through in an hour.
const CODE_BYTES: usize = 16;
/// What a key is derived for, so that it is of no use anywhere else.
const LABEL: &[u8] = b"post-service media addresses 1";

/// What an address allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grant {
    /// The owner sees their picture, shown or not.
    Owner,
    /// The readers of this post see its picture, as long as it is published.
    Reader { post: Uuid },
}

/// Signs and checks addresses.
#[derive(Clone)]
pub struct MediaUrls {
    /// What is put before the path; empty where pictures have the origin of the API.
    base: String,
    key: Hmac<Sha256>,
}

impl Grant {
    fn bytes(self, expires: u64) -> Vec<u8> {
        let (kind, post) = match self {
            Self::Owner => (0, Uuid::nil()),
            Self::Reader { post } => (1, post),
        };
        [&[kind], &expires.to_be_bytes()[..], post.as_bytes()].concat()
    }

    fn read(bytes: &[u8]) -> Option<(Self, u64)> {
        let (kind, rest) = bytes.split_first()?;
        let (expires, post) = rest.split_first_chunk::<8>()?;
        let post = Uuid::from_slice(post).ok()?;
        let grant = match kind {
            0 => Self::Owner,
            1 => Self::Reader { post },
            _ => return None,
        };
        Some((grant, u64::from_be_bytes(*expires)))
    }
}

impl MediaUrls {
    /// Addresses that are signed with a key derived from a secret.
    pub fn new(base: &str, secret: &SecretString) -> anyhow::Result<Self> {
        let mut derived = [0; 32];
        hkdf::Hkdf::<Sha256>::new(None, secret.expose_secret().as_bytes())
            .expand(LABEL, &mut derived)
            .map_err(|cause| anyhow::anyhow!("no key for addresses: {cause}"))?;
        let key = Hmac::new_from_slice(&derived)?;
        Ok(Self { base: base.trim_end_matches('/').to_owned(), key })
    }

    fn code(&self, media: Uuid, claims: &[u8]) -> Hmac<Sha256> {
        self.key.clone().chain_update(media.as_bytes()).chain_update(claims)
    }

    /// The address of a rendition that is good for an hour or two from `now`, in seconds since 1970.
    pub fn sign(&self, media: Uuid, rendition: &str, grant: Grant, now: u64) -> String {
        let expires = (now / LIFETIME + 2) * LIFETIME;
        let claims = grant.bytes(expires);
        let code = self.code(media, &claims).finalize().into_bytes();
        let token = URL_SAFE_NO_PAD.encode([&claims, &code[..CODE_BYTES]].concat());
        format!("{}?grant={token}", self.path(media, rendition))
    }

    /// The address of a rendition, of which the service decides by itself whether it is public.
    pub fn path(&self, media: Uuid, rendition: &str) -> String {
        format!("{}/api/v1/media/{media}/{rendition}", self.base)
    }

    /// What a grant allows at a time, and for how long; none when it is another picture's, or over, or was tampered with.
    pub fn check(&self, media: Uuid, token: &str, now: u64) -> Option<(Grant, Duration)> {
        let bytes = Bytes::from(URL_SAFE_NO_PAD.decode(token).ok()?);
        let claims = bytes.len().checked_sub(CODE_BYTES)?;
        let (claims, code) = bytes.split_at(claims);
        // In constant time.
        self.code(media, claims).verify_truncated_left(code).ok()?;
        let (grant, expires) = Grant::read(claims)?;
        let left = expires.checked_sub(now).filter(|left| *left > 0)?;
        Some((grant, Duration::from_secs(left)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn urls(secret: &str) -> MediaUrls {
        MediaUrls::new("", &secret.into()).unwrap()
    }

    fn token(url: &str) -> &str {
        url.split_once("?grant=").unwrap().1
    }

    #[test]
    fn an_address_is_the_same_within_an_hour_and_ends() {
        let (urls, media, post) = (urls("a"), Uuid::now_v7(), Uuid::now_v7());
        let grant = Grant::Reader { post };
        let url = urls.sign(media, "medium", grant, 7_200);
        assert_eq!(url, urls.sign(media, "medium", grant, 10_799));
        assert_ne!(url, urls.sign(media, "medium", grant, 10_800));
        assert!(url.starts_with(&format!("/api/v1/media/{media}/medium?grant=")), "{url}");
        assert_eq!(urls.check(media, token(&url), 7_200), Some((grant, Duration::from_hours(2))));
        assert_eq!(urls.check(media, token(&url), 14_399), Some((grant, Duration::from_secs(1))));
        assert_eq!(urls.check(media, token(&url), 14_400), None);
    }

    #[test]
    fn a_grant_is_good_for_one_picture_one_key_and_as_it_was_signed() {
        let (ours, media) = (urls("a"), Uuid::now_v7());
        let url = ours.sign(media, "medium", Grant::Owner, 0);
        assert!(ours.check(media, token(&url), 0).is_some());
        assert_eq!(ours.check(Uuid::now_v7(), token(&url), 0), None);
        assert_eq!(urls("b").check(media, token(&url), 0), None);
        let bytes = URL_SAFE_NO_PAD.decode(token(&url)).unwrap();
        for place in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[place] ^= 1;
            assert_eq!(ours.check(media, &URL_SAFE_NO_PAD.encode(&changed), 0), None, "byte {place}");
        }
        for short in ["", "x", "AAAA", token(&url).get(..20).unwrap()] {
            assert_eq!(ours.check(media, short, 0), None, "{short}");
        }
    }
}
