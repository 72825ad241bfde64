//! The settings of the chain.
use std::path::PathBuf;
use std::time::Duration;

use alloy_consensus::TxEip1559;
use alloy_primitives::{Address, TxKind};
use anyhow::{Context, bail};
use clap::{Args, ValueEnum};

use super::contract::{ContractCall, TokenContract};
use super::fees::Fees;
use super::node::ChainNode;
use super::signer::{ChainSigner, RawTransaction};

/// Wei in a gwei, the unit in which fees are written.
const GWEI: i64 = 1_000_000_000;

/// The accounts that can pay for a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Payer {
    /// The author, or any other account, by a voucher
    Author,
    /// This service, by transactions of its own
    Server,
}

/// Settings of the chain.
#[derive(Args, Clone, Debug)]
pub struct ChainSettings {
    /// The node of the chain: its JSON-RPC over HTTP. Without it metadata is pinned, and no token is made
    #[arg(long, env = "CHAIN_RPC_URL", hide_env_values = true)]
    pub chain_rpc_url: Option<reqwest::Url>,

    /// The id of the chain, by EIP-155; the node must be of it
    #[arg(long, env = "CHAIN_ID")]
    pub chain_id: Option<u64>,

    /// The address of the contract, with its checksum; `deploy-contract` prints it
    #[arg(long, env = "MINTING_CONTRACT", value_parser = address)]
    pub minting_contract: Option<Address>,

    /// A file with the key of the account that signs, which the contract must have as a minter: 64 hexadecimal digits, readable
    /// by its owner alone
    #[arg(long, env = "MINTING_KEY_FILE")]
    pub minting_key_file: Option<PathBuf>,

    /// The account that pays for a token
    #[arg(long, env = "MINTING_PAYER", value_enum, default_value_t = Payer::Author)]
    pub minting_payer: Payer,

    /// Blocks that have what is taken for final, its own block included
    #[arg(long, env = "MINTING_CONFIRMATIONS", default_value_t = 12, value_parser = clap::value_parser!(i64).range(1..=100))]
    pub minting_confirmations: i64,

    /// The most that is paid for a unit of gas, in gwei; where the chain asks for more, transactions wait
    #[arg(long, env = "MINTING_MAX_FEE", default_value_t = 100, value_parser = clap::value_parser!(i64).range(1..=1_000_000))]
    pub minting_max_fee: i64,

    /// Seconds after which a transaction that is in no block is replaced by one with a higher fee
    #[arg(long, env = "MINTING_REPLACE_AFTER", default_value_t = 180, value_parser = clap::value_parser!(u32).range(1..=86_400))]
    pub minting_replace_after: u32,
}

/// Reads an address as wallets write it.
pub fn address(text: &str) -> Result<Address, String> {
    Address::parse_checksummed(text, None).map_err(|_| format!("{text} is no address with its checksum (EIP-55)"))
}

/// The chain, as the settings describe it.
pub struct Chain {
    pub node: ChainNode,
    pub contract: TokenContract,
    pub signer: ChainSigner,
    pub payer: Payer,
    pub confirmations: i64,
    /// In wei for a unit of gas.
    pub fee_cap: i64,
    pub replace_after: Duration,
}

impl ChainSettings {
    /// The chain; none where no node is set. It makes no call yet.
    pub fn open(&self, http: &reqwest::Client) -> anyhow::Result<Option<Chain>> {
        let Some(url) = self.chain_rpc_url.clone() else {
            if self.minting_contract.is_some() || self.minting_payer == Payer::Server {
                bail!("MINTING_CONTRACT and MINTING_PAYER need CHAIN_RPC_URL, the node of the chain");
            }
            return Ok(None);
        };
        let (chain_id, signer) = self.account()?;
        let contract = self.minting_contract.context("CHAIN_RPC_URL needs MINTING_CONTRACT; see deploy-contract")?;
        Ok(Some(Chain {
            node: ChainNode::new(url, http),
            contract: TokenContract { chain_id, address: contract },
            signer,
            payer: self.minting_payer,
            confirmations: self.minting_confirmations,
            fee_cap: self.fee_cap(),
            replace_after: Duration::from_secs(self.minting_replace_after.into()),
        }))
    }

    /// The chain and the account that signs on it.
    pub fn account(&self) -> anyhow::Result<(u64, ChainSigner)> {
        let chain_id = self.chain_id.context("CHAIN_RPC_URL needs CHAIN_ID, the id of its chain")?;
        let file =
            self.minting_key_file.as_ref().context("CHAIN_RPC_URL needs MINTING_KEY_FILE, the key that signs")?;
        Ok((chain_id, ChainSigner::read(file)?))
    }

    /// The most that is paid for a unit of gas, in wei.
    pub fn fee_cap(&self) -> i64 {
        self.minting_max_fee * GWEI
    }
}

impl Chain {
    /// Signs a transaction at a nonce: a call of a contract, or without one a transfer of nothing to oneself.
    pub fn transaction(
        &self,
        nonce: i64,
        gas: i64,
        fees: Fees,
        call: Option<ContractCall>,
    ) -> anyhow::Result<RawTransaction> {
        let (to, data) = call.map_or_else(|| (self.signer.address, Vec::new()), |call| (call.contract, call.data));
        self.signer.sign(&TxEip1559 {
            chain_id: self.contract.chain_id,
            nonce: nonce.try_into()?,
            gas_limit: gas.try_into()?,
            max_fee_per_gas: fees.max.try_into()?,
            max_priority_fee_per_gas: fees.tip.try_into()?,
            to: TxKind::Call(to),
            input: data.into(),
            ..TxEip1559::default()
        })
    }
}
