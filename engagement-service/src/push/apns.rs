//! Apple's push service: messages to apps by HTTP/2
//! (<https://developer.apple.com/documentation/usernotifications/sending-notification-requests-to-apns>). The service
//! authenticates with a token that it signs with the team's key.
use std::time::Duration;

use anyhow::Context;
use axum::http::{HeaderMap, StatusCode, header};
use chrono::Utc;
use futures::future::BoxFuture;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use p256::SecretKey;
use p256::pkcs8::{DecodePrivateKey, EncodePrivateKey};
use serde_json::{Value, json};

use super::tokens::TokenCache;
use super::web_push::topic;
use super::{Channel, Disposition, PushMessage, Receipt, Target, body_of};
use crate::devices::{ApnsEnvironment, Provider};

/// For how long a token is used: Apple refuses one that is older than an hour, and one that is replaced within 20 minutes.
const TOKEN_LIFETIME: Duration = Duration::from_mins(45);
/// Deliver at once, and wake the screen.
const PRIORITY: u16 = 10;

/// How the service authenticates, and which app its messages are for.
pub struct ApnsIdentity {
    pub key_id: String,
    pub team_id: String,
    /// The bundle id of the app, where a device names no other.
    pub topic: String,
}

/// The channel to apps for Apple's systems.
pub struct Apns {
    http: reqwest::Client,
    identity: ApnsIdentity,
    key: EncodingKey,
    url: String,
    sandbox_url: String,
    token: TokenCache,
}

impl Apns {
    /// A channel with a key in PEM, as Apple hands it out (`.p8`), by a client that speaks HTTP/2.
    pub fn new(
        http: reqwest::Client,
        key: &str,
        identity: ApnsIdentity,
        [url, sandbox_url]: [&str; 2],
    ) -> anyhow::Result<Self> {
        let key = SecretKey::from_pkcs8_pem(key).context("not a key of P-256 in PEM")?;
        let key = EncodingKey::from_ec_der(key.to_pkcs8_der()?.as_bytes());
        let (url, sandbox_url) = (url.to_owned(), sandbox_url.to_owned());
        Ok(Self { http, identity, key, url, sandbox_url, token: TokenCache::default() })
    }

    /// A new token, and for how long it is used.
    fn provider_token(&self) -> anyhow::Result<(String, Duration)> {
        let header = Header { kid: Some(self.identity.key_id.clone()), ..Header::new(Algorithm::ES256) };
        let claims = json!({ "iss": self.identity.team_id, "iat": Utc::now().timestamp() });
        Ok((jsonwebtoken::encode(&header, &claims, &self.key)?, TOKEN_LIFETIME))
    }

    async fn post(&self, target: &Target, message: &PushMessage) -> Receipt {
        let token = match self.token.get(async { self.provider_token() }).await {
            Ok(token) => token,
            Err(reason) => return Receipt::unsent(Disposition::Refused, reason),
        };
        let base = match target.environment {
            ApnsEnvironment::Production => &self.url,
            ApnsEnvironment::Sandbox => &self.sandbox_url,
        };
        let request = self.http.post(format!("{base}/3/device/{}", target.address));
        let request = request
            .header(header::AUTHORIZATION, format!("bearer {token}"))
            .header("apns-id", message.id.to_string())
            .header("apns-topic", target.topic.as_ref().unwrap_or(&self.identity.topic))
            .header("apns-push-type", "alert")
            .header("apns-priority", PRIORITY)
            .header("apns-expiration", (Utc::now() + message.ttl).timestamp())
            .header("apns-collapse-id", topic(&message.collapse_key))
            .json(&payload(message));
        let answer = match request.send().await {
            Ok(answer) => answer,
            Err(error) => return Receipt::silence(error),
        };
        let (status, headers) = (answer.status(), answer.headers().clone());
        let body: Value = match body_of(answer).await {
            Ok(body) => serde_json::from_slice(&body).unwrap_or_default(),
            Err(_) if status.is_success() => Value::Null,
            Err(error) => return Receipt::unsent(Disposition::Later(None), error.to_string()),
        };
        let reason = body["reason"].as_str().unwrap_or_default();
        if reason == "ExpiredProviderToken" {
            self.token.drop_refused(&token).await;
        }
        receipt(status, &headers, reason)
    }
}

impl Channel for Apns {
    fn provider(&self) -> Provider {
        Provider::Apns
    }

    fn send<'a>(&'a self, target: &'a Target, message: &'a PushMessage) -> BoxFuture<'a, Receipt> {
        Box::pin(self.post(target, message))
    }
}

fn payload(message: &PushMessage) -> Value {
    let PushMessage { notification_id, title, body, url, collapse_key, .. } = message;
    json!({
        "aps": { "alert": { "title": title, "body": body }, "thread-id": collapse_key },
        "url": url,
        "notification_id": notification_id,
    })
}

/// What an answer means: the status, and the reason in its body
/// (<https://developer.apple.com/documentation/usernotifications/handling-notification-responses-from-apns>).
fn receipt(status: StatusCode, headers: &HeaderMap, reason: &str) -> Receipt {
    let mut receipt = Receipt::of(status, headers, format!("APNs answered {status} {reason}"));
    match reason {
        "BadDeviceToken" => receipt.disposition = Disposition::Gone,
        "ExpiredProviderToken" => receipt.disposition = Disposition::Later(None),
        // A wrong path: no fault of the device, for which it answers 410.
        _ if status == StatusCode::NOT_FOUND => receipt.disposition = Disposition::Refused,
        _ => {}
    }
    receipt
}
