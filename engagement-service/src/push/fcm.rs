//! Firebase Cloud Messaging: messages to apps, by the HTTP v1 API
//! (<https://firebase.google.com/docs/reference/fcm/rest/v1/projects.messages>). The service authenticates with an access token
//! of Google's, which it gets for an assertion that is signed with the key of a service account (RFC 7523).
use std::time::Duration;

use anyhow::{Context, ensure};
use axum::http::{HeaderMap, StatusCode};
use chrono::Utc;
use futures::future::BoxFuture;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use p256::pkcs8::{PrivateKeyInfo, SecretDocument};
use serde::Deserialize;
use serde_json::{Value, json};

use super::tokens::TokenCache;
use super::web_push::topic;
use super::{Channel, Disposition, PushMessage, Receipt, Target, body_of};
use crate::devices::Provider;

/// What the access token is for.
const SCOPE: &str = "https://www.googleapis.com/auth/firebase.messaging";
/// A 401 that is about the credentials of Apple or of a browser's push service, which the project has stored at Google: the access
/// token was right.
const THIRD_PARTY: &str = "THIRD_PARTY_AUTH_ERROR";
/// For how long an assertion holds; it is used at once, and an hour is the most.
const ASSERTION_LIFETIME: Duration = Duration::from_mins(10);
/// How long before its end an access token is replaced, so that none ends on its way.
const MARGIN: Duration = Duration::from_mins(1);

/// The fields of a service account's file that are needed.
#[derive(Deserialize)]
struct ServiceAccount {
    project_id: String,
    client_email: String,
    private_key_id: String,
    /// PKCS #8 in PEM.
    private_key: String,
    token_uri: String,
}

/// The answer to an assertion.
#[derive(Deserialize)]
struct AccessToken {
    access_token: String,
    /// Seconds.
    expires_in: u64,
}

/// The channel to apps that use Firebase.
pub struct Fcm {
    http: reqwest::Client,
    account: ServiceAccount,
    key: EncodingKey,
    /// Where messages are sent.
    url: String,
    token: TokenCache,
}

impl Fcm {
    /// A channel for the project of a service account, whose file has that content.
    pub fn new(http: reqwest::Client, account: &str, base: &str) -> anyhow::Result<Self> {
        let account: ServiceAccount = serde_json::from_str(account).context("not the file of a service account")?;
        let (label, document) = SecretDocument::from_pem(&account.private_key)?;
        ensure!(label == "PRIVATE KEY", "its private_key is not PKCS #8");
        // A key of RSA is PKCS #1 within PKCS #8.
        let key: PrivateKeyInfo = document.decode_msg()?;
        let key = EncodingKey::from_rsa_der(key.private_key);
        let url = format!("{base}/v1/projects/{}/messages:send", account.project_id);
        let channel = Self { http, account, key, url, token: TokenCache::default() };
        channel.assertion().context("its private_key cannot sign")?;
        Ok(channel)
    }

    fn assertion(&self) -> anyhow::Result<String> {
        let now = Utc::now();
        let header = Header { kid: Some(self.account.private_key_id.clone()), ..Header::new(Algorithm::RS256) };
        let claims = json!({
            "iss": self.account.client_email,
            "scope": SCOPE,
            "aud": self.account.token_uri,
            "iat": now.timestamp(),
            "exp": (now + ASSERTION_LIFETIME).timestamp(),
        });
        Ok(jsonwebtoken::encode(&header, &claims, &self.key)?)
    }

    /// A new access token, and for how long it is used.
    async fn access_token(&self) -> anyhow::Result<(String, Duration)> {
        let form = [("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"), ("assertion", &self.assertion()?)];
        let answer = self.http.post(&self.account.token_uri).form(&form).send().await?;
        let (status, body) = (answer.status(), body_of(answer).await?);
        if !status.is_success() {
            let error: Value = serde_json::from_slice(&body).unwrap_or_default();
            anyhow::bail!("no access token: {status} {}", error["error"]);
        }
        let token: AccessToken = serde_json::from_slice(&body)?;
        Ok((token.access_token, Duration::from_secs(token.expires_in).saturating_sub(MARGIN)))
    }

    async fn post(&self, target: &Target, message: &PushMessage) -> Receipt {
        let token = match self.token.get(self.access_token()).await {
            Ok(token) => token,
            // Wrong credentials, too: until they are right, what waits is not lost.
            Err(reason) => return Receipt::unsent(Disposition::Later(None), reason),
        };
        let request = self.http.post(&self.url).bearer_auth(&token).json(&payload(&target.address, message));
        let answer = match request.send().await {
            Ok(answer) => answer,
            Err(error) => return Receipt::silence(error),
        };
        let (status, headers) = (answer.status(), answer.headers().clone());
        let body = match body_of(answer).await {
            Ok(body) => body,
            Err(_) if status.is_success() => Vec::new(),
            Err(error) => return Receipt::unsent(Disposition::Later(None), error.to_string()),
        };
        let body: Value = serde_json::from_slice(&body).unwrap_or_default();
        if status == StatusCode::UNAUTHORIZED && code(&body) != THIRD_PARTY {
            self.token.drop_refused(&token).await;
        }
        receipt(status, &headers, &body)
    }
}

impl Channel for Fcm {
    fn provider(&self) -> Provider {
        Provider::Fcm
    }

    fn send<'a>(&'a self, target: &'a Target, message: &'a PushMessage) -> BoxFuture<'a, Receipt> {
        Box::pin(self.post(target, message))
    }
}

fn payload(token: &str, message: &PushMessage) -> Value {
    let PushMessage { notification_id, title, body, url, collapse_key, ttl, .. } = message;
    let expires_at = (Utc::now() + *ttl).timestamp();
    json!({ "message": {
        "token": token,
        "notification": { "title": title, "body": body },
        // All values are texts.
        "data": { "url": url, "notification_id": notification_id },
        "android": {
            "collapse_key": topic(collapse_key),
            "ttl": format!("{}s", ttl.as_secs()),
            "notification": { "tag": collapse_key },
        },
        "apns": { "headers": {
            "apns-collapse-id": topic(collapse_key),
            "apns-expiration": expires_at.to_string(),
        } },
    } })
}

/// The code within an error, or else its status.
fn code(body: &Value) -> &str {
    let mut details = body["error"]["details"].as_array().into_iter().flatten();
    let code = details.find_map(|detail| detail["errorCode"].as_str());
    code.or_else(|| body["error"]["status"].as_str()).unwrap_or_default()
}

/// What an answer means: the status, and the code within the error
/// (<https://firebase.google.com/docs/reference/fcm/rest/v1/ErrorCode>).
fn receipt(status: StatusCode, headers: &HeaderMap, body: &Value) -> Receipt {
    let details = || body["error"]["details"].as_array().into_iter().flatten();
    let code = code(body);
    let is_about_the_token = || {
        let violations = details().filter_map(|detail| detail["fieldViolations"].as_array()).flatten();
        violations.into_iter().any(|violation| violation["field"] == "message.token")
    };
    let mut receipt = Receipt::of(status, headers, format!("FCM answered {status} {code}"));
    match code {
        "UNREGISTERED" => receipt.disposition = Disposition::Gone,
        "INVALID_ARGUMENT" if is_about_the_token() => receipt.disposition = Disposition::Gone,
        // Another 404 is a project that does not exist: no fault of the device.
        _ if status == StatusCode::NOT_FOUND => receipt.disposition = Disposition::Refused,
        _ if status == StatusCode::UNAUTHORIZED => receipt.disposition = Disposition::Later(None),
        _ => {}
    }
    receipt
}
