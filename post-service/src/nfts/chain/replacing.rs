//! Signs another transaction at a nonce: in place of one that is stuck, that no node takes, or whose content was withdrawn.
use super::contract::{ContractCall, TokenContract};
use super::fees::Fees;
use super::ledger::models::{LedgerEntry, Signed, enter, find_gaps};
use super::node::NodeFailure;
use super::signing::with_margin;
use super::transactions::{Transactions, count, is_withdrawn, pause};

/// The gas of a transfer, which a transaction to no effect is: of nothing, to oneself.
const TRANSFER_GAS: i64 = 21_000;
/// How often the time is doubled after which what no node takes is signed anew: from three minutes to half a day, by default.
const MAX_DOUBLINGS: usize = 8;

impl Transactions {
    /// Signs another transaction at its nonce and sends it: with a higher fee, and to no effect where its content was withdrawn.
    pub async fn replace(&self, entry: &LedgerEntry) -> anyhow::Result<()> {
        let chain = self.chain();
        let old = Fees { max: entry.max_fee, tip: entry.max_priority_fee };
        let now = Fees::ask(&chain.node, chain.fee_cap).await?;
        let raised = now.and_then(|now| old.raised(now, chain.fee_cap));
        // Where no node has what was withdrawn, the fees of now are enough to fill its nonce.
        let fees = if is_withdrawn(entry) { raised.or(now) } else { raised };
        let Ok(fees) = fees else {
            if is_withdrawn(entry) {
                return Ok(entry.put_off(&self.app.db, pause(entry.failures), true).await?);
            }
            // What was signed goes out again, in case the node has dropped it.
            return match chain.node.send(&entry.raw).await {
                Err(failure) if !failure.is_known() && !failure.is_taken() => self.fail(entry, &failure).await,
                _ => Ok(entry.put_off(&self.app.db, pause(entry.failures), true).await?),
            };
        };
        let call = call_of_entry(entry)?;
        let gas = if call.is_some() { entry.gas } else { TRANSFER_GAS };
        self.send_other(entry, call, gas, fees).await
    }

    /// Whether a node has refused what was signed for as long as one that is in no block is waited for, and no node has it: by then it is
    /// not the state of the node, but what was signed. Twice as long each time that other bytes were no better.
    pub async fn is_refused_for_good(&self, entry: &LedgerEntry, failure: &NodeFailure) -> anyhow::Result<bool> {
        let wait = self.chain().replace_after.as_secs_f64();
        if !matches!(failure, NodeFailure::Refused { .. }) || failure.is_without_money() || entry.age < wait {
            return Ok(false);
        }
        let doublings = entry.signed(&self.app.db).await?.len().saturating_sub(1).min(MAX_DOUBLINGS);
        Ok(entry.age >= wait * f64::from(1_u32 << doublings))
    }

    /// Signs other bytes at a nonce in place of those that a node refuses: with the gas and the fees of now. Where these would be the same,
    /// the node is asked again.
    pub async fn sign_anew(&self, entry: &LedgerEntry, failure: &NodeFailure) -> anyhow::Result<()> {
        // Some nodes take no nonce behind one that is missing.
        self.fill_gaps().await?;
        let chain = self.chain();
        let call = call_of_entry(entry)?;
        let gas = match &call {
            None => TRANSFER_GAS,
            Some(call) => match chain.node.gas(chain.signer.address, Some(call.contract), &call.data).await {
                Ok(gas) => with_margin(gas)?,
                // What the contract refuses still has to use up its nonce, or it stops all that come after it.
                Err(NodeFailure::Refused { .. }) => entry.gas,
                Err(away) => return self.fail(entry, &away).await,
            },
        };
        let fees = Fees::ask(&chain.node, chain.fee_cap).await?;
        match fees {
            Ok(fees) if (fees.max, fees.tip, gas) != (entry.max_fee, entry.max_priority_fee, entry.gas) => {
                self.send_other(entry, call, gas, fees).await
            }
            _ => self.fail(entry, failure).await,
        }
    }

    /// Stores another transaction at a nonce, and sends it.
    async fn send_other(
        &self,
        entry: &LedgerEntry,
        call: Option<ContractCall>,
        gas: i64,
        fees: Fees,
    ) -> anyhow::Result<()> {
        let (chain, mints) = (self.chain(), call.is_some());
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
}

/// The call of what a nonce mints, in the contract that its record names; none where it only fills its place, or is not wanted any more.
fn call_of_entry(entry: &LedgerEntry) -> anyhow::Result<Option<ContractCall>> {
    match (&entry.contract, &entry.recipient, &entry.token_id, &entry.token_uri) {
        (Some(contract), Some(recipient), Some(token), Some(uri)) if entry.mints && entry.is_wanted => {
            TokenContract::stored_call(contract, recipient, token, uri).map(Some)
        }
        _ => Ok(None),
    }
}
