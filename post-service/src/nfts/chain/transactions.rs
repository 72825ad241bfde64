//! The transactions of the service, from the ledger onto the chain: each is sent, followed into a block that stays, replaced where it
//! is stuck (`replacing`), and sent again where a reorganisation has taken its block away.
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use rand::RngExt;
use sqlx::PgTransaction;

use super::contract::{account_name, chain_prefix};
use super::ledger::models::{EntryStatus, LedgerEntry};
use super::node::{NodeFailure, Receipt};
use super::settings::Chain;
use crate::core::app::App;
use crate::nfts::MintStatus;
use crate::nfts::state::Nfts;
use crate::nfts::tokens::models::{lock_token, show_step};

/// How often the worker looks for what is due, and the node is asked about what is on its way. Blocks take some seconds.
pub const POLL: Duration = Duration::from_secs(2);
/// Tokens that are signed in one step, and transactions that are looked at.
pub const WINDOW: i64 = 64;
/// The wait after the first failure; it doubles with each further one.
const FIRST_WAIT: Duration = Duration::from_secs(5);
/// The longest wait.
const MAX_WAIT: Duration = Duration::from_mins(10);

/// The transactions of the account that signs.
pub struct Transactions {
    pub app: App,
    nfts: Arc<Nfts>,
    /// The account that signs, as the ledger names it.
    pub account: String,
    /// What the names of all contracts of its chain begin with. A record is minted in the contract that it names, also when the
    /// settings name another one by now.
    pub contracts: String,
}

impl Transactions {
    /// Those on the chain of the settings; none where they name none.
    pub fn new(app: &App, nfts: Arc<Nfts>) -> Option<Self> {
        let chain = nfts.chain.as_ref()?;
        let account = account_name(chain.contract.chain_id, chain.signer.address);
        let contracts = chain_prefix(chain.contract.chain_id);
        Some(Self { app: app.clone(), nfts, account, contracts })
    }

    /// The chain.
    pub fn chain(&self) -> &Chain {
        self.nfts.chain.as_ref().expect("new() gives none without a chain")
    }

    /// Takes every transaction that is due one step further; how many.
    pub async fn follow_due(&self) -> anyhow::Result<usize> {
        let claimed = LedgerEntry::claim(&self.app.db, &self.account, WINDOW).await?;
        let mut failure = None;
        for entry in &claimed {
            let done = match entry.status {
                EntryStatus::Signed => self.submit(entry).await,
                EntryStatus::Submitted => self.look_for(entry).await,
                _ => self.confirm(entry).await,
            };
            if let Err(cause) = done {
                // The others go on. A node that is away is asked again by the next step.
                entry.put_off(&self.app.db, pause(entry.failures), true).await?;
                failure = failure.or(Some(cause));
            }
        }
        failure.map_or(Ok(claimed.len()), Err)
    }

    /// Sends what was signed last, as often as it takes.
    async fn submit(&self, entry: &LedgerEntry) -> anyhow::Result<()> {
        if is_withdrawn(entry) {
            return self.replace(entry).await;
        }
        match self.chain().node.send(&entry.raw).await {
            Err(failure) if !failure.is_known() && !failure.is_taken() => {
                if self.is_refused_for_good(entry, &failure).await? {
                    return self.sign_anew(entry, &failure).await;
                }
                self.fail(entry, &failure).await
            }
            _ => self.submitted(entry, "submitted").await,
        }
    }

    /// A node has it.
    pub async fn submitted(&self, entry: &LedgerEntry, outcome: &'static str) -> anyhow::Result<()> {
        let mut tx = self.app.db.begin().await?;
        self.show(&mut tx, entry, MintStatus::Submitted, None).await?;
        entry.submit(&mut tx, POLL).await?;
        self.app.commit(tx).await?;
        count(outcome);
        Ok(())
    }

    /// It could not be sent. The bytes stay, and are sent again.
    pub async fn fail(&self, entry: &LedgerEntry, failure: &NodeFailure) -> anyhow::Result<()> {
        let reason = reason_of(failure);
        let mut tx = self.app.db.begin().await?;
        self.show(&mut tx, entry, MintStatus::Retry, Some(&reason)).await?;
        entry.put_off(&mut *tx, pause(entry.failures), true).await?;
        self.app.commit(tx).await?;
        if entry.failures.cast_unsigned().saturating_add(1).is_power_of_two() {
            tracing::warn!(nonce = entry.nonce, failures = entry.failures + 1, reason, "a transaction cannot be sent");
        }
        count("failed");
        Ok(())
    }

    /// Shows in the record how far its transaction is; of one that is not wanted any more there is nothing to show.
    async fn show(
        &self,
        tx: &mut PgTransaction<'_>,
        entry: &LedgerEntry,
        status: MintStatus,
        reason: Option<&str>,
    ) -> sqlx::Result<()> {
        let Some(record) = entry.record_id.filter(|_| entry.is_wanted) else { return Ok(()) };
        lock_token(tx, record).await?;
        show_step(tx, record, status, reason, entry.mined_hash.as_deref()).await
    }

    /// Looks for it in a block: it, or one that it has replaced.
    async fn look_for(&self, entry: &LedgerEntry) -> anyhow::Result<()> {
        if let Some(receipt) = self.receipt(entry).await? {
            return self.mined(entry, &receipt).await;
        }
        let chain = self.chain();
        // Its place is taken by another one, so deep that it stays.
        let deep = chain.node.height().await? - chain.confirmations + 1;
        if deep >= 0 && chain.node.nonce_at(chain.signer.address, deep).await? > entry.nonce {
            return self.lose(entry).await;
        }
        let is_late = entry.age >= chain.replace_after.as_secs_f64();
        if is_late {
            self.fill_gaps().await?;
        }
        if is_late || is_withdrawn(entry) {
            return self.replace(entry).await;
        }
        Ok(entry.put_off(&self.app.db, POLL, false).await?)
    }

    async fn receipt(&self, entry: &LedgerEntry) -> anyhow::Result<Option<Receipt>> {
        for (hash, _) in entry.signed(&self.app.db).await? {
            if let Some(receipt) = self.chain().node.receipt(&hash).await? {
                return Ok(Some(receipt));
            }
        }
        Ok(None)
    }

    async fn mined(&self, entry: &LedgerEntry, receipt: &Receipt) -> anyhow::Result<()> {
        let entry = LedgerEntry { mined_hash: Some(receipt.transaction_hash.to_string()), ..entry.clone() };
        let mut tx = self.app.db.begin().await?;
        self.show(&mut tx, &entry, MintStatus::Mined, None).await?;
        entry.mine(&mut tx, receipt, Duration::ZERO).await?;
        self.app.commit(tx).await?;
        count("mined");
        Ok(())
    }

    /// Another transaction has its nonce: its token is signed for anew.
    async fn lose(&self, entry: &LedgerEntry) -> anyhow::Result<()> {
        let mut tx = self.app.db.begin().await?;
        self.show(&mut tx, entry, MintStatus::Pinned, None).await?;
        entry.close(&mut tx, EntryStatus::Lost).await?;
        self.app.commit(tx).await?;
        tracing::warn!(nonce = entry.nonce, account = self.account, "a nonce was used by another holder of the key");
        count("lost");
        Ok(())
    }

    /// Whether its block is still there, and how deep it is.
    async fn confirm(&self, entry: &LedgerEntry) -> anyhow::Result<()> {
        let node = &self.chain().node;
        let height = entry.block_number.context("a mined transaction has a block")?;
        let block = node.block(Some(height)).await?;
        if block.map(|block| block.hash.to_string()) != entry.block_hash {
            count("reorganised");
            return match self.receipt(entry).await? {
                Some(receipt) => self.mined(entry, &receipt).await,
                None => self.return_to_node(entry).await,
            };
        }
        if node.height().await? - height + 1 < self.chain().confirmations {
            return Ok(entry.put_off(&self.app.db, POLL, false).await?);
        }
        let mut tx = self.app.db.begin().await?;
        let has_minted = entry.has_minted(&mut tx).await?;
        if has_minted && entry.succeeded == Some(true) {
            self.show(&mut tx, entry, MintStatus::Confirmed, None).await?;
        } else if has_minted {
            let reason = "the contract has refused the transaction";
            self.show(&mut tx, entry, MintStatus::Failed, Some(reason)).await?;
        }
        entry.close(&mut tx, EntryStatus::Confirmed).await?;
        self.app.commit(tx).await?;
        count(if entry.succeeded == Some(true) { "confirmed" } else { "refused" });
        Ok(())
    }

    /// A reorganisation has taken its block away: it is sent again, and waits.
    async fn return_to_node(&self, entry: &LedgerEntry) -> anyhow::Result<()> {
        self.submitted(entry, "submitted").await?;
        if is_withdrawn(entry) {
            // The next step replaces it.
            return Ok(());
        }
        match self.chain().node.send(&entry.raw).await {
            Err(failure) if !failure.is_known() && !failure.is_taken() => self.fail(entry, &failure).await,
            _ => Ok(()),
        }
    }
}

/// Whether what was signed last mints a token of content that was withdrawn.
pub fn is_withdrawn(entry: &LedgerEntry) -> bool {
    entry.mints && !entry.is_wanted
}

/// What an author reads of a failure.
pub fn reason_of(failure: &NodeFailure) -> String {
    if failure.is_without_money() {
        "the account that pays has not enough money for the fees".to_owned()
    } else {
        failure.to_string()
    }
}

/// Counts what became of a transaction.
pub fn count(outcome: &'static str) {
    metrics::counter!("chain_transactions_total", "outcome" => outcome).increment(1);
}

/// How long to wait after that many failures: exponential with jitter, capped.
pub fn pause(failures: i32) -> Duration {
    let doubled = FIRST_WAIT.saturating_mul(1 << failures.clamp(0, 10)).min(MAX_WAIT);
    doubled.mul_f64(rand::rng().random_range(0.5..=1.0))
}
