//! Linked accounts in the API.
use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::request::Parts;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::models::LinkedAccount;
use super::providers::Provider;
use crate::app::App;
use crate::core::api::errors::Error;
use crate::core::app::identity::User;
use crate::core::contract::extract::Query;
use crate::core::contract::fields::{Fields, Input, invalid};
use crate::core::contract::timestamp::Timestamp;
use crate::core::doors::callers::EvenMuted;

/// The longest state that is looked up, in characters; ours have 43.
const STATE: usize = 128;
/// The longest code and issuer, in characters; those of known providers have less than 1,000.
const CODE: usize = 2048;
/// The longest word for an error, in characters.
const ERROR: usize = 255;

/// A provider by which people can sign in
#[derive(Serialize, ToSchema)]
pub struct ProviderOut {
    /// For the paths of the API
    #[schema(examples("github"))]
    pub name: String,
    /// For a button
    #[schema(examples("GitHub"))]
    pub title: String,
    /// Whether a sign-in by it can be a fresh one, as linking and unlinking need it
    #[schema(examples(false))]
    pub fresh: bool,
}

impl From<&Provider> for ProviderOut {
    fn from(provider: &Provider) -> Self {
        let (name, title) = (provider.name.clone(), provider.title.clone());
        Self { name, title, fresh: provider.dates_sign_ins() }
    }
}

/// Whether a sign-in is to be a fresh one at the provider: the parameter `fresh`.
pub fn is_fresh(mut query: Query) -> Result<bool, Error> {
    let is_fresh = match query.get("fresh") {
        Some("true") => true,
        None | Some("false") => false,
        Some(_) => {
            let refusal = "value could not be parsed to a boolean";
            query.errors.push(invalid(&["query", "fresh"], refusal, "type_error.bool", None));
            false
        }
    };
    query.check()?;
    Ok(is_fresh)
}

/// Where the browser is to go
#[derive(Serialize, ToSchema)]
pub struct AuthorizationOut {
    /// The page of the provider; it sends the browser back to the web client's page, with `code` and `state`
    #[schema(examples("https://github.com/login/oauth/authorize?response_type=code&client_id=x&state=y"))]
    pub authorization_url: String,
    /// For how many seconds the sign-in may be finished there
    #[schema(examples(600))]
    pub expires_in: i64,
}

/// What the provider has sent the browser back with: a code, or an error
#[derive(ToSchema)]
#[schema(examples(json!({ "state": "JxVQ2mS0oT4nYb8cLr5WdZ1hKe7uGf3aPi9vNq6tXyM", "code": "from-the-provider" })))]
pub struct CallbackIn {
    #[schema(max_length = 128)]
    pub state: String,
    #[schema(max_length = 2048, nullable)]
    pub code: Option<String>,
    /// The issuer, where the provider names itself (RFC 9207)
    #[schema(max_length = 2048, nullable)]
    pub iss: Option<String>,
    /// As `access_denied`, when the person has changed their mind
    #[schema(max_length = 255, nullable)]
    pub error: Option<String>,
}

impl Input for CallbackIn {
    // Providers add parameters of their own, and a page hands on what it got.
    const CLOSED: bool = false;

    fn read(fields: &mut Fields) -> Self {
        Self {
            state: fields.text("state", STATE),
            code: fields.optional_text("code", CODE),
            iss: fields.optional_text("iss", CODE),
            error: fields.optional_text("error", ERROR),
        }
    }
}

/// An account elsewhere that is linked to the caller's
#[derive(Serialize, ToSchema)]
pub struct LinkedAccountOut {
    pub id: Uuid,
    #[schema(examples("github"))]
    pub provider: String,
    /// What the provider calls the person
    pub name: Option<String>,
    /// The address that the provider has of them; it is no address of the account here
    pub email: Option<String>,
    pub linked_at: Timestamp,
    /// The last sign-in by it
    pub last_used_at: Option<Timestamp>,
    /// What the provider lets this platform do
    pub scopes: Vec<String>,
    /// Whether the provider still accepts the link; if not, a sign-in by it renews it
    pub active: bool,
}

impl LinkedAccountOut {
    /// A link to a provider, which has the name of today's settings if it is configured.
    pub fn new(linked: LinkedAccount, provider: Option<&Provider>) -> Self {
        Self {
            id: linked.id,
            provider: provider.map_or(linked.provider, |provider| provider.name.clone()),
            name: linked.name,
            email: linked.email,
            linked_at: linked.linked_at,
            last_used_at: linked.last_used_at,
            scopes: linked.scopes.split_whitespace().map(str::to_owned).collect(),
            active: linked.refused_at.is_none(),
        }
    }
}

/// A fresh access token of a provider, for another service of the platform.
#[derive(Serialize)]
pub struct BrokeredToken {
    pub access_token: String,
    pub token_type: &'static str,
    /// None: the provider does not say.
    pub expires_at: Option<Timestamp>,
    pub scopes: Vec<String>,
    /// Who the person is at the provider.
    pub subject: String,
}

/// The caller, when the request has a valid token.
pub struct OptionalCaller(pub Option<User>);

impl FromRequestParts<App> for OptionalCaller {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Error> {
        match EvenMuted::from_request_parts(parts, app).await {
            Ok(EvenMuted(user)) => Ok(Self(Some(user))),
            // A token that is none is as good as none: who signs in may have an old one.
            Err(Error::Refused(..) | Error::Challenged(..)) => Ok(Self(None)),
            Err(error) => Err(error),
        }
    }
}

/// The provider that a path names; what cannot be read is the name of none.
pub struct ProviderName(pub String);

impl FromRequestParts<App> for ProviderName {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Error> {
        let path = axum::extract::Path::<String>::from_request_parts(parts, app).await;
        path.map(|path| Self(path.0)).map_err(|_| Error::Refused(StatusCode::NOT_FOUND, "Provider not found"))
    }
}
