//! Devices in the API.
use axum::http::Uri;
use base64::Engine;
use base64::alphabet::URL_SAFE;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use p256::PublicKey;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use super::models::{Device, Registration};
use super::{ApnsEnvironment, Provider};
use crate::core::contract::fields::{Fields, Input, invalid};
use crate::core::contract::timestamp::Timestamp;
use crate::push::addresses::MAX_ENDPOINT_BYTES;

/// The longest registration token, in characters; Firebase's have some 160, Apple's 64, and both say that this may grow.
const LONGEST_TOKEN: usize = 1_024;
/// The longest bundle id, in characters.
const LONGEST_TOPIC: usize = 155;
/// Bytes of a browser's secret (RFC 8291, section 3.2).
const AUTH_BYTES: usize = 16;

/// Browsers write keys without padding, some libraries with it.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A device to register: a browser's subscription as its `toJSON()` writes it, or an app's token
#[derive(ToSchema)]
#[schema(examples(json!({
    "provider": "WEB_PUSH",
    "endpoint": "https://updates.push.services.mozilla.com/wpush/v2/gAAAAABl",
    "keys": {
        "p256dh": "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
        "auth": "BTBZMqHH6r4Tts7J_aSIgg"
    }
})))]
#[serde(tag = "provider", rename_all = "SCREAMING_SNAKE_CASE")]
#[expect(dead_code, reason = "the description of a body that is read field by field")]
pub enum DeviceIn {
    /// A browser's subscription
    WebPush {
        /// A URL with scheme https, on the public internet
        #[schema(max_length = 2048)]
        endpoint: String,
        keys: SubscriptionKeys,
        /// Accepted because browsers write it, and not used: an endpoint that has expired says so
        #[serde(rename = "expirationTime")]
        expiration_time: Option<f64>,
    },
    /// An app that uses Firebase Cloud Messaging
    Fcm {
        /// The registration token
        #[schema(max_length = 1024)]
        token: String,
    },
    /// An app for Apple's systems
    Apns {
        /// The device token, in hexadecimal digits
        #[schema(max_length = 1024)]
        token: String,
        /// The app's bundle id, where it is not the one that the service is configured with
        #[schema(max_length = 155)]
        topic: Option<String>,
        /// Which of Apple's services the token is of; PRODUCTION when it is not given
        environment: Option<ApnsEnvironment>,
    },
}

/// The keys of a browser's subscription, in base64url
#[derive(ToSchema)]
#[expect(dead_code, reason = "the description of a body that is read field by field")]
pub struct SubscriptionKeys {
    /// Its public key, an uncompressed point of P-256
    #[schema(max_length = 88)]
    p256dh: String,
    /// Its secret of 16 bytes
    #[schema(max_length = 24)]
    auth: String,
}

impl Input for Registration {
    fn read(fields: &mut Fields) -> Self {
        let words = Provider::ALL.map(Provider::word);
        let given = fields.value("provider").is_some();
        let provider = fields
            .choice("provider", &words, |word| Provider::ALL.into_iter().find(|provider| provider.word() == word));
        if !given {
            fields.refuse("provider", "field required", "value_error.missing", None);
        }
        match provider {
            Some(Provider::WebPush) => {
                // A browser's subscription has it, and it is always null today.
                fields.value("expirationTime");
                let endpoint = fields.text("endpoint", MAX_ENDPOINT_BYTES);
                let keys = fields.value("keys").unwrap_or_default();
                let p256dh = key(fields, &keys, "p256dh", |bytes| {
                    bytes.first() == Some(&4) && PublicKey::from_sec1_bytes(bytes).is_ok()
                });
                let auth = key(fields, &keys, "auth", |bytes| bytes.len() == AUTH_BYTES);
                Self::WebPush { endpoint, p256dh, auth }
            }
            Some(Provider::Fcm) => Self::Fcm { token: token(fields, |c| c.is_ascii_graphic()) },
            Some(Provider::Apns) => Self::Apns {
                // It becomes part of a path, so nothing but digits.
                token: token(fields, |c| c.is_ascii_hexdigit()).to_ascii_lowercase(),
                topic: topic(fields),
                environment: fields
                    .choice("environment", &["PRODUCTION", "SANDBOX"], |word| serde_json::from_value(word.into()).ok())
                    .unwrap_or_default(),
            },
            None => Self::Fcm { token: String::new() },
        }
    }
}

/// One of a subscription's keys.
fn key(fields: &mut Fields, keys: &Value, name: &'static str, is_valid: impl Fn(&[u8]) -> bool) -> Vec<u8> {
    let place = ["body", "keys", name];
    let fault = match keys.get(name) {
        None => invalid(&place, "field required", "value_error.missing", None),
        Some(text) => match text.as_str().and_then(|text| BASE64.decode(text).ok()).filter(|bytes| is_valid(bytes)) {
            Some(bytes) => return bytes,
            None => invalid(&place, "value is not a valid key", "value_error.key", None),
        },
    };
    fields.errors.push(fault);
    Vec::new()
}

fn token(fields: &mut Fields, is_valid: impl Fn(char) -> bool) -> String {
    let errors = fields.errors.len();
    let token = fields.text("token", LONGEST_TOKEN);
    if fields.errors.len() == errors && (token.is_empty() || !token.chars().all(is_valid)) {
        fields.refuse("token", "value is not a valid token", "value_error.token", None);
    }
    token
}

fn topic(fields: &mut Fields) -> Option<String> {
    let topic = fields.optional_text("topic", LONGEST_TOPIC)?;
    if topic.is_empty() || !topic.chars().all(|c| c.is_ascii_alphanumeric() || ".-".contains(c)) {
        fields.refuse("topic", "value is not a valid bundle id", "value_error.topic", None);
    }
    Some(topic)
}

/// A device of the caller
#[derive(Serialize, ToSchema)]
#[schema(examples(json!({
    "id": "0199d0ac-3c9e-7a2e-8f3c-6f2d8a1f0b11", "provider": "WEB_PUSH", "host": "updates.push.services.mozilla.com",
    "registered_at": "2026-11-20T15:05:05.052839+00:00"
})))]
pub struct DeviceOut {
    pub id: Uuid,
    pub provider: Provider,
    /// The host of a browser's push service; null for apps
    pub host: Option<String>,
    /// The last time that it was registered
    pub registered_at: Timestamp,
}

impl From<Device> for DeviceOut {
    fn from(device: Device) -> Self {
        let endpoint = (device.provider == Provider::WebPush).then(|| device.address.parse::<Uri>().ok()).flatten();
        let host = endpoint.as_ref().and_then(Uri::host).map(str::to_owned);
        Self { id: device.id, provider: device.provider, host, registered_at: device.registered_at }
    }
}
