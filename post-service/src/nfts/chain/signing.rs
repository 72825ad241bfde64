//! Signs the transactions of tokens whose recipients are named.
use std::time::Duration;

use super::contract::{ContractRefusal, TokenContract};
use super::fees::Fees;
use super::ledger::models::{Signed, enter, take_nonce};
use super::node::NodeFailure;
use super::settings::Payer;
use super::transactions::{Transactions, WINDOW, count, pause, reason_of};
use crate::nfts::MintStatus;
use crate::nfts::tokens::models::{UnsignedToken, lock_token};

/// How often a call that the contract refuses is tried in a row, over some hours.
const MAX_REFUSALS: i32 = 30;
/// The gas that is allowed for beside what a node has estimated, in percent: the contract's storage may change before it is mined.
const GAS_MARGIN_PERCENT: u64 = 25;

impl Transactions {
    /// Signs the transactions of tokens that are due; how many.
    pub async fn sign_due(&self) -> anyhow::Result<usize> {
        if self.chain().payer == Payer::Author {
            return Ok(0);
        }
        let claimed = UnsignedToken::claim(&self.app.db, &self.contracts, WINDOW).await?;
        for token in &claimed {
            self.sign(token).await?;
        }
        Ok(claimed.len())
    }

    async fn sign(&self, token: &UnsignedToken) -> anyhow::Result<()> {
        let chain = self.chain();
        let call = TokenContract::stored_call(&token.contract, &token.recipient, &token.token_id, &token.token_uri)?;
        let asked = async {
            let gas = chain.node.gas(chain.signer.address, Some(call.contract), &call.data).await?;
            let fees = Fees::ask(&chain.node, chain.fee_cap).await?;
            Ok((gas, fees, chain.node.nonce(chain.signer.address, true).await?))
        };
        let (gas, fees, seen) = match asked.await {
            Ok((gas, Ok(fees), seen)) => (gas, fees, seen),
            Ok((_, Err(_), _)) => return self.wait_for_fees(token).await,
            Err(failure) => return self.refuse(token, &failure).await,
        };
        let gas = with_margin(gas)?;
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
        let (status, reason) = match ContractRefusal::read(data) {
            // Its event is read in time.
            ContractRefusal::AlreadyMinted => (MintStatus::Retry, "the contract has minted it already".to_owned()),
            ContractRefusal::UnsafeRecipient => {
                (MintStatus::Failed, "the recipient is a contract that accepts no tokens".to_owned())
            }
            ContractRefusal::NotMinter => {
                (MintStatus::Retry, "the account that signs is no minter of the contract".to_owned())
            }
            ContractRefusal::Other if token.failures < MAX_REFUSALS => (MintStatus::Retry, failure.to_string()),
            ContractRefusal::Other => (MintStatus::Failed, failure.to_string()),
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
}

/// The gas that a transaction may use, from what a node has estimated that it needs.
pub fn with_margin(gas: u64) -> anyhow::Result<i64> {
    Ok(i64::try_from(gas.saturating_add(gas.saturating_mul(GAS_MARGIN_PERCENT) / 100))?)
}
