//! What an operator does at the command line, beside the running service: deploys the contract.
use std::io::Write;
use std::time::{Duration, Instant};

use alloy_consensus::TxEip1559;
use alloy_primitives::{Address, Bytes, TxKind};
use anyhow::{Context, ensure};
use clap::Args;

use super::contract::deployment;
use super::fees::Fees;
use super::node::ChainNode;
use super::settings::{ChainSettings, address};
use crate::core::ground::http_client;

/// How long a call of the node may take.
const CALL_TIMEOUT: Duration = Duration::from_secs(10);
/// How often the node is asked whether the contract is there.
const LOOK: Duration = Duration::from_secs(1);
/// How long it may take until the contract is in a block.
const MAX_WAIT: Duration = Duration::from_mins(5);

/// Options of the deployment.
#[derive(Args, Clone, Debug)]
pub struct Deployment {
    /// The account that may mint and sign vouchers; the one that deploys, if not given
    #[arg(long, value_parser = address)]
    pub minter: Option<Address>,
}

/// Deploys the contract with the key of the settings, whose account owns it then, and prints its address. It uses no database, and
/// must not run while the service sends transactions with the same key.
pub async fn deploy(settings: &ChainSettings, options: &Deployment, out: &mut impl Write) -> anyhow::Result<()> {
    let url = settings.chain_rpc_url.clone().context("CHAIN_RPC_URL is needed: the node of the chain")?;
    let http = http_client::builder().connect_timeout(CALL_TIMEOUT).timeout(CALL_TIMEOUT).build()?;
    let node = ChainNode::new(url, &http);
    let (chain_id, signer) = settings.account()?;
    let found = node.chain_id().await?;
    ensure!(found == chain_id, "the node is of chain {found}, and CHAIN_ID is {chain_id}");
    let input = deployment(options.minter.unwrap_or(signer.address))?;
    let gas = node.gas(signer.address, None, &input).await?;
    let fees = Fees::ask(&node, settings.fee_cap()).await?;
    let fees = fees.map_err(|_| anyhow::anyhow!("the chain asks for higher fees than MINTING_MAX_FEE allows"))?;
    let raw = signer.sign(&TxEip1559 {
        chain_id,
        nonce: node.nonce(signer.address, true).await?.try_into()?,
        gas_limit: gas + gas / 10,
        max_fee_per_gas: fees.max.try_into()?,
        max_priority_fee_per_gas: fees.tip.try_into()?,
        to: TxKind::Create,
        input: Bytes::from(input),
        ..TxEip1559::default()
    })?;
    node.send(&raw.bytes).await?;
    let began = Instant::now();
    let receipt = loop {
        if let Some(receipt) = node.receipt(&raw.hash.to_string()).await? {
            break receipt;
        }
        ensure!(began.elapsed() < MAX_WAIT, "transaction {} is in no block yet; its receipt has the address", raw.hash);
        tokio::time::sleep(LOOK).await;
    };
    ensure!(receipt.status == alloy_primitives::U256::ONE, "the chain has refused transaction {}", raw.hash);
    let contract = receipt.contract_address.context("the receipt names no contract")?;
    Ok(writeln!(out, "{contract}")?)
}
