//! Carries out what authors have asked for, and removes from the store what was withdrawn.
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::Utc;
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use rand::RngExt;

use super::documents::{MetadataDocument, MintedContent};
use super::models::{Mint, MintOutcome, find_post};
use super::removals::models::{Removal, Unpin};
use super::schemas::PinnedNft;
use super::state::Nfts;
use super::stores::{PinReceipt, StoreFailure};
use super::{MintStatus, NftKind, signals};
use crate::core::app::App;
use crate::core::ground::worker::{Outcome, Worker};

/// How often the workers look for what is due. An author waits for it, and a look costs a read of an empty index.
const POLL: Duration = Duration::from_secs(1);
/// Documents on their way at once, per replica. Each waits for the store most of the time.
const WINDOW: i64 = 16;
/// How often what waits is counted.
const MEASURED: Duration = Duration::from_secs(5);

/// The wait after the first failure; it doubles with each further one.
const FIRST_WAIT: Duration = Duration::from_secs(15);
/// The longest wait, also where a store asks for a longer one.
const MAX_WAIT: Duration = Duration::from_hours(1);
/// How often a request is tried in a row: over some six hours, when the store says nothing else.
const MAX_FAILURES: i32 = 13;
/// How often a pinning service is asked how far it is.
const PENDING: Duration = Duration::from_secs(10);
/// How long a pinning service may take; after a day it has not found the document, and will not.
const MAX_PENDING: Duration = Duration::from_hours(24);
/// The wait for a document to be removed that is to be uploaded again.
const UNPINNING: Duration = Duration::from_secs(5);

/// Uploads the metadata of what was asked for.
pub struct Minter {
    app: App,
    nfts: Arc<Nfts>,
    /// When the backlog was counted last.
    measured: Option<Instant>,
}

impl Minter {
    /// A worker that has claimed nothing yet.
    pub fn new(app: &App, nfts: Arc<Nfts>) -> Self {
        for outcome in ["pinned", "minted", "retried", "failed", "cancelled", "superseded"] {
            metrics::counter!("nft_mints_total", "outcome" => outcome).increment(0);
        }
        Self { app: app.clone(), nfts, measured: None }
    }

    /// One try of a request that was claimed.
    async fn carry_out(&self, mint: Mint) -> anyhow::Result<()> {
        let content = match self.content(&mint).await {
            Ok(Some(content)) => content,
            Ok(None) => return self.withdraw(&mint).await,
            Err(cause) => {
                let failure = StoreFailure::Later { reason: format!("{cause:#}"), wait: None };
                return self.end(&mint, None, &retry(&mint, failure)).await;
            }
        };
        let document = MetadataDocument::of(&content);
        let store = &self.nfts.store;
        let mut tx = self.app.db.begin().await?;
        let begun = mint.begin(&mut tx, store.kind().word(), &document.cid).await?;
        self.app.commit(tx).await?;
        if !begun {
            return Ok(mint.put_off(&self.app.db, UNPINNING).await?);
        }
        let is_same = mint.store.as_deref() == Some(store.kind().word()) && mint.cid.as_ref() == Some(&document.cid);
        let request = mint.pin_request.as_deref().filter(|_| is_same);
        let outcome = match store.pin(&document, request).await {
            Ok(PinReceipt::Pinned { request }) => MintOutcome {
                status: MintStatus::Pinned,
                reason: None,
                token_uri: Some(store.uri(&document.cid)),
                pin_request: request,
                wait: Duration::ZERO,
            },
            Ok(PinReceipt::Pending { request }) => pending(&mint, request),
            Err(failure) => retry(&mint, failure),
        };
        self.end(&mint, Some(&document.cid), &outcome).await
    }

    /// What is to be minted, as it is now; none when it is not there any more.
    async fn content(&self, mint: &Mint) -> anyhow::Result<Option<MintedContent>> {
        let content = match mint.kind {
            NftKind::Post => find_post(&self.app.db, mint.subject_id).await?,
            NftKind::Comment => self.nfts.comments.fetch(mint.subject_id).await?,
        };
        // A record that the release before has made anew, after it was hidden and restored, is asked for anew.
        Ok(content.filter(|content| content.record_id == mint.id))
    }

    /// Cancels what is not there any more, of which the event may not have been consumed.
    async fn withdraw(&self, mint: &Mint) -> anyhow::Result<()> {
        let mut tx = self.app.db.begin().await?;
        signals::withdrawn(&mut tx, mint.kind, &[mint.subject_id], signals::Withdrawal::Missing).await?;
        Ok(self.app.commit(tx).await?)
    }

    /// Writes down what came of a try. What was uploaded under a claim that is over is removed again.
    async fn end(&self, mint: &Mint, cid: Option<&str>, outcome: &MintOutcome) -> anyhow::Result<()> {
        let mut tx = self.app.db.begin().await?;
        let ended = mint.end(&mut tx, outcome).await?;
        if ended && let (Some(cid), Some(uri)) = (cid, &outcome.token_uri) {
            signals::pinned(&mut tx, &PinnedNft::new(mint, cid, uri)).await?;
        } else if !ended && let Some(cid) = cid {
            let (store, request) = (self.nfts.store.kind().word(), outcome.pin_request.as_deref());
            Unpin { store, cid, request }.save(&mut tx, 0.0).await?;
        }
        self.app.commit(tx).await?;
        let word = match outcome.status {
            _ if !ended => "superseded",
            MintStatus::Pinned => "pinned",
            MintStatus::Failed => "failed",
            MintStatus::Retry => "retried",
            // The pinning service works on it.
            _ => return Ok(()),
        };
        metrics::counter!("nft_mints_total", "outcome" => word).increment(1);
        if let Some(reason) = outcome.reason.as_ref().filter(|_| outcome.status == MintStatus::Failed) {
            tracing::warn!(nft = %mint.id, reason, "the metadata of an NFT was given up");
        }
        Ok(())
    }

    async fn measure(&mut self) -> anyhow::Result<()> {
        if self.measured.is_some_and(|last| last.elapsed() < MEASURED) {
            return Ok(());
        }
        let (waiting, age) = Mint::backlog(&self.app.db).await?;
        #[expect(clippy::cast_precision_loss, reason = "a gauge is a float; counts stay far below 2^52")]
        metrics::gauge!("nft_mints_waiting").set(waiting as f64);
        metrics::gauge!("nft_mints_age_seconds").set(age);
        self.measured = Some(Instant::now());
        Ok(())
    }
}

impl Worker for Minter {
    async fn step(&mut self) -> anyhow::Result<Outcome> {
        let claimed = Mint::claim(&self.app.db, WINDOW).await?;
        let outcome = if claimed.is_empty() { Outcome::Idle(POLL) } else { Outcome::Busy };
        let mut tries: FuturesUnordered<_> = claimed.into_iter().map(|mint| self.carry_out(mint)).collect();
        let mut failure = None;
        while let Some(done) = tries.next().await {
            // The others go on; what failed here is tried again when its claim is over.
            failure = failure.or(done.err());
        }
        drop(tries);
        self.measure().await?;
        failure.map_or(Ok(outcome), Err)
    }
}

/// The pinning service works on it, unless it has done so for too long.
fn pending(mint: &Mint, request: String) -> MintOutcome {
    let age = (Utc::now() - mint.created_at.0).to_std().unwrap_or_default();
    let is_over = age > MAX_PENDING;
    MintOutcome {
        status: if is_over { MintStatus::Failed } else { MintStatus::Uploading },
        reason: is_over.then(|| "the pinning service has not pinned it within a day".to_owned()),
        token_uri: None,
        pin_request: Some(request),
        wait: PENDING,
    }
}

/// What follows from a failure: another try, or none.
fn retry(mint: &Mint, failure: StoreFailure) -> MintOutcome {
    let (status, reason, wait) = match failure {
        StoreFailure::Later { reason, wait } if mint.failures + 1 < MAX_FAILURES => {
            (MintStatus::Retry, reason, pause(mint.failures, wait))
        }
        StoreFailure::Later { reason, .. } | StoreFailure::Refused(reason) | StoreFailure::Unknown(reason) => {
            (MintStatus::Failed, reason, Duration::ZERO)
        }
    };
    MintOutcome { status, reason: Some(reason), token_uri: None, pin_request: None, wait }
}

/// How long to wait after that many failures: exponential with jitter, and not less than the store asks for; capped.
fn pause(failures: i32, asked: Option<Duration>) -> Duration {
    let doubled = FIRST_WAIT.saturating_mul(1 << failures.clamp(0, 10)).min(MAX_WAIT);
    let own = doubled.mul_f64(rand::rng().random_range(0.5..=1.0));
    asked.map_or(own, |asked| asked.max(own)).min(MAX_WAIT)
}

/// Removes from the store what was withdrawn. It runs where minting is off as well: an erasure must come to its end.
pub struct Unpinner {
    app: App,
    nfts: Arc<Nfts>,
}

impl Unpinner {
    /// A worker that has claimed nothing yet.
    pub fn new(app: &App, nfts: Arc<Nfts>) -> Self {
        Self { app: app.clone(), nfts }
    }

    async fn remove(&self, removal: Removal) -> anyhow::Result<()> {
        match self.nfts.store.remove(&removal.cid, removal.pin_request.as_deref()).await {
            Ok(()) => {
                removal.delete(&self.app.db).await?;
                metrics::counter!("nft_documents_removed_total").increment(1);
            }
            Err(failure) => {
                let asked = if let StoreFailure::Later { wait, .. } = &failure { *wait } else { None };
                removal.put_off(&self.app.db, pause(removal.tries - 1, asked)).await?;
                if removal.tries.cast_unsigned().is_power_of_two() {
                    let (cid, tries) = (&removal.cid, removal.tries);
                    tracing::warn!(cid, tries, error = %failure, "the document of an NFT cannot be removed");
                }
            }
        }
        Ok(())
    }
}

impl Worker for Unpinner {
    async fn step(&mut self) -> anyhow::Result<Outcome> {
        let claimed = Removal::claim(&self.app.db, self.nfts.store.kind().word(), WINDOW).await?;
        let outcome = if claimed.is_empty() { Outcome::Idle(POLL) } else { Outcome::Busy };
        let mut removals: FuturesUnordered<_> = claimed.into_iter().map(|removal| self.remove(removal)).collect();
        let mut failure = None;
        while let Some(done) = removals.next().await {
            failure = failure.or(done.err());
        }
        failure.map_or(Ok(outcome), Err)
    }
}

/// Starts the workers.
pub fn start(app: &App, nfts: &Arc<Nfts>) {
    if nfts.is_on {
        app.start("minting", Minter::new(app, nfts.clone()));
    }
    app.start("removal of metadata", Unpinner::new(app, nfts.clone()));
}
