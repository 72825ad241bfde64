//! Web Push: messages to browsers, by the push service that each browser has chosen (RFC 8030). The message is encrypted for
//! the browser (RFC 8291), and the service identifies itself by VAPID (RFC 8292): a token that is signed with the key for
//! which the subscription was made.
use std::time::Duration;

use axum::http::header;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use chrono::Utc;
use futures::future::BoxFuture;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use p256::SecretKey;
use p256::elliptic_curve::sec1::ToEncodedPoint;
use p256::pkcs8::EncodePrivateKey;
use reqwest::Url;
use serde_json::json;
use sha2::{Digest, Sha256};

use super::addresses::Guard;
use super::encryption::encrypt;
use super::{Channel, Disposition, PushMessage, Receipt, Target};
use crate::devices::Provider;

/// For how long a token holds; 24 hours are the most (RFC 8292, section 2).
const TOKEN_LIFETIME: Duration = Duration::from_hours(12);
/// Bytes of a hash that make a topic: 32 characters of base64url, which are the most (RFC 8030, section 5.4).
const TOPIC_BYTES: usize = 24;

/// The key by which browsers know the service, with the address of its operators for those of push services.
pub struct VapidKey {
    signing: EncodingKey,
    /// The public key, an uncompressed point in base64url: what a browser subscribes with.
    pub public: String,
    subject: String,
}

impl VapidKey {
    /// Reads a private key, 32 bytes in base64url, as the usual generators write it.
    pub fn read(private: &str, subject: &str) -> anyhow::Result<Self> {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(private.trim().trim_end_matches('='))?;
        let key = SecretKey::from_slice(&bytes)?;
        let signing = EncodingKey::from_ec_der(key.to_pkcs8_der()?.as_bytes());
        let public = BASE64_URL_SAFE_NO_PAD.encode(key.public_key().to_encoded_point(false));
        Ok(Self { signing, public, subject: subject.to_owned() })
    }

    /// The `Authorization` of a request to a push service.
    fn authorization(&self, endpoint: &Url) -> anyhow::Result<String> {
        let audience = endpoint.origin().ascii_serialization();
        let expires_at = (Utc::now() + TOKEN_LIFETIME).timestamp();
        let claims = json!({ "aud": audience, "exp": expires_at, "sub": self.subject });
        let token = jsonwebtoken::encode(&Header::new(Algorithm::ES256), &claims, &self.signing)?;
        Ok(format!("vapid t={token}, k={}", self.public))
    }
}

/// The channel to browsers.
pub struct WebPush {
    http: reqwest::Client,
    guard: Guard,
    key: VapidKey,
}

impl WebPush {
    /// A channel by a client that resolves names by that guard.
    pub fn new(http: reqwest::Client, guard: Guard, key: VapidKey) -> Self {
        Self { http, guard, key }
    }

    async fn post(&self, target: &Target, message: &PushMessage) -> Receipt {
        let endpoint = match self.guard.parse(&target.address) {
            Ok(endpoint) => endpoint,
            Err(fault) => return Receipt::unsent(Disposition::Refused, fault.to_string()),
        };
        let made = encrypt(payload(message).as_bytes(), &target.p256dh, &target.auth);
        let (body, authorization) = match made.and_then(|body| Ok((body, self.key.authorization(&endpoint)?))) {
            Ok(made) => made,
            Err(error) => return Receipt::unsent(Disposition::Refused, error.to_string()),
        };
        let request = self.http.post(endpoint).header(header::AUTHORIZATION, authorization);
        let request = request
            .header(header::CONTENT_ENCODING, "aes128gcm")
            .header(header::CONTENT_TYPE, "application/octet-stream")
            .header("ttl", message.ttl.as_secs())
            .header("urgency", "normal")
            .header("topic", topic(&message.collapse_key));
        match request.body(body).send().await {
            // The body of the answer is not read: it comes from wherever a user wanted.
            Ok(answer) => {
                let status = answer.status();
                Receipt::of(status, answer.headers(), format!("the push service answered {status}"))
            }
            Err(error) if Guard::refused(&error) => {
                Receipt::unsent(Disposition::Refused, "the endpoint's host is not on the public internet")
            }
            Err(error) => Receipt::silence(error),
        }
    }
}

impl Channel for WebPush {
    fn provider(&self) -> Provider {
        Provider::WebPush
    }

    fn send<'a>(&'a self, target: &'a Target, message: &'a PushMessage) -> BoxFuture<'a, Receipt> {
        Box::pin(self.post(target, message))
    }
}

/// What the page's service worker gets.
fn payload(message: &PushMessage) -> String {
    let PushMessage { notification_id, title, body, url, collapse_key, .. } = message;
    json!({ "title": title, "body": body, "url": url, "tag": collapse_key, "notification_id": notification_id })
        .to_string()
}

/// The topic of a collapse key: a push service drops the older one of two messages that wait with one topic. It learns
/// nothing from it.
pub fn topic(collapse_key: &str) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(&Sha256::digest(collapse_key)[..TOPIC_BYTES])
}
