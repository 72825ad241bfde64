//! The broker of providers' access tokens: another service asks for one when it needs it, and stores none.
//!
//! A token that ends soon is refreshed first. Many providers accept a refresh token once and take the second use for a
//! theft, so one refresh is in flight per link: a process claims it in the row, calls the provider without a transaction, and
//! stores what it got in place of what it had. Others wait for that; a claim of a process that died runs out by itself, and a
//! process that answers after its claim has run out changes nothing. The call is a task of its own: a caller that goes away
//! meanwhile does not lose the tokens that the provider has granted.
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::http::StatusCode;
use chrono::{TimeDelta, Utc};
use tracing::Instrument;
use uuid::Uuid;

use super::arrival::expiry;
use super::discovery::Discovered;
use super::encryption::Sealed;
use super::grants::{Grant, ProviderTokens};
use super::http::ProviderFault;
use super::pauses::models::ProviderPause;
use super::provider_tokens::models::{RefreshClaim, StoredTokens, TokenRevocation};
use super::providers::{Provider, Providers, RevocationScope};
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
pub async fn fresh_token(
    app: &App,
    providers: &Arc<Providers>,
    user: Uuid,
    name: &str,
) -> Result<BrokeredToken, Error> {
    let provider = providers.get(name)?;
    let begun = Instant::now();
    loop {
        let stored = StoredTokens::find(&app.db, user, provider.key()).await?.ok_or(NOT_LINKED)?;
        if stored.refused_at.is_some() {
            return Err(REFUSED);
        }
        let text = providers.keyring.open(&stored.sealed(), stored.id.as_bytes())?;
        let tokens: ProviderTokens = serde_json::from_slice(&text).map_err(anyhow::Error::from)?;
        if stored.expires_at.as_ref().is_none_or(|end| end.0 > Utc::now() + AHEAD) {
            return Ok(answer(stored, tokens));
        }
        let Some(refresh_token) = tokens.refresh.clone() else {
            stored.refuse(&app.db).await?;
            return Err(REFUSED);
        };
        if !stored.is_refreshing {
            if let Some(wait) = ProviderPause::find(&app.db, &provider.issuer).await? {
                return Err(Error::TooMany(wait));
            }
            // Before the claim, which is for the time of one call.
            let discovered = match provider.discover(&providers.http).await {
                Ok(discovered) => discovered,
                Err(fault) => return Err(refuse(app, provider, fault).await?),
            };
            if let Some(claim) = stored.claim_refresh(&app.db).await? {
                let refresh = Refresh {
                    app: app.clone(),
                    providers: providers.clone(),
                    issuer: provider.issuer.clone(),
                    subject: stored.subject,
                    link: stored.id,
                    before: tokens,
                    claim,
                };
                let refreshed = app.tasks.spawn(refresh.run(discovered, refresh_token).in_current_span()).await;
                refreshed.map_err(anyhow::Error::from)??;
                continue;
            }
        }
        if begun.elapsed() > PATIENCE {
            return Err(BUSY);
        }
        tokio::time::sleep(LOOK).await;
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

/// What a caller gets for a fault of a provider, which all replicas leave alone when it says so.
async fn refuse(app: &App, provider: &Provider, fault: ProviderFault) -> sqlx::Result<Error> {
    tracing::warn!(provider = provider.name, %fault, "the tokens of a link were not refreshed");
    ProviderPause::note(&app.db, &provider.issuer, &fault).await?;
    Ok(match fault {
        ProviderFault::TooMany(wait) => Error::TooMany(wait),
        ProviderFault::Refused(word) if word == "invalid_grant" => REFUSED,
        _ => ProviderFault::Away(String::new()).into(),
    })
}

/// A refresh that this process has claimed.
struct Refresh {
    app: App,
    providers: Arc<Providers>,
    issuer: String,
    subject: String,
    link: Uuid,
    /// What is refreshed.
    before: ProviderTokens,
    claim: RefreshClaim,
}

impl Refresh {
    /// Refreshes the tokens and stores what comes of it.
    async fn run(self, discovered: Discovered, refresh_token: String) -> Result<(), Error> {
        let (db, http, redirect_url) = (&self.app.db, &self.providers.http, &self.providers.redirect_url);
        let provider = self.providers.find(Some(&self.issuer), "").ok_or(NOT_LINKED)?;
        let granted = provider.refresh(http, &discovered.endpoints, redirect_url, refresh_token).await;
        let outcome = granted.as_ref().map_or_else(ProviderFault::word, |_| "refreshed");
        metrics::counter!("linked_token_refreshes_total", "outcome" => outcome).increment(1);
        match granted {
            Ok(grant) => self.store(provider, grant).await,
            Err(fault) => {
                let is_refused = matches!(&fault, ProviderFault::Refused(word) if word == "invalid_grant");
                self.claim.release(db, is_refused).await?;
                Err(refuse(&self.app, provider, fault).await?)
            }
        }
    }

    async fn store(&self, provider: &Provider, grant: Grant) -> Result<(), Error> {
        // Where it says nothing, it is looked at again in a while and not at once, over and over.
        let expires_at = expiry(&grant, Utc::now()).or(Some(Utc::now() + AHEAD + AHEAD));
        let tokens = ProviderTokens { replaced: self.before.replaced.clone(), ..grant.tokens };
        let (db, sealed) = (&self.app.db, self.seal(self.link, &tokens)?);
        if self.claim.store(db, &sealed, &grant.scopes, expires_at).await? {
            return Ok(());
        }
        // Other tokens have come meanwhile, or the link has ended. Where a revocation may end more than what it names, these end with the
        // person's grant.
        if provider.revocation == RevocationScope::Token && tokens.refresh != self.before.refresh {
            let row = Uuid::now_v7();
            let surplus = ProviderTokens { replaced: Vec::new(), ..tokens };
            let person = (provider.key(), self.subject.as_str());
            TokenRevocation::create(db, person, &self.seal(row, &surplus)?, row).await?;
        }
        Ok(())
    }

    fn seal(&self, row: Uuid, tokens: &ProviderTokens) -> anyhow::Result<Sealed> {
        self.providers.keyring.seal(&serde_json::to_vec(tokens)?, row.as_bytes())
    }
}
