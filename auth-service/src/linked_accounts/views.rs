//! The routes of linked accounts.
use std::sync::Arc;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use chrono::Utc;
use uuid::Uuid;

use super::arrival::{Arrival, UNKNOWN_ATTEMPT, VERIFY_FIRST, count};
use super::broker::fresh_token;
use super::browser_cookie::{self, BrowserCookie};
use super::encryption::{OTHER_KEY, Sealed};
use super::grants::Grant;
use super::http::ProviderFault;
use super::identities::ExternalIdentity;
use super::models::{ATTEMPT_SECONDS, AttemptPurpose, LinkedAccount, LoginAttempt};
use super::pauses::models::ProviderPause;
use super::providers::{Provider, ProviderProfile, Providers};
use super::schemas::{
    AuthorizationOut, BrokeredToken, CallbackIn, LinkedAccountOut, OptionalCaller, ProviderName, ProviderOut, is_fresh,
};
use super::signals;
use crate::accounts::models::{PASSWORDLESS, authenticated_within};
use crate::accounts::schemas::{ChangeRefusal, RECENT_SECONDS, SignInNeeded};
use crate::app::App;
use crate::core::api::errors::{Error, Problem};
use crate::core::app::identity::User;
use crate::core::contract::extract::{Json as Body, Path, Query};
use crate::core::doors::callers::Operator;
use crate::sessions::models::Device;
use crate::sessions::schemas::{TokenPair, TokenTransport};
use crate::tokens::services::{generate_secret, hash_secret};
use crate::users::ACCOUNT_DELETED;
use crate::users::models::Account;

type Configured = Extension<Arc<Providers>>;

/// A provider whose sign-ins may be of long ago.
const NEVER_FRESH: Error = Error::Refused(
    StatusCode::CONFLICT,
    "This provider does not say when you signed in there; sign in with your password, or set one first, by \
    /auth/forgot-password",
);

/// List the providers by which people can sign in, in the order of the settings
#[utoipa::path(get, path = "/auth/providers", tag = "linked accounts", security(()), responses(
    (status = 200, body = Vec<ProviderOut>),
))]
pub async fn list_providers(Extension(providers): Configured) -> Json<Vec<ProviderOut>> {
    Json(providers.all.iter().map(ProviderOut::from).collect())
}

/// Begin a sign-in at a provider; the answer says where the browser is to go
///
/// A cookie binds the sign-in to this browser for 10 minutes. What needs a sign-in of less than 10 minutes ago needs it at the provider,
/// too: with `fresh` it has its person sign in again, though they are signed in there.
#[utoipa::path(post, path = "/auth/providers/{provider}/sign-in", tag = "linked accounts", security(()), params(
    ("provider" = String, Path, max_length = 32, example = "github"),
    ("fresh" = Option<bool>, Query, description = "Whether the provider is to have its person sign in again; false when not given"),
), responses(
    (status = 200, body = AuthorizationOut),
    (status = 404, body = Problem, description = "No such provider"),
    (status = 409, body = Problem, description = "`fresh`, and the provider does not say when its people sign in"),
    (status = 422, body = Problem),
    (status = 502, body = Problem, description = "The provider does not answer as it should"),
))]
pub async fn begin_sign_in(
    State(app): State<App>,
    Extension(providers): Configured,
    ProviderName(name): ProviderName,
    query: Query,
) -> Result<Response, Error> {
    let is_fresh = is_fresh(query)?;
    if is_fresh && !providers.get(&name)?.dates_sign_ins() {
        return Err(NEVER_FRESH);
    }
    begin(&app, &providers, &name, None, is_fresh).await
}

/// Begin the link of an account elsewhere to the caller's; the answer says where the browser is to go
///
/// It takes a sign-in less than 10 minutes ago and a verified address.
#[utoipa::path(post, path = "/auth/providers/{provider}/link", tag = "linked accounts", params(
    ("provider" = String, Path, max_length = 32, example = "github"),
), responses(
    (status = 200, body = AuthorizationOut),
    (status = 401, body = SignInNeeded, description = "No valid token; or, with the code \
        `insufficient_user_authentication`, the sign-in was more than 10 minutes ago"),
    (status = 403, body = Problem, description = "The address is not verified, or the caller is muted"),
    (status = 404, body = Problem, description = "No such provider"),
    (status = 502, body = Problem, description = "The provider does not answer as it should"),
))]
pub async fn begin_link(
    user: User,
    State(app): State<App>,
    Extension(providers): Configured,
    ProviderName(name): ProviderName,
) -> Result<Response, ChangeRefusal> {
    check_recent(&app, &user).await?;
    let account = Account::find(&app.db, user.id).await?.ok_or(ACCOUNT_DELETED)?;
    if !account.is_verified {
        return Err(VERIFY_FIRST.into());
    }
    Ok(begin(&app, &providers, &name, Some(&user), false).await?)
}

/// Refuses a caller whose sign-in was too long ago, at the provider if it was by one: an open device that is found must not cost its
/// owner the account.
async fn check_recent(app: &App, user: &User) -> Result<(), ChangeRefusal> {
    let is_recent = authenticated_within(&app.db, user.session, RECENT_SECONDS).await?;
    if is_recent { Ok(()) } else { Err(ChangeRefusal::SignInNeeded) }
}

async fn begin(
    app: &App,
    providers: &Providers,
    name: &str,
    caller: Option<&User>,
    is_fresh: bool,
) -> Result<Response, Error> {
    let provider = providers.get(name)?;
    let discovered = match provider.discover(&providers.http).await {
        Ok(discovered) => discovered,
        Err(fault) => return Err(refuse(app, provider, fault).await?),
    };
    let [state, nonce, browser] = [(); 3].map(|()| generate_secret());
    let request = provider.authorize(&discovered.endpoints, &providers.redirect_url, (&state, &nonce), is_fresh);
    let state_sha256 = hash_secret(&state);
    let sealed = providers.keyring.seal(request.verifier.as_bytes(), &state_sha256)?;
    let attempt = LoginAttempt {
        provider: provider.name.clone(),
        issuer: Some(provider.issuer.clone()),
        is_fresh,
        purpose: if caller.is_some() { AttemptPurpose::Link } else { AttemptPurpose::SignIn },
        user_id: caller.map(|user| user.id),
        session_id: caller.and_then(|user| user.session),
        nonce,
        verifier: sealed.bytes,
        key_id: sealed.key_id,
        begun_at: None,
    };
    let mut tx = app.db.begin().await?;
    LoginAttempt::create(&mut *tx, &attempt, &state_sha256, &hash_secret(&browser)).await?;
    app.commit_with_answer(tx).await?;
    #[expect(clippy::cast_possible_truncation, reason = "ten minutes")]
    let body = AuthorizationOut { authorization_url: request.url.into(), expires_in: ATTEMPT_SECONDS as i64 };
    let headers =
        [(header::SET_COOKIE, browser_cookie::set(app, &browser)), (header::CACHE_CONTROL, "no-store".to_owned())];
    Ok((headers, Json(body)).into_response())
}

/// Finish a sign-in or a link with what the provider has sent the browser back with
///
/// A sign-in answers as `/auth/signin` does, a link with the link. A person who is new gets an account where the provider has
/// verified their address; an address that has an account does not open it. Each state is good once.
#[utoipa::path(post, path = "/auth/providers/callback", tag = "linked accounts", security(()),
    request_body = CallbackIn, responses(
    (status = 200, body = TokenPair, description = "Tokens; a browser that uses cookies gets them as cookies"),
    (status = 201, body = LinkedAccountOut, description = "The account is linked"),
    (status = 400, body = Problem, description = "Not begun in this browser, over, or refused by the provider"),
    (status = 403, body = Problem, description = "The account is banned"),
    (status = 409, body = Problem, description = "The address has an account or is not verified at the provider, the \
        link exists, or the provider does not confirm a fresh sign-in"),
    (status = 502, body = Problem, description = "The provider does not answer as it should"),
    (status = 503, body = Problem, description = "The keys of linked accounts are being replaced; the same request may succeed"),
))]
pub async fn finish(
    State(app): State<App>,
    Extension(providers): Configured,
    (OptionalCaller(caller), transport): (OptionalCaller, TokenTransport),
    device: Device,
    BrowserCookie(browser): BrowserCookie,
    Body(input): Body<CallbackIn>,
) -> Result<Response, Error> {
    let browser = browser.ok_or(UNKNOWN_ATTEMPT)?;
    let state_sha256 = hash_secret(&input.state);
    let attempt = take_attempt(&app, &providers, &state_sha256, &browser).await?;
    let provider = providers.find(attempt.issuer.as_deref(), &attempt.provider).ok_or(UNKNOWN_ATTEMPT)?;
    let sealed = Sealed { bytes: attempt.verifier.clone(), key_id: attempt.key_id.clone() };
    let verifier = providers.keyring.open(&sealed, &state_sha256)?;
    let (grant, identity) = match arrive(&providers, provider, &attempt, input, verifier).await {
        Ok(arrived) => arrived,
        Err(fault) => return Err(refuse(&app, provider, fault).await?),
    };
    let arrival = Arrival {
        app: &app,
        providers: &providers,
        provider,
        identity: &identity,
        grant: &grant,
        device: &device,
        transport,
        now: Utc::now(),
    };
    arrival.answer(&attempt, caller.as_ref()).await
}

/// The attempt of a browser, which no other request gets. What another process has begun with a key that this one does not know stays as
/// it is, to be finished there.
async fn take_attempt(
    app: &App,
    providers: &Providers,
    state_sha256: &[u8; 32],
    browser: &[u8; 32],
) -> Result<LoginAttempt, Error> {
    let keys = providers.keyring.key_ids();
    if let Some(attempt) = LoginAttempt::take(&app.db, state_sha256, browser, &keys).await? {
        return Ok(attempt);
    }
    let is_of_other_key = LoginAttempt::is_of_other_key(&app.db, state_sha256, browser, &keys).await?;
    Err(if is_of_other_key { OTHER_KEY } else { UNKNOWN_ATTEMPT })
}

/// What the provider has granted, and the identity that it is granted to.
async fn arrive(
    providers: &Providers,
    provider: &Provider,
    attempt: &LoginAttempt,
    input: CallbackIn,
    verifier: Vec<u8>,
) -> Result<(Grant, ExternalIdentity), ProviderFault> {
    let http = &providers.http;
    let discovered = provider.discover(http).await?;
    // Another provider may have sent the browser here with a code of its own, to get it exchanged at this one (RFC 9207).
    let is_other = match &input.iss {
        Some(said) => provider.profile == ProviderProfile::Oidc && *said != provider.issuer,
        None => discovered.endpoints.names_itself,
    };
    if is_other {
        return Err(ProviderFault::Invalid("the browser comes from another issuer".to_owned()));
    }
    let code = input.code.filter(|code| !code.is_empty() && input.error.is_none());
    let code = code.ok_or_else(|| ProviderFault::Refused("no code".to_owned()))?;
    let verifier = String::from_utf8(verifier).map_err(|_| ProviderFault::Invalid("no verifier".to_owned()))?;
    let grant = provider.exchange(http, &discovered.endpoints, &providers.redirect_url, code, verifier).await?;
    let identity = provider.identify(http, &discovered, &grant, &attempt.nonce, Utc::now()).await?;
    Ok((grant, identity))
}

/// Logs and counts why a provider was of no use; the caller gets a sentence without the reason. A provider that has had too many requests
/// is left alone by what can wait; a sign-in, for which a person waits, is tried all the same.
async fn refuse(app: &App, provider: &Provider, fault: ProviderFault) -> sqlx::Result<Error> {
    tracing::warn!(provider = provider.name, %fault, "a sign-in by a provider failed");
    count(fault.word());
    ProviderPause::note(&app.db, &provider.issuer, &fault).await?;
    Ok(fault.into())
}

/// List the accounts elsewhere that are linked to the caller's, the oldest first
#[utoipa::path(get, path = "/auth/linked-accounts", tag = "linked accounts", responses(
    (status = 200, body = Vec<LinkedAccountOut>),
))]
pub async fn list_linked_accounts(
    user: User,
    State(app): State<App>,
    Extension(providers): Configured,
) -> Result<Json<Vec<LinkedAccountOut>>, Error> {
    let linked = LinkedAccount::list(&app.db, user.id).await?.into_iter();
    let named = linked.map(|link| {
        let provider = providers.find(link.issuer.as_deref(), &link.provider);
        LinkedAccountOut::new(link, provider)
    });
    Ok(Json(named.collect()))
}

/// End a link; the provider's tokens are revoked
///
/// It takes a sign-in less than 10 minutes ago. The last way to sign in stays: without a password, one link does.
#[utoipa::path(delete, path = "/auth/linked-accounts/{id}", tag = "linked accounts", params(("id" = Uuid, Path)),
    responses(
    (status = 204),
    (status = 401, body = SignInNeeded, description = "No valid token; or, with the code \
        `insufficient_user_authentication`, the sign-in was more than 10 minutes ago"),
    (status = 404, body = Problem, description = "No link of the caller"),
    (status = 409, body = Problem, description = "The last way to sign in"),
    (status = 422, body = Problem),
))]
pub async fn unlink(
    user: User,
    State(app): State<App>,
    Extension(providers): Configured,
    Path(id): Path,
) -> Result<StatusCode, ChangeRefusal> {
    check_recent(&app, &user).await?;
    let mut tx = app.db.begin().await?;
    // The lock keeps two requests from ending the last two links at once.
    let account = Account::lock(&mut tx, user.id).await?.ok_or(ACCOUNT_DELETED)?;
    let not_found = Error::Refused(StatusCode::NOT_FOUND, "Linked account not found");
    let link = LinkedAccount::delete(&mut tx, id, user.id).await?.ok_or(not_found)?;
    // A link to a provider that is not configured any more opens nothing.
    let (issuers, names): (Vec<String>, Vec<String>) =
        providers.all.iter().map(|provider| (provider.issuer.clone(), provider.name.clone())).unzip();
    let left = LinkedAccount::count(&mut tx, user.id, &issuers, &names).await?;
    if account.password_hash == PASSWORDLESS && left == 0 {
        let last = "This is the last way to sign in; set a password first, by /auth/forgot-password";
        return Err(Error::Refused(StatusCode::CONFLICT, last).into());
    }
    // One that is not configured any more has its name alone.
    let provider = providers.find(link.issuer.as_deref(), &link.provider);
    let (name, title) = provider.map_or((&link.provider, &link.provider), |provider| (&provider.name, &provider.title));
    signals::unlinked(&mut tx, &account, id, &link, (name, title)).await?;
    app.commit_with_answer(tx).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A fresh access token of a person at a provider, for another service of the platform.
pub async fn get_token(
    _: Operator,
    State(app): State<App>,
    Extension(providers): Configured,
    path: Result<axum::extract::Path<(Uuid, String)>, axum::extract::rejection::PathRejection>,
) -> Result<([(header::HeaderName, &'static str); 1], Json<BrokeredToken>), Error> {
    let not_found = |_| Error::Refused(StatusCode::NOT_FOUND, "No such user or provider");
    let axum::extract::Path((user, provider)) = path.map_err(not_found)?;
    let token = fresh_token(&app, &providers, user, &provider).await?;
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(token)))
}
