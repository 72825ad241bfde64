//! Revokes tokens of links that have ended or that newer ones have replaced, removes attempts that are over, gives links of the release
//! before their identity or sets them aside, and encrypts anew what an old key encrypted.
use std::sync::Arc;
use std::time::Duration;

use sqlx::PgPool;
use uuid::Uuid;

use super::encryption::{Keyring, Sealed};
use super::grants::ProviderTokens;
use super::http::ProviderFault;
use super::models::{LinkedAccount, LoginAttempt};
use super::pauses::models::ProviderPause;
use super::provider_tokens::models::{StoredTokens, TokenRevocation};
use super::providers::Providers;
use super::set_aside::models::LinksAside;
use crate::core::app::App;
use crate::core::ground::jobs::Job;
use crate::core::ground::worker::{Outcome, Worker};

/// How often the worker looks for revocations that are due again, or that other replicas stored.
const POLL: Duration = Duration::from_secs(10);
/// How often a revocation is tried: with doubling pauses, half a day.
const TRIES: i32 = 10;
/// When attempts are removed and keys are looked after: every ten minutes.
const SWEEP: &str = "0 3/10 * * * *";

/// Revokes tokens that are no link's any more, one after the other.
pub struct RevocationWorker {
    app: App,
    providers: Arc<Providers>,
}

impl RevocationWorker {
    /// A worker that has not polled yet.
    pub fn new(app: &App, providers: Arc<Providers>) -> Self {
        Self { app: app.clone(), providers }
    }

    /// Revokes tokens, unless they are in use by a link: `live` are those of the link that they were encrypted for, if it goes on.
    async fn revoke(&self, revocation: &TokenRevocation, live: Option<&StoredTokens>) -> Result<(), ProviderFault> {
        // Who is not configured any more cannot be asked.
        let provider = self.providers.find(revocation.issuer.as_deref(), &revocation.provider);
        let Some(provider) = provider else { return Ok(()) };
        let tokens = self.open(&revocation.sealed(), revocation.row())?;
        if let Some(live) = live {
            let live = self.open(&live.sealed(), live.id)?;
            let is_same = tokens.refresh.is_some() && live.refresh == tokens.refresh;
            if is_same || live.access == tokens.access {
                return Ok(());
            }
        }
        let discovered = provider.discover(&self.providers.http).await?;
        provider.revoke(&self.providers.http, &discovered.endpoints, &tokens).await
    }

    /// The tokens that are encrypted for a row.
    fn open(&self, sealed: &Sealed, row: Uuid) -> Result<ProviderTokens, ProviderFault> {
        let text = self.providers.keyring.open(sealed, row.as_bytes());
        let text = text.map_err(|cause| ProviderFault::Invalid(cause.to_string()))?;
        serde_json::from_slice(&text).map_err(|_| ProviderFault::Invalid("tokens have another form".to_owned()))
    }
}

impl Worker for RevocationWorker {
    async fn step(&mut self) -> anyhow::Result<Outcome> {
        let (db, keys) = (&self.app.db, self.providers.keyring.key_ids());
        let Some(revocation) = TokenRevocation::claim_next(db, &keys).await? else { return Ok(Outcome::Idle(POLL)) };
        let live = match revocation.sealed_for {
            Some(link) => StoredTokens::find_by_link(db, link).await?,
            None => None,
        };
        let (outcome, is_over) = match self.revoke(&revocation, live.as_ref()).await {
            Ok(()) => ("revoked", true),
            Err(ProviderFault::TooMany(wait)) => {
                // No fault of these tokens, and the others of this provider have to wait as well.
                if let Some(provider) = self.providers.find(revocation.issuer.as_deref(), &revocation.provider) {
                    ProviderPause::begin(db, &provider.issuer, wait).await?;
                }
                revocation.put_off(db, wait).await?;
                ("too_many", false)
            }
            Err(fault) => {
                let is_over = revocation.tries >= TRIES;
                tracing::warn!(provider = revocation.provider, %fault, is_over, "tokens of a link were not revoked");
                (if is_over { "given_up" } else { "failed" }, is_over)
            }
        };
        if is_over {
            revocation.delete(db).await?;
        }
        metrics::counter!("linked_revocations_total", "outcome" => outcome).increment(1);
        Ok(Outcome::Busy)
    }
}

/// The job that removes what is over, gives identities to links without one, and encrypts with the current key what an old one
/// encrypted.
pub fn sweep(app: &App, providers: Arc<Providers>) -> Job {
    Job::new("linked accounts", SWEEP, (app.db.clone(), providers), |(db, providers)| async move {
        LoginAttempt::sweep(&db).await?;
        let given_up = TokenRevocation::sweep(&db).await?;
        if given_up > 0 {
            tracing::error!(given_up, "tokens were not revoked for a month, since no process has their key");
            metrics::counter!("linked_revocations_total", "outcome" => "given_up").increment(given_up);
        }
        identify(&db, &providers).await?;
        reencrypt(&db, &providers.keyring).await
    })
}

/// Gives identities to the links that the release before has made, and sets those aside whose providers are not configured.
pub async fn identify(db: &PgPool, providers: &Providers) -> anyhow::Result<()> {
    for provider in &providers.all {
        while LinkedAccount::identify(db, provider.key()).await? > 0 {}
        while provider.adopts_links && LinksAside::adopt(db, provider.key()).await? > 0 {}
    }
    let configured: Vec<String> = providers.all.iter().map(|provider| provider.name.clone()).collect();
    let mut set_aside = 0;
    while let added @ 1.. = LinksAside::add(db, &configured).await? {
        set_aside += added;
    }
    if set_aside > 0 {
        tracing::warn!(
            set_aside,
            "links of providers that are not configured were set aside: adopt_links of a provider takes them back"
        );
    }
    Ok(())
}

/// Encrypts with the current key what an old one encrypted. A row that no key opens stays as it is, and is reported; one whose
/// tokens are being refreshed waits for the next run.
pub async fn reencrypt(db: &PgPool, keyring: &Keyring) -> anyhow::Result<()> {
    let mut after = Uuid::nil();
    loop {
        // By id, so that what stays as it is does not come again.
        let old = StoredTokens::list_old(db, keyring.current(), after).await?;
        let Some(last) = old.last() else { return Ok(()) };
        after = last.id;
        for stored in &old {
            match keyring.open(&stored.sealed(), stored.id.as_bytes()) {
                Ok(text) => stored.reencrypt(db, &keyring.seal(&text, stored.id.as_bytes())?).await?,
                Err(cause) => tracing::error!(link = %stored.id, %cause, "tokens of a link cannot be read"),
            }
        }
    }
}
