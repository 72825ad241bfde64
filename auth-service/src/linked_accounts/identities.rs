//! Who a person is at a provider: by its id token, or by its API.
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::discovery::Discovered;
use super::grants::Grant;
use super::http::{ProviderFault, ProviderHttp};
use super::id_tokens::{IdTokenClaims, IdTokenFault, IdTokenRules, verify};
use super::providers::{Provider, ProviderProfile};
use crate::core::contract::fields::{Fields, Input};
use crate::names::schemas::name;
use crate::users::address::EmailAddress;
use crate::users::schemas::NAME;

/// The longest subject that is kept, in characters (`OpenID` Connect Core, section 2).
const SUBJECT: usize = 255;
/// The longest address of an account, in characters, as at a sign-up.
const EMAIL: usize = 50;

/// A person as a provider knows them.
#[derive(Clone, Debug, PartialEq)]
pub struct ExternalIdentity {
    /// What stays the same of them.
    pub subject: String,
    pub name: Option<String>,
    /// What they are called there, from which a username is made.
    pub handle: Option<String>,
    pub email: Option<EmailAddress>,
    /// Whether the provider says that they read the mails of that address.
    pub email_is_verified: bool,
    /// When they signed in there, which may be long ago; none where the provider does not say.
    pub authenticated_at: Option<DateTime<Utc>>,
}

/// What a provider says of a person, in whatever document.
#[derive(Default)]
struct StatedIdentity {
    subject: String,
    name: Option<String>,
    handle: Option<String>,
    email: Option<String>,
    email_is_verified: bool,
    authenticated_at: Option<DateTime<Utc>>,
}

/// GitHub's user.
#[derive(Deserialize)]
struct GitHubUser {
    id: u64,
    login: String,
    name: Option<String>,
}

/// One of the addresses of a user of GitHub.
#[derive(Deserialize)]
struct GitHubAddress {
    email: String,
    primary: bool,
    verified: bool,
}

/// Spotify's user.
#[derive(Deserialize)]
struct SpotifyUser {
    id: String,
    display_name: Option<String>,
    email: Option<String>,
}

/// The answer of a userinfo endpoint.
#[derive(Deserialize)]
struct UserInfo {
    sub: String,
    email: Option<String>,
    email_verified: Option<Value>,
    name: Option<String>,
    preferred_username: Option<String>,
}

/// A name that may be shown here; none when it may not.
struct AcceptedName(Option<String>);

impl Input for AcceptedName {
    fn read(fields: &mut Fields) -> Self {
        Self(name(fields, "name", NAME))
    }
}

/// A name of a person elsewhere, as far as it may be a name here.
pub fn accept_name(text: &str) -> Option<String> {
    let values = Map::from_iter([("name".to_owned(), json!(text.trim()))]);
    Fields::read::<AcceptedName>(values).ok()?.0
}

impl Provider {
    /// Who has signed in at the provider.
    pub async fn identify(
        &self,
        http: &ProviderHttp,
        discovered: &Discovered,
        grant: &Grant,
        nonce: &str,
        now: DateTime<Utc>,
    ) -> Result<ExternalIdentity, ProviderFault> {
        let said = match self.profile {
            ProviderProfile::Oidc => self.identify_by_id_token(http, discovered, grant, nonce, now).await?,
            ProviderProfile::GitHub => identify_at_github(http, discovered, grant).await?,
            ProviderProfile::Spotify => identify_at_spotify(http, discovered, grant).await?,
        };
        if said.subject.is_empty() || said.subject.chars().count() > SUBJECT || said.subject.contains('\0') {
            return Err(ProviderFault::Invalid("the subject is missing or too long".to_owned()));
        }
        let email = said.email.filter(|email| email.chars().count() <= EMAIL);
        Ok(ExternalIdentity {
            subject: said.subject,
            name: said.name.as_deref().and_then(accept_name),
            handle: said.handle,
            email: email.and_then(|email| EmailAddress::parse(&email).ok()),
            email_is_verified: said.email_is_verified,
            authenticated_at: said.authenticated_at,
        })
    }

    async fn identify_by_id_token(
        &self,
        http: &ProviderHttp,
        discovered: &Discovered,
        grant: &Grant,
        nonce: &str,
        now: DateTime<Utc>,
    ) -> Result<StatedIdentity, ProviderFault> {
        let invalid = |cause: IdTokenFault| ProviderFault::Invalid(cause.to_string());
        let token = grant.id_token.as_deref();
        let token = token.ok_or_else(|| ProviderFault::Invalid("there is no id token".to_owned()))?;
        let rules = IdTokenRules {
            issuer: &self.issuer,
            client_id: &self.client_id,
            algorithms: &discovered.endpoints.algorithms,
            nonce,
        };
        let claims = match verify(token, &discovered.keys, &rules, now) {
            Err(IdTokenFault::UnknownKey) => {
                let keys = self.reload_keys(http, discovered).await?;
                verify(token, &keys, &rules, now).map_err(invalid)?
            }
            verified => verified.map_err(invalid)?,
        };
        let Some(address) = discovered.endpoints.user.as_ref().filter(|_| claims.email.is_none()) else {
            return Ok(claims.into());
        };
        let info: UserInfo = http.get(address, Some(&grant.tokens.access)).await?;
        if info.sub != claims.sub {
            return Err(ProviderFault::Invalid("the user information is about another subject".to_owned()));
        }
        Ok(StatedIdentity {
            authenticated_at: claims.authenticated_at(),
            subject: info.sub,
            name: claims.name.or(info.name),
            handle: claims.preferred_username.or(info.preferred_username),
            email: info.email,
            email_is_verified: is_true(info.email_verified.as_ref()),
        })
    }
}

impl From<IdTokenClaims> for StatedIdentity {
    fn from(claims: IdTokenClaims) -> Self {
        Self {
            authenticated_at: claims.authenticated_at(),
            subject: claims.sub,
            name: claims.name,
            handle: claims.preferred_username,
            email: claims.email,
            email_is_verified: is_true(claims.email_verified.as_ref()),
        }
    }
}

/// Whether a claim is true; some providers write the word.
fn is_true(claim: Option<&Value>) -> bool {
    claim.is_some_and(|claim| claim == &json!(true) || claim == &json!("true"))
}

async fn identify_at_github(
    http: &ProviderHttp,
    discovered: &Discovered,
    grant: &Grant,
) -> Result<StatedIdentity, ProviderFault> {
    let (Some(user), Some(emails)) = (&discovered.endpoints.user, &discovered.endpoints.emails) else {
        return Err(ProviderFault::Away("no endpoint of the user".to_owned()));
    };
    let token = Some(grant.tokens.access.as_str());
    let user: GitHubUser = http.get(user, token).await?;
    // Without the scope for it, there is no address, and the sign-in needs none where the account is linked already.
    let addresses: Vec<GitHubAddress> = match http.get(emails, token).await {
        Err(ProviderFault::Refused(_)) => Vec::new(),
        addresses => addresses?,
    };
    let primary = addresses.into_iter().find(|address| address.primary);
    Ok(StatedIdentity {
        subject: user.id.to_string(),
        name: user.name,
        handle: Some(user.login),
        email_is_verified: primary.as_ref().is_some_and(|address| address.verified),
        email: primary.map(|address| address.email),
        authenticated_at: None,
    })
}

async fn identify_at_spotify(
    http: &ProviderHttp,
    discovered: &Discovered,
    grant: &Grant,
) -> Result<StatedIdentity, ProviderFault> {
    let user = discovered.endpoints.user.as_ref();
    let user = user.ok_or_else(|| ProviderFault::Away("no endpoint of the user".to_owned()))?;
    let user: SpotifyUser = http.get(user, Some(&grant.tokens.access)).await?;
    // Spotify does not verify addresses, and says so.
    Ok(StatedIdentity {
        subject: user.id,
        handle: user.display_name.clone(),
        name: user.display_name,
        email: user.email,
        email_is_verified: false,
        authenticated_at: None,
    })
}
