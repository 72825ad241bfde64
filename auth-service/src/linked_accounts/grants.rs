//! What is asked of a provider by OAuth 2.0: a sign-in with PKCE (RFC 7636), the exchange of its code, a refresh, and a
//! revocation (RFC 7009; GitHub has a route of its own).
use std::time::Duration;

use futures::FutureExt;
use oauth2::basic::{
    BasicErrorResponse, BasicRevocationErrorResponse, BasicTokenIntrospectionResponse, BasicTokenType,
};
use oauth2::url::form_urlencoded::byte_serialize;
use oauth2::{
    AuthType, AuthUrl, AuthorizationCode, Client, ClientId, ClientSecret, CsrfToken, EndpointNotSet, EndpointSet,
    ExtraTokenFields, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, RefreshToken, RequestTokenError, Scope,
    StandardRevocableToken, StandardTokenResponse, TokenResponse, TokenUrl,
};
use reqwest::{Method, RequestBuilder, Url};
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::discovery::Endpoints;
use super::http::{ProviderFault, ProviderHttp};
use super::providers::{Provider, ProviderProfile};

/// What a token endpoint answers beside what OAuth has.
#[derive(Debug, Deserialize, Serialize)]
struct IdTokenField {
    id_token: Option<String>,
}

impl ExtraTokenFields for IdTokenField {}

type TokenAnswer = StandardTokenResponse<IdTokenField, BasicTokenType>;
type OAuthClient = Client<
    BasicErrorResponse,
    TokenAnswer,
    BasicTokenIntrospectionResponse,
    StandardRevocableToken,
    BasicRevocationErrorResponse,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointSet,
>;

/// The tokens of a provider, as they are encrypted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProviderTokens {
    pub access: String,
    pub refresh: Option<String>,
    /// Refresh tokens that newer ones have replaced, the oldest first, and that are revoked when the link ends.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub replaced: Vec<String>,
}

impl ProviderTokens {
    /// The tokens that a provider has to revoke, so that nothing of what it has granted is left, each with its kind. With a refresh
    /// token its access tokens end, too.
    fn to_revoke(&self, profile: ProviderProfile) -> Vec<(&str, &'static str)> {
        let access = (self.access.as_str(), "access_token");
        // GitHub takes access tokens alone, and ends the refresh token with one.
        if profile == ProviderProfile::GitHub {
            return vec![access];
        }
        let refresh = self.replaced.iter().chain(&self.refresh).map(|token| (token.as_str(), "refresh_token"));
        refresh.chain(self.refresh.is_none().then_some(access)).collect()
    }
}

/// What a provider has granted.
pub struct Grant {
    pub tokens: ProviderTokens,
    /// How long the access token is good; none: it does not say.
    pub expires_in: Option<Duration>,
    /// Separated by blanks.
    pub scopes: String,
    pub id_token: Option<String>,
}

/// Where a browser is sent to, and what proves afterwards that it was this service which sent it.
pub struct AuthorizationRequest {
    pub url: Url,
    /// The secret of PKCE.
    pub verifier: String,
}

impl Provider {
    fn client(&self, endpoints: &Endpoints, redirect_url: &Url) -> OAuthClient {
        let client = Client::new(ClientId::new(self.client_id.clone()))
            .set_auth_uri(AuthUrl::from_url(endpoints.authorization.clone()))
            .set_token_uri(TokenUrl::from_url(endpoints.token.clone()))
            .set_redirect_uri(RedirectUrl::from_url(redirect_url.clone()))
            .set_auth_type(endpoints.authentication.clone());
        match &self.client_secret {
            Some(secret) => client.set_client_secret(ClientSecret::new(secret.expose_secret().to_owned())),
            None => client,
        }
    }

    /// A request for a sign-in, to be sent by the browser. `is_fresh`: the provider is to have its person sign in, even if they are
    /// signed in there, and to say when that was (`OpenID` Connect Core 1.0, section 3.1.2.1).
    pub fn authorize(
        &self,
        endpoints: &Endpoints,
        redirect_url: &Url,
        (state, nonce): (&str, &str),
        is_fresh: bool,
    ) -> AuthorizationRequest {
        let client = self.client(endpoints, redirect_url);
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let state = state.to_owned();
        let scopes = self.scopes.iter().cloned().map(Scope::new);
        let mut request =
            client.authorize_url(move || CsrfToken::new(state)).add_scopes(scopes).set_pkce_challenge(challenge);
        if self.profile == ProviderProfile::Oidc {
            request = request.add_extra_param("nonce", nonce);
            if is_fresh {
                request = request.add_extra_param("prompt", "login").add_extra_param("max_age", "0");
            }
        }
        AuthorizationRequest { url: request.url().0, verifier: verifier.secret().clone() }
    }

    /// What is granted for a code, which a provider accepts once.
    pub async fn exchange(
        &self,
        http: &ProviderHttp,
        endpoints: &Endpoints,
        redirect_url: &Url,
        code: String,
        verifier: String,
    ) -> Result<Grant, ProviderFault> {
        let client = self.client(endpoints, redirect_url);
        let request = client.exchange_code(AuthorizationCode::new(code));
        let request = request.set_pkce_verifier(PkceCodeVerifier::new(verifier));
        let answer = request.request_async(http).boxed().await.map_err(fault)?;
        Ok(self.grant(&answer, None))
    }

    /// What is granted for a refresh token. Where the answer has no new one, the old one stays.
    pub async fn refresh(
        &self,
        http: &ProviderHttp,
        endpoints: &Endpoints,
        redirect_url: &Url,
        refresh_token: String,
    ) -> Result<Grant, ProviderFault> {
        let client = self.client(endpoints, redirect_url);
        let token = RefreshToken::new(refresh_token.clone());
        let answer = client.exchange_refresh_token(&token).request_async(http).boxed().await.map_err(fault)?;
        Ok(self.grant(&answer, Some(refresh_token)))
    }

    fn grant(&self, answer: &TokenAnswer, refresh_token: Option<String>) -> Grant {
        let scopes = answer.scopes().map(|scopes| scopes.iter().map(|scope| scope.to_string()).collect::<Vec<_>>());
        Grant {
            tokens: ProviderTokens {
                access: answer.access_token().secret().clone(),
                refresh: answer.refresh_token().map(|token| token.secret().clone()).or(refresh_token),
                replaced: Vec::new(),
            },
            expires_in: answer.expires_in(),
            // Without them, they are those that were asked for (RFC 6749, section 5.1).
            scopes: scopes.unwrap_or_else(|| self.scopes.clone()).join(" "),
            id_token: answer.extra_fields().id_token.clone(),
        }
    }

    /// Revokes tokens, where the provider has a way to do it. A token that it does not know any more is as good as revoked.
    pub async fn revoke(
        &self,
        http: &ProviderHttp,
        endpoints: &Endpoints,
        tokens: &ProviderTokens,
    ) -> Result<(), ProviderFault> {
        let Some(address) = &endpoints.revocation else { return Ok(()) };
        for token in tokens.to_revoke(self.profile) {
            let answer = http.send(self.revocation(http, address, endpoints, token)).await?;
            match answer.status().as_u16() {
                200..300 | 404 | 422 => {}
                // Some providers have an error where RFC 7009 has none.
                400 if error_word(answer.body()).as_deref() == Some("invalid_token") => {}
                status => return Err(ProviderFault::Refused(format!("status {status}"))),
            }
        }
        Ok(())
    }

    fn revocation(
        &self,
        http: &ProviderHttp,
        address: &Url,
        endpoints: &Endpoints,
        (token, hint): (&str, &str),
    ) -> RequestBuilder {
        let secret = self.client_secret.as_ref().map(ExposeSecret::expose_secret);
        if self.profile == ProviderProfile::GitHub {
            let request = http.request(Method::DELETE, address).basic_auth(&self.client_id, secret);
            return request.json(&json!({ "access_token": token }));
        }
        let mut form = vec![("token", token), ("token_type_hint", hint), ("client_id", &self.client_id)];
        let mut request = http.request(Method::POST, address);
        match secret {
            Some(secret) if matches!(endpoints.authentication, AuthType::BasicAuth) => {
                // Both are encoded as in a form, which other uses of basic authentication do not do.
                let encode = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
                request = request.basic_auth(encode(&self.client_id), Some(encode(secret)));
            }
            secret => form.extend(secret.map(|secret| ("client_secret", secret))),
        }
        request.form(&form)
    }
}

/// The word of an error of OAuth, if an answer has one.
fn error_word(body: &[u8]) -> Option<String> {
    let body: Value = serde_json::from_slice(body).ok()?;
    body.get("error")?.as_str().map(str::to_owned)
}

/// Why a token endpoint granted nothing. Its own words stay out of the log: they may quote what was sent.
fn fault(error: RequestTokenError<ProviderFault, BasicErrorResponse>) -> ProviderFault {
    match error {
        RequestTokenError::ServerResponse(answer) => {
            let word: String = answer.error().as_ref().chars().filter(char::is_ascii_graphic).take(64).collect();
            ProviderFault::Refused(word)
        }
        RequestTokenError::Request(fault) => fault,
        RequestTokenError::Parse(..) | RequestTokenError::Other(_) => {
            ProviderFault::Away("the token endpoint's answer has another form".to_owned())
        }
    }
}
