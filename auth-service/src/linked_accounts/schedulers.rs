//! Revokes the tokens of links that have ended, removes attempts that are over, and encrypts anew what an old key encrypted.
use std::sync::Arc;
use std::time::Duration;

use sqlx::PgPool;
use uuid::Uuid;

use super::encryption::{Keyring, Sealed};
use super::grants::ProviderTokens;
use super::http::ProviderFault;
use super::models::LoginAttempt;
use super::provider_tokens::models::{StoredTokens, TokenRevocation};
use super::providers::Providers;
use crate::core::app::App;
use crate::core::ground::jobs::Job;
use crate::core::ground::worker::{Outcome, Worker};

/// How often the worker looks for revocations that are due again, or that other replicas stored.
const POLL: Duration = Duration::from_secs(10);
/// How often a revocation is tried: with doubling pauses, half a day.
const TRIES: i32 = 10;
/// When attempts are removed and keys are looked after: every ten minutes.
const SWEEP: &str = "0 3/10 * * * *";

/// Revokes the tokens of links that have ended, one after the other.
pub struct RevocationWorker {
    app: App,
    providers: Arc<Providers>,
}

impl RevocationWorker {
    /// A worker that has not polled yet.
    pub fn new(app: &App, providers: Arc<Providers>) -> Self {
        Self { app: app.clone(), providers }
    }

    async fn revoke(&self, revocation: &TokenRevocation) -> Result<(), ProviderFault> {
        // Who is not configured any more cannot be asked.
        let Some(provider) = self.providers.find(&revocation.provider) else { return Ok(()) };
        let sealed = Sealed { bytes: revocation.tokens.clone(), key_id: revocation.key_id.clone() };
        let unreadable = |cause: anyhow::Error| ProviderFault::Invalid(cause.to_string());
        let text = self.providers.keyring.open(&sealed, revocation.id.as_bytes()).map_err(unreadable)?;
        let tokens: ProviderTokens = serde_json::from_slice(&text).map_err(|cause| unreadable(cause.into()))?;
        let discovered = provider.discover(&self.providers.http).await?;
        provider.revoke(&self.providers.http, &discovered.endpoints, &tokens).await
    }
}

impl Worker for RevocationWorker {
    async fn step(&mut self) -> anyhow::Result<Outcome> {
        let Some(revocation) = TokenRevocation::claim_next(&self.app.db).await? else { return Ok(Outcome::Idle(POLL)) };
        let (outcome, is_over) = match self.revoke(&revocation).await {
            Ok(()) => ("revoked", true),
            Err(fault) => {
                let is_over = revocation.tries >= TRIES;
                tracing::warn!(provider = revocation.provider, %fault, is_over, "tokens of a link were not revoked");
                (if is_over { "given_up" } else { "failed" }, is_over)
            }
        };
        if is_over {
            revocation.delete(&self.app.db).await?;
        }
        metrics::counter!("linked_revocations_total", "outcome" => outcome).increment(1);
        Ok(Outcome::Busy)
    }
}

/// The job that removes attempts that are over, and encrypts with the current key what an old one encrypted.
pub fn sweep(app: &App, providers: Arc<Providers>) -> Job {
    Job::new("linked accounts", SWEEP, (app.db.clone(), providers), |(db, providers)| async move {
        LoginAttempt::sweep(&db).await?;
        reencrypt(&db, &providers.keyring).await
    })
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
