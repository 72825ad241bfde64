//! Signs, sends and follows transactions, and reads what the contract reports. See the chain's `mod.rs`.
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use rand::RngExt;

use super::contract::{Refusal, TokenContract, account_name, token_word};
use super::fees::Fees;
use super::ledger::models::{
    EntryStatus, LedgerEntry, Signed, backlog, enter, find_gaps, move_on, next_block, take_nonce,
};
use super::node::{NodeFailure, Receipt};
use super::settings::{Chain, Payer};
use crate::core::app::App;
use crate::core::ground::worker::{Outcome, Worker};
use crate::nfts::MintStatus;
use crate::nfts::signals;
use crate::nfts::state::Nfts;
use crate::nfts::tokens::models::{Minted, UnsignedToken, lock_token, save_minted, show_step};

/// How often the worker looks for what is due, and the node is asked about what is on its way. Blocks take some seconds.
const POLL: Duration = Duration::from_secs(2);
/// Tokens that are signed in one step, and transactions that are looked at.
const WINDOW: i64 = 64;
/// Blocks whose events are read by one call; nodes refuse more than some thousand.
const BLOCKS: i64 = 1_000;
/// The wait after the first failure; it doubles with each further one.
const FIRST_WAIT: Duration = Duration::from_secs(5);
/// The longest wait.
const MAX_WAIT: Duration = Duration::from_mins(10);
/// How often a call that the contract refuses is tried in a row, over some hours.
const MAX_REFUSALS: i32 = 30;
/// The gas that is allowed for beside what a node has estimated, in percent: the contract's storage may change before it is mined.
const GAS_MARGIN_PERCENT: u64 = 25;
/// How often what waits is counted.
const MEASURED: Duration = Duration::from_secs(5);

/// Has tokens minted, and learns which are.
pub struct TokenMinter {
    app: App,
    nfts: Arc<Nfts>,
    account: String,
    contract: String,
    /// Whether the node is of the chain that the settings name.
    is_checked: bool,
    measured: Option<Instant>,
}

impl TokenMinter {
    /// A worker for the chain of the settings; none where they name none.
    pub fn new(app: &App, nfts: Arc<Nfts>) -> Option<Self> {
        let chain = nfts.chain.as_ref()?;
        for outcome in [
            "signed",
            "submitted",
            "replaced",
            "filled",
            "mined",
            "reorganised",
            "confirmed",
            "refused",
            "lost",
            "failed",
        ] {
            metrics::counter!("chain_transactions_total", "outcome" => outcome).increment(0);
        }
        let account = account_name(chain.contract.chain_id, chain.signer.address);
        let contract = chain.contract.name();
        Some(Self { app: app.clone(), nfts, account, contract, is_checked: false, measured: None })
    }

    fn chain(&self) -> &Chain {
        self.nfts.chain.as_ref().expect("new() gives no worker without a chain")
    }

    /// Signs the transactions of tokens that are due; how many.
    pub async fn sign_due(&self) -> anyhow::Result<usize> {
        if self.chain().payer == Payer::Author {
            return Ok(0);
        }
        let claimed = UnsignedToken::claim(&self.app.db, &self.contract, WINDOW).await?;
        for token in &claimed {
            self.sign(token).await?;
        }
        Ok(claimed.len())
    }

    async fn sign(&self, token: &UnsignedToken) -> anyhow::Result<()> {
        let chain = self.chain();
        let call = call_of(&token.recipient, &token.token_id, &token.token_uri)?;
        let asked = async {
            let gas = chain.node.gas(chain.signer.address, Some(chain.contract.address), &call).await?;
            let fees = Fees::ask(&chain.node, chain.fee_cap).await?;
            Ok((gas, fees, chain.node.nonce(chain.signer.address, true).await?))
        };
        let (gas, fees, seen) = match asked.await {
            Ok((gas, Ok(fees), seen)) => (gas, fees, seen),
            Ok((_, Err(_), _)) => return self.wait_for_fees(token).await,
            Err(failure) => return self.refuse(token, &failure).await,
        };
        let gas = i64::try_from(gas.saturating_add(gas * GAS_MARGIN_PERCENT / 100))?;
        let mut tx = self.app.db.begin().await?;
        lock_token(&mut tx, token.id).await?;
        let nonce = take_nonce(&mut tx, &self.account, seen).await?;
        let raw = chain.transaction(nonce, gas, fees, Some(call))?;
        if !token.sign(&mut tx, &raw.hash.to_string()).await? {
            // Rolled back, with the nonce.
            return Ok(());
        }
        enter(&mut tx, &self.account, nonce, Some(token.id), &Signed { raw: &raw, fees, gas, mints: true }).await?;
        self.app.commit(tx).await?;
        count("signed");
        Ok(())
    }

    async fn wait_for_fees(&self, token: &UnsignedToken) -> anyhow::Result<()> {
        let reason = "the chain asks for higher fees than MINTING_MAX_FEE allows";
        self.put_off(token, MintStatus::Retry, reason, pause(token.failures)).await
    }

    async fn refuse(&self, token: &UnsignedToken, failure: &NodeFailure) -> anyhow::Result<()> {
        let wait = pause(token.failures);
        let data = match failure {
            NodeFailure::Refused { data, .. } if !failure.is_without_money() => data,
            _ => return self.put_off(token, MintStatus::Retry, &reason_of(failure), wait).await,
        };
        let (status, reason) = match Refusal::read(data) {
            // Its event is read in time.
            Refusal::AlreadyMinted => (MintStatus::Retry, "the contract has minted it already".to_owned()),
            Refusal::UnsafeRecipient => {
                (MintStatus::Failed, "the recipient is a contract that accepts no tokens".to_owned())
            }
            Refusal::NotMinter => (MintStatus::Retry, "the account that signs is no minter of the contract".to_owned()),
            Refusal::Other if token.failures < MAX_REFUSALS => (MintStatus::Retry, failure.to_string()),
            Refusal::Other => (MintStatus::Failed, failure.to_string()),
        };
        self.put_off(token, status, &reason, wait).await
    }

    async fn put_off(
        &self,
        token: &UnsignedToken,
        status: MintStatus,
        reason: &str,
        wait: Duration,
    ) -> anyhow::Result<()> {
        let mut tx = self.app.db.begin().await?;
        token.put_off(&mut tx, status, reason, wait).await?;
        self.app.commit(tx).await?;
        let outcome = if status == MintStatus::Failed { "failed" } else { "retried" };
        metrics::counter!("nft_mints_total", "outcome" => outcome).increment(1);
        Ok(())
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
        if entry.mints && !entry.is_wanted {
            return self.replace(entry).await;
        }
        match self.chain().node.send(&entry.raw).await {
            Err(failure) if !failure.is_known() && !failure.is_taken() => self.fail(entry, &failure).await,
            _ => self.submitted(entry, "submitted").await,
        }
    }

    async fn submitted(&self, entry: &LedgerEntry, outcome: &'static str) -> anyhow::Result<()> {
        let mut tx = self.app.db.begin().await?;
        self.show(&mut tx, entry, MintStatus::Submitted, None).await?;
        entry.submit(&mut tx, POLL).await?;
        self.app.commit(tx).await?;
        count(outcome);
        Ok(())
    }

    /// It could not be sent. The bytes stay, and are sent again.
    async fn fail(&self, entry: &LedgerEntry, failure: &NodeFailure) -> anyhow::Result<()> {
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
        tx: &mut sqlx::PgTransaction<'_>,
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
        if is_late || (entry.mints && !entry.is_wanted) {
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

    /// Signs another transaction at its nonce and sends it: with a higher fee, and to no effect where its content was withdrawn.
    async fn replace(&self, entry: &LedgerEntry) -> anyhow::Result<()> {
        let chain = self.chain();
        let old = Fees { max: entry.max_fee, tip: entry.max_priority_fee };
        let now = Fees::ask(&chain.node, chain.fee_cap).await?;
        let Ok(fees) = now.and_then(|now| old.raised(now, chain.fee_cap)) else {
            // What was signed goes out again, in case the node has dropped it.
            return match chain.node.send(&entry.raw).await {
                Err(failure) if !failure.is_known() && !failure.is_taken() => self.fail(entry, &failure).await,
                _ => Ok(entry.put_off(&self.app.db, pause(entry.failures), true).await?),
            };
        };
        let call = match (&entry.recipient, &entry.token_id, &entry.token_uri) {
            (Some(recipient), Some(token), Some(uri)) if entry.mints && entry.is_wanted => {
                Some(call_of(recipient, token, uri)?)
            }
            _ => None,
        };
        let (gas, mints) = if call.is_some() { (entry.gas, true) } else { (TRANSFER_GAS, false) };
        let raw = chain.transaction(entry.nonce, gas, fees, call)?;
        let mut tx = self.app.db.begin().await?;
        entry.replace(&mut tx, &Signed { raw: &raw, fees, gas, mints }).await?;
        self.app.commit(tx).await?;
        count(if mints { "replaced" } else { "filled" });
        match chain.node.send(&raw.bytes).await {
            Err(failure) if !failure.is_known() && !failure.is_taken() => self.fail(entry, &failure).await,
            _ => self.submitted(entry, "submitted").await,
        }
    }

    /// Fills nonces that were passed over with transactions to no effect.
    pub async fn fill_gaps(&self) -> anyhow::Result<()> {
        let chain = self.chain();
        let from = chain.node.nonce(chain.signer.address, false).await?;
        let Ok(fees) = Fees::ask(&chain.node, chain.fee_cap).await? else { return Ok(()) };
        let mut tx = self.app.db.begin().await?;
        for nonce in find_gaps(&mut tx, &self.account, from).await? {
            let raw = chain.transaction(nonce, TRANSFER_GAS, fees, None)?;
            let signed = Signed { raw: &raw, fees, gas: TRANSFER_GAS, mints: false };
            enter(&mut tx, &self.account, nonce, None, &signed).await?;
            count("filled");
        }
        Ok(self.app.commit(tx).await?)
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
        match self.chain().node.send(&entry.raw).await {
            Err(failure) if !failure.is_known() && !failure.is_taken() => self.fail(entry, &failure).await,
            _ => Ok(()),
        }
    }

    /// Reads what the contract reports, in blocks that stay; whether there is more to read.
    pub async fn read_events(&self) -> anyhow::Result<bool> {
        let chain = self.chain();
        let last = chain.node.height().await? - chain.confirmations + 1;
        // A contract that was never read has no token of an earlier time than its first reader: vouchers are given beside it.
        let from = next_block(&self.app.db, &self.contract, (last - BLOCKS).max(0)).await?;
        let to = last.min(from + BLOCKS - 1);
        #[expect(clippy::cast_precision_loss, reason = "a gauge is a float; heights stay far below 2^52")]
        metrics::gauge!("chain_events_behind_blocks").set((last - to).max(0) as f64);
        let mut tokens = Vec::new();
        if to >= from {
            for log in chain.node.logs(chain.contract.address, TokenContract::minting_topics(), (from, to)).await? {
                let minted = TokenContract::read_minted(&log)?;
                tokens.push((token_word(minted.id), minted.recipient.to_string(), minted.transaction.to_string()));
            }
        }
        let mut tx = self.app.db.begin().await?;
        if to >= from && !move_on(&mut tx, &self.contract, from, to + 1).await? {
            return Ok(true);
        }
        if !tokens.is_empty() {
            save_minted(&mut tx, &self.contract, &tokens).await?;
        }
        for minted in Minted::settle(&mut tx).await? {
            signals::minted(&mut tx, &minted).await?;
        }
        self.app.commit(tx).await?;
        Ok(to < last)
    }

    async fn check(&mut self) -> anyhow::Result<()> {
        if !self.is_checked {
            let (expected, found) = (self.chain().contract.chain_id, self.chain().node.chain_id().await?);
            anyhow::ensure!(expected == found, "the node is of chain {found}, and CHAIN_ID is {expected}");
            self.is_checked = true;
        }
        Ok(())
    }

    async fn measure(&mut self) -> anyhow::Result<()> {
        if self.measured.is_some_and(|last| last.elapsed() < MEASURED) {
            return Ok(());
        }
        let (waiting, age) = backlog(&self.app.db, &self.account).await?;
        #[expect(clippy::cast_precision_loss, reason = "a gauge is a float; counts stay far below 2^52")]
        metrics::gauge!("chain_transactions_waiting").set(waiting as f64);
        metrics::gauge!("chain_transactions_age_seconds").set(age);
        self.measured = Some(Instant::now());
        Ok(())
    }
}

impl Worker for TokenMinter {
    async fn step(&mut self) -> anyhow::Result<Outcome> {
        self.measure().await?;
        self.check().await?;
        let signed = self.sign_due().await?;
        // What cannot be sent does not keep the contract's events from being read.
        let followed = self.follow_due().await;
        let has_more = self.read_events().await?;
        let is_busy = signed > 0 || followed? > 0 || has_more;
        Ok(if is_busy { Outcome::Busy } else { Outcome::Idle(POLL) })
    }
}

/// The gas of a transfer, which a transaction to no effect is: of nothing, to oneself.
const TRANSFER_GAS: i64 = 21_000;

/// The data of the transaction that mints a token, from what is stored of it.
fn call_of(recipient: &str, token: &str, uri: &str) -> anyhow::Result<Vec<u8>> {
    Ok(TokenContract::mint_call(recipient.parse()?, token.parse()?, uri))
}

/// What an author reads of a failure.
fn reason_of(failure: &NodeFailure) -> String {
    if failure.is_without_money() {
        "the account that pays has not enough money for the fees".to_owned()
    } else {
        failure.to_string()
    }
}

fn count(outcome: &'static str) {
    metrics::counter!("chain_transactions_total", "outcome" => outcome).increment(1);
}

/// How long to wait after that many failures: exponential with jitter, capped.
fn pause(failures: i32) -> Duration {
    let doubled = FIRST_WAIT.saturating_mul(1 << failures.clamp(0, 10)).min(MAX_WAIT);
    doubled.mul_f64(rand::rng().random_range(0.5..=1.0))
}
