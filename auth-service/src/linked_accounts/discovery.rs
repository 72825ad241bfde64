//! Where a provider's endpoints and keys are: known by its profile, or read from its discovery document (`OpenID` Connect
//! Discovery 1.0) and kept for an hour.
//!
//! The document must name the issuer that it was asked for, so that no provider speaks for another one. Keys are read again
//! when a token names one that is not among them: providers rotate theirs.
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use jsonwebtoken::Algorithm;
use jsonwebtoken::jwk::Jwk;
use oauth2::AuthType;
use reqwest::Url;
use serde::Deserialize;
use serde_json::Value;

use super::http::{ProviderFault, ProviderHttp};

/// How long a discovery document and its keys are kept.
const KEPT: Duration = Duration::from_hours(1);
/// The algorithms with which an id token may be signed: all with a public key. With a shared secret (HS256), every
/// holder of this client's secret could sign; without any (`none`), everyone.
const ALGORITHMS: [(&str, Algorithm); 9] = [
    ("RS256", Algorithm::RS256),
    ("RS384", Algorithm::RS384),
    ("RS512", Algorithm::RS512),
    ("PS256", Algorithm::PS256),
    ("PS384", Algorithm::PS384),
    ("PS512", Algorithm::PS512),
    ("ES256", Algorithm::ES256),
    ("ES384", Algorithm::ES384),
    ("EdDSA", Algorithm::EdDSA),
];

/// The endpoints of a provider.
#[derive(Clone)]
pub struct Endpoints {
    pub authorization: Url,
    pub token: Url,
    /// Who the owner of a token is.
    pub user: Option<Url>,
    /// Their addresses, where those are elsewhere.
    pub emails: Option<Url>,
    pub revocation: Option<Url>,
    pub keys: Option<Url>,
    /// The algorithms that its id tokens may have.
    pub algorithms: Vec<Algorithm>,
    /// Whether it names itself when it sends a browser back (RFC 9207).
    pub names_itself: bool,
    /// How this client authenticates.
    pub authentication: AuthType,
}

impl Endpoints {
    /// Those of a profile, whose addresses are still to be set.
    pub fn of_profile(authentication: AuthType) -> anyhow::Result<Self> {
        let unset: Url = "https://unset.invalid".parse().context("an address")?;
        Ok(Self {
            authorization: unset.clone(),
            token: unset,
            user: None,
            emails: None,
            revocation: None,
            keys: None,
            algorithms: Vec::new(),
            names_itself: false,
            authentication,
        })
    }
}

/// What a provider said about itself.
#[derive(Clone)]
pub struct Discovered {
    at: Instant,
    pub endpoints: Arc<Endpoints>,
    pub keys: Arc<Vec<Jwk>>,
}

/// What is read of a discovery document.
#[derive(Deserialize)]
struct DiscoveryDocument {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    jwks_uri: String,
    userinfo_endpoint: Option<String>,
    revocation_endpoint: Option<String>,
    #[serde(default)]
    id_token_signing_alg_values_supported: Vec<String>,
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
}

/// A key set whose keys of unknown kinds do no harm.
#[derive(Deserialize)]
struct KeySet {
    keys: Vec<Value>,
}

impl Discovered {
    /// What is known of a profile, which has no keys.
    pub fn of_profile(endpoints: Endpoints) -> Self {
        Self { at: Instant::now(), endpoints: Arc::new(endpoints), keys: Arc::default() }
    }

    /// What an issuer says about itself now.
    pub async fn read(http: &ProviderHttp, issuer: &str) -> Result<Self, ProviderFault> {
        read(http, issuer).await
    }

    /// The same with the keys of now.
    pub async fn with_new_keys(&self, http: &ProviderHttp) -> Result<Self, ProviderFault> {
        let keys = Arc::new(read_keys(http, self.endpoints.keys.as_ref()).await?);
        Ok(Self { keys, ..self.clone() })
    }

    /// Whether it need not be read again.
    pub fn is_recent(&self) -> bool {
        self.at.elapsed() < KEPT
    }
}

async fn read(http: &ProviderHttp, issuer: &str) -> Result<Discovered, ProviderFault> {
    let address = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
    let said: DiscoveryDocument = http.get(&http.guard.parse(&address)?, None).await?;
    if said.issuer != issuer {
        return Err(ProviderFault::Invalid("the discovery document is another issuer's".to_owned()));
    }
    let optional = |address: Option<String>| address.map(|address| http.guard.parse(&address)).transpose();
    // RS256 is the one that every provider has, and the rule where the document says nothing.
    let supported = |name: &str| said.id_token_signing_alg_values_supported.iter().any(|said| said == name);
    let algorithms: Vec<_> = ALGORITHMS.iter().filter(|(name, _)| supported(name)).map(|(_, one)| *one).collect();
    let basic = said.token_endpoint_auth_methods_supported.as_ref();
    let is_basic = basic.is_none_or(|methods| methods.iter().any(|method| method == "client_secret_basic"));
    let endpoints = Endpoints {
        authorization: http.guard.parse(&said.authorization_endpoint)?,
        token: http.guard.parse(&said.token_endpoint)?,
        user: optional(said.userinfo_endpoint)?,
        emails: None,
        revocation: optional(said.revocation_endpoint)?,
        keys: Some(http.guard.parse(&said.jwks_uri)?),
        algorithms: if algorithms.is_empty() { vec![Algorithm::RS256] } else { algorithms },
        names_itself: said.authorization_response_iss_parameter_supported,
        authentication: if is_basic { AuthType::BasicAuth } else { AuthType::RequestBody },
    };
    let keys = read_keys(http, endpoints.keys.as_ref()).await?;
    Ok(Discovered { at: Instant::now(), endpoints: Arc::new(endpoints), keys: Arc::new(keys) })
}

async fn read_keys(http: &ProviderHttp, address: Option<&Url>) -> Result<Vec<Jwk>, ProviderFault> {
    let Some(address) = address else { return Ok(Vec::new()) };
    let set: KeySet = http.get(address, None).await?;
    Ok(set.keys.into_iter().filter_map(|key| serde_json::from_value(key).ok()).collect())
}
