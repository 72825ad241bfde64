//! The providers that are configured: settings, and what is made of them. A part of a provider's settings is a mistake, with
//! which the service does not start.
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, ensure};
use axum::http::StatusCode;
use clap::ArgAction;
use jsonwebtoken::jwk::Jwk;
use oauth2::AuthType;
use reqwest::Url;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use tokio::sync::Mutex;

use super::addresses::AddressGuard;
use super::discovery::{Discovered, Endpoints};
use super::encryption::Keyring;
use super::http::{LONGEST_CALL, ProviderFault, ProviderHttp};
use crate::app::access_tokens::TokenSettings;
use crate::core::api::errors::Error;
use crate::core::ground::settings::Environment;

/// The longest name of a provider, in characters; it stands in paths.
const NAME: usize = 32;
/// The longest that a provider may be given for an answer, in milliseconds.
const MAX_TIMEOUT_MS: u64 = LONGEST_CALL.as_secs() * 1_000;
/// What stands for the issuer of a profile. It is stored with each link and never changes.
const GITHUB_ISSUER: &str = "https://github.com";
const SPOTIFY_ISSUER: &str = "https://accounts.spotify.com";
/// Where a profile says who the owner of a token is, unless the setting has another address.
const GITHUB_USER: &str = "https://api.github.com/user";
const SPOTIFY_USER: &str = "https://api.spotify.com/v1/me";

/// Settings of linked accounts.
#[derive(clap::Args, Clone, Debug)]
pub struct LinkedSettings {
    /// Providers of sign-ins as a JSON list; each has name, `client_id`, `client_secret`, and an issuer or a profile: GITHUB, SPOTIFY
    #[arg(long, env = "LINKED_PROVIDERS", hide_env_values = true)]
    pub linked_providers: Option<SecretString>,

    /// The page to which providers send browsers back, exactly as it is registered with them
    #[arg(long, env = "LINKED_REDIRECT_URL")]
    pub linked_redirect_url: Option<String>,

    /// What the tokens of providers are encrypted with, at least 32 bytes; `SECRET_KEY` where it is not given
    #[arg(long, env = "LINKED_ACCOUNTS_KEY", hide_env_values = true)]
    pub linked_accounts_key: Option<SecretString>,

    /// Secrets that decrypt besides, separated by commas: those of before, and the next one until all replicas know it
    #[arg(long, env = "PREVIOUS_LINKED_ACCOUNTS_KEYS", hide_env_values = true, value_delimiter = ',')]
    pub previous_linked_accounts_keys: Vec<SecretString>,

    /// How long a provider may take to answer, in milliseconds
    #[arg(long, env = "LINKED_TIMEOUT_MS", default_value_t = 5_000, value_parser = clap::value_parser!(u64).range(1..=MAX_TIMEOUT_MS))]
    pub linked_timeout_ms: u64,

    /// Whether addresses of providers may lead into private networks, for tests; production refuses it
    #[arg(long, env = "LINKED_ALLOW_PRIVATE", default_value_t = false, action = ArgAction::Set)]
    pub linked_allow_private: bool,
}

/// How a provider says who a person is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum ProviderProfile {
    /// By an id token (`OpenID` Connect); its endpoints are found by discovery.
    #[default]
    Oidc,
    /// By GitHub's REST API.
    GitHub,
    /// By Spotify's Web API, which does not say whether an address is verified.
    Spotify,
}

/// What a provider ends when one of the tokens is revoked that it has granted to this platform for a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum RevocationScope {
    /// That token, and what was granted by it: tokens that newer ones have replaced are revoked at once.
    Token,
    /// Perhaps all that the person has granted, the newest tokens as well: replaced ones are revoked when the link ends.
    Grant,
}

/// A provider as the setting has it. Each address of a profile can be another one, for tests and GitHub Enterprise.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ProviderSetting {
    name: String,
    title: Option<String>,
    #[serde(default)]
    profile: ProviderProfile,
    issuer: Option<String>,
    client_id: String,
    client_secret: Option<String>,
    scopes: Option<Vec<String>>,
    authorization_url: Option<String>,
    token_url: Option<String>,
    user_url: Option<String>,
    emails_url: Option<String>,
    revocation_url: Option<String>,
    revocation: Option<RevocationScope>,
    #[serde(default)]
    adopt_links: bool,
}

/// By what links are known that belong to a provider.
#[derive(Clone, Copy, Debug)]
pub struct ProviderKey<'a> {
    pub issuer: &'a str,
    /// By which links are known that the release before has made.
    pub name: &'a str,
}

/// A provider that is configured.
pub struct Provider {
    /// By which it stands in paths and rows.
    pub name: String,
    /// By which people know it.
    pub title: String,
    pub profile: ProviderProfile,
    /// The issuer of its id tokens, or what stands for it: its subjects are people of this issuer, whatever `name` is.
    pub issuer: String,
    pub revocation: RevocationScope,
    pub client_id: String,
    pub client_secret: Option<SecretString>,
    pub scopes: Vec<String>,
    /// Whether links are its own that were set aside under its name.
    pub adopts_links: bool,
    /// Its endpoints, where the profile knows them; others are discovered.
    pub endpoints: Option<Endpoints>,
    /// What its discovery document said last. The lock keeps two requests from asking for it at once.
    pub discovered: Mutex<Option<Discovered>>,
}

/// All that linked accounts work with.
pub struct Providers {
    pub all: Vec<Provider>,
    /// Where providers send browsers back.
    pub redirect_url: Url,
    pub keyring: Keyring,
    pub http: ProviderHttp,
}

impl Providers {
    /// The providers that the settings name; without any, the routes are there and know none.
    pub fn new(settings: &LinkedSettings, tokens: &TokenSettings, environment: Environment) -> anyhow::Result<Self> {
        let guard = AddressGuard { allow_private: settings.linked_allow_private };
        ensure!(
            !guard.allow_private || environment == Environment::Development,
            "LINKED_ALLOW_PRIVATE is for tests: in production no provider leads into a private network"
        );
        let listed =
            settings.linked_providers.as_ref().map(ExposeSecret::expose_secret).filter(|text| !text.is_empty());
        // The message of the parser would quote the text, which has secrets in it.
        let listed: Vec<ProviderSetting> = serde_json::from_str(listed.unwrap_or("[]")).map_err(|cause| {
            anyhow::anyhow!(
                "LINKED_PROVIDERS is no list of providers: line {}, column {}",
                cause.line(),
                cause.column()
            )
        })?;
        let redirect_url = settings.linked_redirect_url.as_deref().filter(|text| !text.is_empty());
        ensure!(listed.is_empty() || redirect_url.is_some(), "LINKED_PROVIDERS needs LINKED_REDIRECT_URL");
        let redirect_url: Url =
            redirect_url.unwrap_or("https://unset.invalid/").parse().context("LINKED_REDIRECT_URL is no URL")?;
        ensure!(redirect_url.fragment().is_none(), "LINKED_REDIRECT_URL must not have a fragment");
        ensure!(
            redirect_url.scheme() == "https" || environment == Environment::Development,
            "LINKED_REDIRECT_URL must be of scheme https in production"
        );
        let (mut names, mut issuers) = (HashSet::new(), HashSet::new());
        let mut all = Vec::new();
        for provider in listed {
            ensure!(names.insert(provider.name.clone()), "LINKED_PROVIDERS has {} twice", provider.name);
            let name = provider.name.clone();
            let provider = Provider::new(provider, guard).with_context(|| format!("LINKED_PROVIDERS: {name}"))?;
            // One person there would be two here, and tokens of one client would go to the other.
            ensure!(issuers.insert(provider.issuer.clone()), "LINKED_PROVIDERS has the issuer of {name} twice");
            all.push(provider);
        }
        let timeout = Duration::from_millis(settings.linked_timeout_ms);
        Ok(Self {
            all,
            redirect_url,
            keyring: keyring(settings, tokens, environment)?,
            http: ProviderHttp::new(guard, timeout)?,
        })
    }

    /// The provider to which a row belongs: that of its issuer, or, of a row without one, that of its name.
    pub fn find(&self, issuer: Option<&str>, name: &str) -> Option<&Provider> {
        self.all.iter().find(|provider| issuer.map_or(provider.name == name, |issuer| provider.issuer == issuer))
    }

    /// The provider that a request names.
    pub fn get(&self, name: &str) -> Result<&Provider, Error> {
        self.find(None, name).ok_or(Error::Refused(StatusCode::NOT_FOUND, "Provider not found"))
    }
}

fn keyring(settings: &LinkedSettings, tokens: &TokenSettings, environment: Environment) -> anyhow::Result<Keyring> {
    let own = settings.linked_accounts_key.as_ref().map(ExposeSecret::expose_secret).filter(|key| !key.is_empty());
    let previous = settings.previous_linked_accounts_keys.iter().map(ExposeSecret::expose_secret);
    let previous: Vec<&str> = previous.filter(|key| !key.is_empty()).collect();
    let named = own.map(|key| ("LINKED_ACCOUNTS_KEY", key));
    for (name, key) in named.into_iter().chain(previous.iter().map(|key| ("PREVIOUS_LINKED_ACCOUNTS_KEYS", *key))) {
        environment.check_secret(name, key)?;
    }
    // The first one encrypts: that of the access tokens where there is no key of its own, and never one that only decrypts, so that
    // every replica can know a key before one of them encrypts with it.
    Keyring::new(own.into_iter().chain(tokens.secrets().map(|(_, secret)| secret)).chain(previous))
}

impl Provider {
    fn new(setting: ProviderSetting, guard: AddressGuard) -> anyhow::Result<Self> {
        let is_name = |name: &str| name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
        ensure!(
            is_name(&setting.name) && (1..=NAME).contains(&setting.name.len()),
            "a name has 1 to {NAME} of a to z, 0 to 9 and -"
        );
        ensure!(!setting.client_id.is_empty(), "client_id must not be empty");
        let address = |given: &Option<String>, known: &str| guard.parse(given.as_deref().unwrap_or(known));
        // Another installation of the same software has people of its own.
        let issuer = |known: &str, api: &str| {
            setting.user_url.as_deref().filter(|given| *given != api).unwrap_or(known).to_owned()
        };
        let (title, scopes, endpoints, issuer, revocation) = match setting.profile {
            ProviderProfile::Oidc => {
                let issuer = setting.issuer.as_deref().context("an issuer or a profile is needed")?;
                guard.parse(issuer)?;
                ensure!(setting.client_secret.is_some(), "client_secret is needed");
                let scopes = &["openid", "email", "profile"][..];
                (setting.name.as_str(), scopes, None, issuer.to_owned(), RevocationScope::Grant)
            }
            ProviderProfile::GitHub => {
                let revocation = format!("https://api.github.com/applications/{}/token", setting.client_id);
                let endpoints = Endpoints {
                    authorization: address(&setting.authorization_url, "https://github.com/login/oauth/authorize")?,
                    token: address(&setting.token_url, "https://github.com/login/oauth/access_token")?,
                    user: Some(address(&setting.user_url, GITHUB_USER)?),
                    emails: Some(address(&setting.emails_url, "https://api.github.com/user/emails")?),
                    revocation: Some(address(&setting.revocation_url, &revocation)?),
                    ..Endpoints::of_profile(AuthType::RequestBody)?
                };
                let scopes = &["read:user", "user:email"][..];
                ("GitHub", scopes, Some(endpoints), issuer(GITHUB_ISSUER, GITHUB_USER), RevocationScope::Token)
            }
            ProviderProfile::Spotify => {
                let endpoints = Endpoints {
                    authorization: address(&setting.authorization_url, "https://accounts.spotify.com/authorize")?,
                    token: address(&setting.token_url, "https://accounts.spotify.com/api/token")?,
                    user: Some(address(&setting.user_url, SPOTIFY_USER)?),
                    ..Endpoints::of_profile(AuthType::BasicAuth)?
                };
                let scopes = &["user-read-email", "user-top-read"][..];
                ("Spotify", scopes, Some(endpoints), issuer(SPOTIFY_ISSUER, SPOTIFY_USER), RevocationScope::Token)
            }
        };
        ensure!(setting.issuer.is_none() || endpoints.is_none(), "a profile has no issuer");
        Ok(Self {
            title: setting.title.unwrap_or_else(|| title.to_owned()),
            scopes: setting.scopes.unwrap_or_else(|| scopes.iter().map(|scope| (*scope).to_owned()).collect()),
            name: setting.name,
            profile: setting.profile,
            issuer,
            revocation: setting.revocation.unwrap_or(revocation),
            adopts_links: setting.adopt_links,
            client_id: setting.client_id,
            client_secret: setting.client_secret.map(Into::into),
            endpoints,
            discovered: Mutex::default(),
        })
    }

    /// By what its links are known.
    pub fn key(&self) -> ProviderKey<'_> {
        ProviderKey { issuer: &self.issuer, name: &self.name }
    }

    /// Whether it says when its person has signed in there, so that a sign-in by it can be a fresh one.
    pub fn dates_sign_ins(&self) -> bool {
        self.profile == ProviderProfile::Oidc
    }

    /// Its endpoints and keys; for a profile there are no keys.
    pub async fn discover(&self, http: &ProviderHttp) -> Result<Discovered, ProviderFault> {
        if let Some(endpoints) = &self.endpoints {
            return Ok(Discovered::of_profile(endpoints.clone()));
        }
        let mut discovered = self.discovered.lock().await;
        if let Some(known) = discovered.as_ref().filter(|known| known.is_recent()) {
            return Ok(known.clone());
        }
        let fresh = Discovered::read(http, &self.issuer).await?;
        *discovered = Some(fresh.clone());
        Ok(fresh)
    }

    /// Its keys, read anew: a token names one that is not among those of before.
    pub async fn reload_keys(&self, http: &ProviderHttp, known: &Discovered) -> Result<Arc<Vec<Jwk>>, ProviderFault> {
        let mut discovered = self.discovered.lock().await;
        if let Some(newer) = discovered.as_ref().filter(|newer| !Arc::ptr_eq(&newer.keys, &known.keys)) {
            return Ok(newer.keys.clone());
        }
        let fresh = known.with_new_keys(http).await?;
        *discovered = Some(fresh.clone());
        Ok(fresh.keys)
    }
}
