//! The broker of providers' access tokens: another service asks for one when it needs it, and stores none.
//!
//! A token that ends soon is refreshed first. Many providers accept a refresh token once and take the second use for a
//! theft, so one refresh is in flight per link: a process claims it in the row, calls the provider without a transaction, and
//! stores what it got in place of what it had. Others wait for that; a claim of a process that died runs out by itself.
use std::time::{Duration, Instant};

use axum::http::StatusCode;
use chrono::{TimeDelta, Utc};
use uuid::Uuid;

use super::arrival::expiry;
use super::grants::ProviderTokens;
use super::http::ProviderFault;
use super::provider_tokens::models::StoredTokens;
use super::providers::{Provider, Providers};
use super::schemas::BrokeredToken;
use crate::app::App;
use crate::core::api::errors::Error;

/// How long an access token must still be good to be handed out: long enough for some calls of the provider.
const AHEAD: TimeDelta = TimeDelta::seconds(60);
/// How long a request waits for the refresh of another one, and how often it looks.
const PATIENCE: Duration = Duration::from_secs(8);
const LOOK: Duration = Duration::from_millis(50);

/// The engagement service ends a taste by this sentence, and by no other 404 (`taste/broker.rs`).
const NOT_LINKED: Error = Error::Refused(StatusCode::NOT_FOUND, "The user has no account of this provider linked");
const REFUSED: Error = Error::Refused(
    StatusCode::CONFLICT,
    "The provider does not accept the link any more; its user has to sign in by it",
);
const BUSY: Error = Error::Refused(StatusCode::SERVICE_UNAVAILABLE, "The token is being refreshed");

/// A fresh access token of a person at a provider.
pub async fn fresh_token(app: &App, providers: &Providers, user: Uuid, name: &str) -> Result<BrokeredToken, Error> {
    let provider = providers.get(name)?;
    let begun = Instant::now();
    loop {
        let stored = StoredTokens::find(&app.db, user, name).await?.ok_or(NOT_LINKED)?;
        let text = providers.keyring.open(&stored.sealed(), stored.id.as_bytes())?;
        let tokens: ProviderTokens = serde_json::from_slice(&text).map_err(anyhow::Error::from)?;
        if stored.refused_at.is_some() {
            return Err(REFUSED);
        }
        if stored.expires_at.as_ref().is_none_or(|end| end.0 > Utc::now() + AHEAD) {
            return Ok(answer(stored, tokens));
        }
        let Some(refresh_token) = tokens.refresh else {
            stored.release(&app.db, true).await?;
            return Err(REFUSED);
        };
        if stored.claim_refresh(&app.db).await? {
            refresh(app, providers, provider, &stored, refresh_token).await?;
        } else if begun.elapsed() > PATIENCE {
            return Err(BUSY);
        } else {
            tokio::time::sleep(LOOK).await;
        }
    }
}

fn answer(stored: StoredTokens, tokens: ProviderTokens) -> BrokeredToken {
    BrokeredToken {
        access_token: tokens.access,
        token_type: "bearer",
        expires_at: stored.expires_at,
        scopes: stored.scopes.split_whitespace().map(str::to_owned).collect(),
        subject: stored.subject,
    }
}

/// Refreshes tokens whose refresh this process has claimed, and stores them.
async fn refresh(
    app: &App,
    providers: &Providers,
    provider: &Provider,
    stored: &StoredTokens,
    refresh_token: String,
) -> Result<(), Error> {
    let http = &providers.http;
    let granted = async {
        let discovered = provider.discover(http).await?;
        provider.refresh(http, &discovered.endpoints, &providers.redirect_url, refresh_token).await
    };
    let granted = granted.await;
    let outcome = granted.as_ref().map_or_else(ProviderFault::word, |_| "refreshed");
    metrics::counter!("linked_token_refreshes_total", "outcome" => outcome).increment(1);
    match granted {
        Ok(grant) => {
            let text = serde_json::to_vec(&grant.tokens).map_err(anyhow::Error::from)?;
            let sealed = providers.keyring.seal(&text, stored.id.as_bytes())?;
            // Where it says nothing, it is looked at again in a while and not at once, over and over.
            let expires_at = expiry(&grant, Utc::now()).or(Some(Utc::now() + AHEAD + AHEAD));
            stored.replace(&app.db, &sealed, &grant.scopes, expires_at).await?;
            Ok(())
        }
        Err(fault) => {
            let is_refused = matches!(&fault, ProviderFault::Refused(word) if word == "invalid_grant");
            stored.release(&app.db, is_refused).await?;
            tracing::warn!(provider = provider.name, %fault, "the tokens of a link were not refreshed");
            if is_refused { Err(REFUSED) } else { Err(ProviderFault::Away(String::new()).into()) }
        }
    }
}
