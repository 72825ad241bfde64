//! An identity provider on this machine, with its own keys, codes and tokens; each test can let it misbehave.
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post};
use axum::{Json, Router};
use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use chrono::Utc;
use jsonwebtoken::jwk::{AlgorithmParameters, Jwk};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use reqwest::Url;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio_util::task::TaskTracker;

use crate::app::access_tokens::key;

/// The client that it knows, and its secret.
pub const CLIENT: &str = "social network";
pub const SECRET: &str = "s3cret & more";
/// The one page to which it sends browsers back.
pub const REDIRECT: &str = "http://127.0.0.1:9/back?from=provider";

/// How an id token is signed.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Signing {
    /// With the published key.
    #[default]
    Published,
    /// With a key that is not published, under a name of its own.
    Unknown,
    /// With another key, under the name of the published one.
    Forged,
    /// By HMAC, with the published key as the secret.
    PublicKeyAsSecret,
    /// Not at all (`none`).
    None,
}

/// What an endpoint does instead of its work.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Trouble {
    /// It never answers.
    Silence,
    Status(u16),
    /// It has had too many requests, and wants to be left alone for 77 seconds.
    TooMany,
    /// It answers an error of OAuth with 200, as GitHub does.
    ErrorIn200,
    /// It sends the caller to itself.
    Redirect,
    /// It answers more than anyone reads.
    Flood,
    /// It answers a page.
    Html,
}

/// What the provider is and knows.
pub struct Mind {
    /// The claims of the person who signs in. A claim that is null is left out of the id token.
    pub claims: Value,
    pub signing: Signing,
    /// The issuer that the discovery document names, when it is not the provider.
    pub issuer: Option<String>,
    /// Whether it names itself when it sends a browser back, and says so.
    pub names_itself: bool,
    /// Whether it grants a refresh token; many do so with the first agreement alone.
    pub grants_refresh: bool,
    /// Whether a revocation ends all that was granted, and not the one token.
    pub revokes_all: bool,
    /// Since when its person is signed in, where it lets them go on though a client asks for a fresh sign-in; none: it does not.
    pub signed_in_since: Option<i64>,
    /// What goes wrong, by path.
    pub trouble: HashMap<&'static str, Trouble>,
    /// What the userinfo endpoint answers.
    pub user_info: Value,
    /// The secret of its key.
    pub key: &'static str,
    /// How long an access token is good, in seconds; 0: it does not say.
    pub lifetime: u64,
    /// Codes with their challenge, and what the id token has to say.
    codes: HashMap<String, (String, Option<Asked>)>,
    pub refresh_tokens: HashSet<String>,
    pub access_tokens: HashSet<String>,
    pub revoked: Vec<String>,
    pub refreshes: u32,
    pub key_reads: u32,
    issued: u32,
}

/// What an authorization request wants to find in the id token.
struct Asked {
    nonce: String,
    /// There where `max_age` was asked for.
    auth_time: Option<i64>,
}

/// A provider that runs.
#[derive(Clone)]
pub struct IdentityProvider {
    pub url: String,
    pub mind: Arc<Mutex<Mind>>,
}

impl IdentityProvider {
    /// A provider with a person who is signed in there.
    pub async fn start() -> Self {
        let mind = Arc::new(Mutex::new(Mind {
            claims: json!({
                "sub": "person-1", "email": "anna@example.com", "email_verified": true, "name": "Anna Berg",
                "preferred_username": "Anna_B",
            }),
            signing: Signing::Published,
            issuer: None,
            names_itself: false,
            grants_refresh: true,
            revokes_all: false,
            signed_in_since: None,
            trouble: HashMap::new(),
            user_info: json!({ "sub": "person-1" }),
            key: "a first key of the provider",
            lifetime: 3600,
            codes: HashMap::new(),
            refresh_tokens: HashSet::new(),
            access_tokens: HashSet::new(),
            revoked: Vec::new(),
            refreshes: 0,
            key_reads: 0,
            issued: 0,
        }));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let provider = Self { url, mind };
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(discovery))
            .route("/keys", get(keys))
            .route("/token", post(token))
            .route("/userinfo", get(user_info))
            .route("/revoke", post(revoke))
            .route("/github/user", get(github_user))
            .route("/github/emails", get(github_emails))
            .route("/github/token/{client}", delete(github_revoke))
            .route("/spotify/me", get(spotify_user))
            .with_state(provider.clone());
        TaskTracker::new().spawn(async { axum::serve(listener, router).await });
        provider
    }

    /// Changes what it is.
    pub fn set(&self, change: impl FnOnce(&mut Mind)) {
        change(&mut self.mind.lock().unwrap());
    }

    /// The person signs in and agrees: the parameters with which the browser is sent back.
    pub fn agree(&self, authorization_url: &str) -> HashMap<String, String> {
        let url: Url = authorization_url.parse().unwrap();
        let asked: HashMap<String, String> = url.query_pairs().into_owned().collect();
        assert_eq!(asked["response_type"], "code");
        assert_eq!(asked["client_id"], CLIENT);
        assert_eq!(asked["redirect_uri"], REDIRECT);
        assert_eq!(asked["code_challenge_method"], "S256");
        let mut mind = self.mind.lock().unwrap();
        mind.issued += 1;
        let code = format!("code-{}", mind.issued);
        let wants_fresh = asked.get("max_age").is_some_and(|age| age == "0");
        assert_eq!(asked.get("prompt").is_some_and(|prompt| prompt == "login"), wants_fresh);
        let auth_time = wants_fresh.then(|| mind.signed_in_since.unwrap_or_else(|| Utc::now().timestamp()));
        let claims = asked.get("nonce").map(|nonce| Asked { nonce: nonce.clone(), auth_time });
        mind.codes.insert(code.clone(), (asked["code_challenge"].clone(), claims));
        let mut back = HashMap::from([("code".to_owned(), code), ("state".to_owned(), asked["state"].clone())]);
        if mind.names_itself {
            back.insert("iss".to_owned(), self.url.clone());
        }
        back
    }

    fn trouble(&self, path: &str) -> Option<Trouble> {
        self.mind.lock().unwrap().trouble.get(path).copied()
    }
}

impl Mind {
    /// New tokens, with an id token where the sign-in was by `OpenID` Connect.
    fn issue(&mut self, url: &str, asked: Option<&Asked>) -> Value {
        self.issued += 1;
        let (access, refresh) = (format!("access-{}", self.issued), format!("refresh-{}", self.issued));
        self.access_tokens.insert(access.clone());
        let mut answer = json!({ "access_token": access, "token_type": "Bearer" });
        if self.grants_refresh {
            answer["refresh_token"] = json!(refresh);
            self.refresh_tokens.insert(refresh);
        }
        if self.lifetime > 0 {
            answer["expires_in"] = json!(self.lifetime);
        }
        if let Some(asked) = asked {
            answer["id_token"] = json!(self.id_token(url, asked));
        }
        answer
    }

    /// Lets an endpoint be in trouble.
    pub fn fail(&mut self, endpoint: &'static str, trouble: Trouble) {
        self.trouble.insert(endpoint, trouble);
    }

    /// Does not accept any refresh token of before.
    pub fn forget_grants(&mut self) {
        self.refresh_tokens.clear();
    }

    fn id_token(&self, url: &str, asked: &Asked) -> String {
        let now = Utc::now().timestamp();
        let mut claims = json!({
            "iss": url, "aud": CLIENT, "iat": now, "exp": now + 300, "nonce": asked.nonce, "auth_time": asked.auth_time,
        });
        for (name, value) in self.claims.as_object().unwrap() {
            claims[name] = value.clone();
        }
        claims.as_object_mut().unwrap().retain(|_, value| !value.is_null());
        let (signing, jwk) = key(self.key).unwrap();
        let mut header = Header::new(Algorithm::EdDSA);
        header.kid.clone_from(&jwk.common.key_id);
        match self.signing {
            Signing::Published => jsonwebtoken::encode(&header, &claims, &signing).unwrap(),
            Signing::Forged => jsonwebtoken::encode(&header, &claims, &key("a thief's key").unwrap().0).unwrap(),
            Signing::Unknown => {
                let (other, other_jwk) = key("a key that is nowhere").unwrap();
                header.kid = other_jwk.common.key_id;
                jsonwebtoken::encode(&header, &claims, &other).unwrap()
            }
            Signing::PublicKeyAsSecret => {
                let header = Header { kid: header.kid, ..Header::new(Algorithm::HS256) };
                jsonwebtoken::encode(&header, &claims, &EncodingKey::from_secret(&public_bytes(&jwk))).unwrap()
            }
            Signing::None => {
                let part = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
                format!("{}.{}.", part(&json!({ "alg": "none", "kid": header.kid })), part(&claims))
            }
        }
    }
}

fn public_bytes(jwk: &Jwk) -> Vec<u8> {
    let AlgorithmParameters::OctetKeyPair(parameters) = &jwk.algorithm else { panic!("{jwk:?}") };
    BASE64_URL_SAFE_NO_PAD.decode(&parameters.x).unwrap()
}

/// What an endpoint answers in its trouble.
async fn fail(trouble: Trouble) -> Response {
    match trouble {
        Trouble::Silence => std::future::pending().await,
        Trouble::Status(status) => {
            (StatusCode::from_u16(status).unwrap(), Json(json!({ "error": "server_error" }))).into_response()
        }
        Trouble::TooMany => (StatusCode::TOO_MANY_REQUESTS, [(header::RETRY_AFTER, "77")]).into_response(),
        Trouble::ErrorIn200 => Json(json!({ "error": "bad_verification_code" })).into_response(),
        Trouble::Redirect => (StatusCode::FOUND, [(header::LOCATION, "token")]).into_response(),
        Trouble::Flood => {
            let body = Body::from(vec![b' '; 3 * 1024 * 1024]);
            ([(header::CONTENT_TYPE, "application/json")], body).into_response()
        }
        Trouble::Html => ([(header::CONTENT_TYPE, "text/html")], "<p>Welcome</p>").into_response(),
    }
}

async fn discovery(State(provider): State<IdentityProvider>) -> Response {
    if let Some(trouble) = provider.trouble("discovery") {
        return fail(trouble).await;
    }
    let (url, mind) = (&provider.url, provider.mind.lock().unwrap());
    Json(json!({
        "issuer": mind.issuer.as_ref().unwrap_or(url),
        "authorization_endpoint": format!("{url}/authorize"),
        "token_endpoint": format!("{url}/token"),
        "jwks_uri": format!("{url}/keys"),
        "userinfo_endpoint": format!("{url}/userinfo"),
        "revocation_endpoint": format!("{url}/revoke"),
        "id_token_signing_alg_values_supported": ["EdDSA", "HS256", "none"],
        "authorization_response_iss_parameter_supported": mind.names_itself,
    }))
    .into_response()
}

async fn keys(State(provider): State<IdentityProvider>) -> Response {
    let mut mind = provider.mind.lock().unwrap();
    mind.key_reads += 1;
    let jwk = serde_json::to_value(key(mind.key).unwrap().1).unwrap();
    // A key of a kind that does not exist yet does not make the others useless.
    let answer = Json(json!({ "keys": [{ "kty": "FUTURE", "kid": "x" }, jwk] }));
    ([(header::CONTENT_TYPE, HeaderValue::from_static("application/jwk-set+json"))], answer.0.to_string())
        .into_response()
}

/// Whether a request comes from the client that the provider knows.
fn authenticates(headers: &HeaderMap, form: &HashMap<String, String>) -> bool {
    let encoded: String = serde_urlencoded::to_string([("x", SECRET)]).unwrap()[2..].to_owned();
    let client: String = serde_urlencoded::to_string([("x", CLIENT)]).unwrap()[2..].to_owned();
    let basic = [format!("{client}:{encoded}"), format!("{CLIENT}:{SECRET}")];
    let basic = basic.map(|pair| format!("Basic {}", BASE64_STANDARD.encode(pair)));
    let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let by_form = form.get("client_id").is_some_and(|id| id == CLIENT)
        && form.get("client_secret").is_some_and(|given| given == SECRET);
    by_form || given.is_some_and(|given| basic.iter().any(|known| known == given))
}

async fn token(State(provider): State<IdentityProvider>, headers: HeaderMap, body: Bytes) -> Response {
    if let Some(trouble) = provider.trouble("token") {
        return fail(trouble).await;
    }
    let form: HashMap<String, String> = serde_urlencoded::from_bytes(&body).unwrap();
    let error = |status: u16, word: &str| {
        (StatusCode::from_u16(status).unwrap(), Json(json!({ "error": word }))).into_response()
    };
    if !authenticates(&headers, &form) {
        return error(401, "invalid_client");
    }
    let mut mind = provider.mind.lock().unwrap();
    if form["grant_type"] == "refresh_token" {
        mind.refreshes += 1;
        let is_good = mind.refresh_tokens.remove(&form["refresh_token"]);
        return if is_good {
            Json(mind.issue(&provider.url, None)).into_response()
        } else {
            error(400, "invalid_grant")
        };
    }
    let Some((challenge, asked)) = mind.codes.remove(&form["code"]) else { return error(400, "invalid_grant") };
    let verified = BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(&form["code_verifier"]));
    if verified != challenge || form["redirect_uri"] != REDIRECT {
        return error(400, "invalid_grant");
    }
    Json(mind.issue(&provider.url, asked.as_ref())).into_response()
}

/// Whether a request has an access token that is good.
fn is_granted(provider: &IdentityProvider, headers: &HeaderMap) -> bool {
    let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    provider.mind.lock().unwrap().access_tokens.contains(given.trim_start_matches("Bearer "))
}

async fn user_info(State(provider): State<IdentityProvider>, headers: HeaderMap) -> Response {
    if !is_granted(&provider, &headers) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    Json(provider.mind.lock().unwrap().user_info.clone()).into_response()
}

async fn revoke(State(provider): State<IdentityProvider>, headers: HeaderMap, body: Bytes) -> Response {
    if let Some(trouble) = provider.trouble("revoke") {
        return fail(trouble).await;
    }
    let form: HashMap<String, String> = serde_urlencoded::from_bytes(&body).unwrap();
    if !authenticates(&headers, &form) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let mut mind = provider.mind.lock().unwrap();
    mind.refresh_tokens.remove(&form["token"]);
    if mind.revokes_all {
        mind.forget_grants();
    }
    mind.revoked.push(form["token"].clone());
    StatusCode::OK.into_response()
}

async fn github_user(State(provider): State<IdentityProvider>, headers: HeaderMap) -> Response {
    assert!(headers.contains_key(header::USER_AGENT), "GitHub refuses who has no name");
    if !is_granted(&provider, &headers) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    Json(json!({ "id": 583_231, "login": "octocat", "name": "Mona Octocat", "email": null })).into_response()
}

async fn github_emails(State(provider): State<IdentityProvider>, headers: HeaderMap) -> Response {
    if !is_granted(&provider, &headers) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    Json(json!([
        { "email": "old@example.com", "primary": false, "verified": true, "visibility": null },
        { "email": "mona@example.com", "primary": true, "verified": true, "visibility": "private" },
    ]))
    .into_response()
}

async fn github_revoke(State(provider): State<IdentityProvider>, headers: HeaderMap, body: Bytes) -> Response {
    if !authenticates(&headers, &HashMap::new()) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let body: Value = serde_json::from_slice(&body).unwrap();
    provider.mind.lock().unwrap().revoked.push(body["access_token"].as_str().unwrap().to_owned());
    StatusCode::NO_CONTENT.into_response()
}

async fn spotify_user(State(provider): State<IdentityProvider>, headers: HeaderMap) -> Response {
    if !is_granted(&provider, &headers) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    Json(json!({ "id": "wizzler", "display_name": "Wizzler", "email": "anna@example.com" })).into_response()
}
