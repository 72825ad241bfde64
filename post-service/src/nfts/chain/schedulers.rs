//! Signs, sends and follows transactions, and reads what the contract reports. See the chain's `mod.rs`.
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;

use super::contract::{TokenContract, token_word};
use super::ledger::models::{ContractReader, backlog, move_on};
use super::settings::Payer;
use super::transactions::{POLL, Transactions};
use crate::core::app::App;
use crate::core::ground::worker::{Outcome, Worker};
use crate::nfts::signals;
use crate::nfts::state::Nfts;
use crate::nfts::tokens::models::{Minted, save_minted};

/// Blocks whose events are read by one call; nodes refuse more than some thousand.
const BLOCKS: i64 = 1_000;
/// How often what waits is counted.
const MEASURED: Duration = Duration::from_secs(5);
/// How often the account that pays is asked for what it has: each is a call of the node, and money goes slowly.
const WEIGHED: Duration = Duration::from_mins(1);

/// Has tokens minted, and learns which are.
pub struct TokenMinter {
    pub transactions: Transactions,
    /// Whether the node is of the chain that the settings name.
    is_checked: bool,
    measured: Option<Instant>,
    weighed: Option<Instant>,
}

impl TokenMinter {
    /// A worker for the chain of the settings; none where they name none.
    pub fn new(app: &App, nfts: Arc<Nfts>) -> Option<Self> {
        let transactions = Transactions::new(app, nfts)?;
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
        Some(Self { transactions, is_checked: false, measured: None, weighed: None })
    }

    /// Reads what the contracts report, in blocks that stay; whether there is more to read.
    pub async fn read_events(&self) -> anyhow::Result<bool> {
        let (db, chain) = (&self.transactions.app.db, self.transactions.chain());
        let last = chain.node.height().await? - chain.confirmations + 1;
        // A contract that was never read has no token of an earlier time than its first reader: vouchers are given beside it.
        ContractReader::begin(db, &chain.contract.name(), (last - BLOCKS).max(0)).await?;
        let mut behind = 0;
        for reader in ContractReader::list(db, &self.transactions.contracts).await? {
            behind = behind.max(self.read_contract(&reader, last).await?);
        }
        #[expect(clippy::cast_precision_loss, reason = "a gauge is a float; heights stay far below 2^52")]
        metrics::gauge!("chain_events_behind_blocks").set(behind as f64);
        let mut tx = db.begin().await?;
        let settled = Minted::settle(&mut tx).await?;
        for minted in &settled {
            signals::minted(&mut tx, minted).await?;
        }
        if !settled.is_empty() {
            self.transactions.app.commit(tx).await?;
        }
        Ok(behind > 0)
    }

    /// Reads what a contract reports, up to a block; how many blocks are left.
    async fn read_contract(&self, reader: &ContractReader, last: i64) -> anyhow::Result<i64> {
        let (from, to) = (reader.next_block, last.min(reader.next_block + BLOCKS - 1));
        if to < from {
            return Ok(0);
        }
        let contract = TokenContract::parse(&reader.contract).context("the name of a contract")?;
        let node = &self.transactions.chain().node;
        let mut tokens = Vec::new();
        for log in node.logs(contract.address, TokenContract::minting_topics(), (from, to)).await? {
            let minted = TokenContract::read_minted(&log)?;
            tokens.push((token_word(minted.id), minted.recipient.to_string(), minted.transaction.to_string()));
        }
        let mut tx = self.transactions.app.db.begin().await?;
        // Another replica may have read them; what is left is read by the next step.
        if move_on(&mut tx, &reader.contract, from, to + 1).await? {
            if !tokens.is_empty() {
                save_minted(&mut tx, &reader.contract, &tokens).await?;
            }
            self.transactions.app.commit(tx).await?;
        }
        Ok(last - to)
    }

    async fn check(&mut self) -> anyhow::Result<()> {
        if !self.is_checked {
            let (expected, found) =
                (self.transactions.chain().contract.chain_id, self.transactions.chain().node.chain_id().await?);
            anyhow::ensure!(expected == found, "the node is of chain {found}, and CHAIN_ID is {expected}");
            self.is_checked = true;
        }
        Ok(())
    }

    async fn measure(&mut self) -> anyhow::Result<()> {
        if self.measured.is_some_and(|last| last.elapsed() < MEASURED) {
            return Ok(());
        }
        let (waiting, age) = backlog(&self.transactions.app.db, &self.transactions.account).await?;
        #[expect(clippy::cast_precision_loss, reason = "a gauge is a float; counts stay far below 2^52")]
        metrics::gauge!("chain_transactions_waiting").set(waiting as f64);
        metrics::gauge!("chain_transactions_age_seconds").set(age);
        self.measured = Some(Instant::now());
        Ok(())
    }

    /// Measures what the account has that pays for transactions. Where authors pay, it needs nothing.
    async fn weigh(&mut self) -> anyhow::Result<()> {
        let chain = self.transactions.chain();
        if chain.payer != Payer::Server || self.weighed.is_some_and(|last| last.elapsed() < WEIGHED) {
            return Ok(());
        }
        let gwei = chain.node.balance(chain.signer.address).await?;
        #[expect(
            clippy::cast_precision_loss,
            reason = "a gauge is a float; what is lost is far below the price of a transaction"
        )]
        metrics::gauge!("chain_signer_balance_ether").set(gwei as f64 / 1e9);
        self.weighed = Some(Instant::now());
        Ok(())
    }
}

impl Worker for TokenMinter {
    async fn step(&mut self) -> anyhow::Result<Outcome> {
        self.measure().await?;
        self.check().await?;
        let signed = self.transactions.sign_due().await?;
        // What cannot be sent does not keep the contract's events from being read.
        let followed = self.transactions.follow_due().await;
        let has_more = self.read_events().await?;
        let is_busy = signed > 0 || followed? > 0 || has_more;
        self.weigh().await?;
        Ok(if is_busy { Outcome::Busy } else { Outcome::Idle(POLL) })
    }
}

/// Starts the worker. It runs where minting is off as well, so that what was begun comes to its end.
pub fn start(app: &App, nfts: &Arc<Nfts>) {
    if let Some(minter) = TokenMinter::new(app, nfts.clone()) {
        app.start("tokens", minter);
    }
}
