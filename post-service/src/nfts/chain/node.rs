//! A node of the chain, asked by JSON-RPC over HTTP (<https://ethereum.github.io/execution-apis/>).
use std::sync::atomic::{AtomicU64, Ordering};

use alloy_primitives::{Address, B256, Bytes, U256};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::core::ground::telemetry::spans;

/// The longest answer that is read, in bytes. Events of two thousand blocks have some hundred thousand.
const MAX_ANSWER_BYTES: usize = 4 * 1024 * 1024;
/// The longest message of a node that is kept, in characters.
const MAX_MESSAGE: usize = 300;

/// A node that is asked.
pub struct ChainNode {
    url: reqwest::Url,
    http: reqwest::Client,
    /// The id of the last call.
    calls: AtomicU64,
}

/// Why a node has not done what it was asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NodeFailure {
    /// It cannot be reached, or what answers is no node.
    #[error("the node does not answer: {0}")]
    Away(String),
    /// It refuses, by an error of JSON-RPC.
    #[error("the node refuses: {message}")]
    Refused {
        message: String,
        /// What the contract has answered, where one has refused.
        data: Vec<u8>,
    },
}

impl NodeFailure {
    /// Whether the node has this very transaction already.
    pub fn is_known(&self) -> bool {
        self.says(&["already known", "already imported", "known transaction"])
    }

    /// Whether the nonce is used already, or a transaction with a higher fee waits at it.
    pub fn is_taken(&self) -> bool {
        self.says(&["nonce too low", "underpriced", "replacement transaction"])
    }

    /// Whether the account cannot pay.
    pub fn is_without_money(&self) -> bool {
        self.says(&["insufficient funds"])
    }

    /// Nodes give no codes for these, and all of them take over the words of the first one.
    fn says(&self, words: &[&str]) -> bool {
        let Self::Refused { message, .. } = self else { return false };
        let message = message.to_ascii_lowercase();
        words.iter().any(|word| message.contains(word))
    }
}

impl From<reqwest::Error> for NodeFailure {
    fn from(error: reqwest::Error) -> Self {
        // Without the URL, which may hold a key.
        Self::Away(format!("{:#}", anyhow::Error::from(error.without_url())))
    }
}

/// A block, as far as it is read.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BlockHeader {
    pub hash: B256,
    /// In wei for a unit of gas; absent before EIP-1559.
    #[serde(default)]
    pub base_fee_per_gas: U256,
}

/// What became of a transaction that is in a block.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Receipt {
    pub transaction_hash: B256,
    pub block_hash: B256,
    pub block_number: U256,
    /// 1 where it has taken effect, 0 where the contract has refused it.
    pub status: U256,
    pub contract_address: Option<Address>,
}

impl Receipt {
    /// The height of its block.
    pub fn height(&self) -> i64 {
        i64::try_from(self.block_number).unwrap_or(i64::MAX)
    }
}

/// An event of a contract.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EventLog {
    pub topics: Vec<B256>,
    pub data: Bytes,
    pub transaction_hash: B256,
}

/// An answer by JSON-RPC 2.0.
#[derive(Deserialize)]
struct RpcAnswer {
    #[serde(default)]
    result: Value,
    error: Option<NodeError>,
}

#[derive(Deserialize)]
struct NodeError {
    message: String,
    data: Option<Value>,
}

impl ChainNode {
    /// The node at that address. It makes no call yet.
    pub fn new(url: reqwest::Url, http: &reqwest::Client) -> Self {
        Self { url, http: http.clone(), calls: AtomicU64::new(0) }
    }

    /// Calls a method.
    pub async fn call<T: DeserializeOwned>(&self, method: &str, params: Value) -> Result<T, NodeFailure> {
        let id = self.calls.fetch_add(1, Ordering::Relaxed);
        let call = json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params });
        let mut answer = spans::call(self.http.post(self.url.clone()).json(&call)).await?;
        let status = answer.status();
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await? {
            if body.len() + chunk.len() > MAX_ANSWER_BYTES {
                return Err(NodeFailure::Away("the answer is too long".to_owned()));
            }
            body.extend_from_slice(&chunk);
        }
        let unread = |cause: serde_json::Error| NodeFailure::Away(format!("{method}: {status}: {cause}"));
        let answer: RpcAnswer = serde_json::from_slice(&body).map_err(unread)?;
        if let Some(error) = answer.error {
            let data = error.data.and_then(|data| serde_json::from_value::<Bytes>(data).ok()).unwrap_or_default();
            let message = error.message.chars().take(MAX_MESSAGE).collect();
            return Err(NodeFailure::Refused { message, data: data.to_vec() });
        }
        serde_json::from_value(answer.result).map_err(unread)
    }

    async fn quantity(&self, method: &str, params: Value) -> Result<u64, NodeFailure> {
        let quantity: U256 = self.call(method, params).await?;
        u64::try_from(quantity).map_err(|_| NodeFailure::Away(format!("{method}: {quantity} is no quantity")))
    }

    /// The chain that it is a node of.
    pub async fn chain_id(&self) -> Result<u64, NodeFailure> {
        self.quantity("eth_chainId", json!([])).await
    }

    /// The height of the newest block.
    pub async fn height(&self) -> Result<i64, NodeFailure> {
        Ok(i64::try_from(self.quantity("eth_blockNumber", json!([])).await?).unwrap_or(i64::MAX))
    }

    /// The block at that height, or the newest one; none where there is none.
    pub async fn block(&self, height: Option<i64>) -> Result<Option<BlockHeader>, NodeFailure> {
        let height = height.map_or_else(|| "latest".to_owned(), |height| format!("{height:#x}"));
        self.call("eth_getBlockByNumber", json!([height, false])).await
    }

    /// How many transactions of an account are in blocks; with `pending`, also those that the node holds for the next ones.
    pub async fn nonce(&self, account: Address, pending: bool) -> Result<i64, NodeFailure> {
        let at = if pending { "pending" } else { "latest" };
        Ok(i64::try_from(self.quantity("eth_getTransactionCount", json!([account, at])).await?).unwrap_or(i64::MAX))
    }

    /// How many transactions of an account are in blocks up to that height.
    pub async fn nonce_at(&self, account: Address, height: i64) -> Result<i64, NodeFailure> {
        let at = format!("{:#x}", height.max(0));
        Ok(i64::try_from(self.quantity("eth_getTransactionCount", json!([account, at])).await?).unwrap_or(i64::MAX))
    }

    /// What an account has, in gwei.
    pub async fn balance(&self, account: Address) -> Result<u64, NodeFailure> {
        let wei: U256 = self.call("eth_getBalance", json!([account, "latest"])).await?;
        Ok(u64::try_from(wei / U256::from(1_000_000_000)).unwrap_or(u64::MAX))
    }

    /// What is to be paid beside the base fee, in wei for a unit of gas.
    pub async fn priority_fee(&self) -> Result<u64, NodeFailure> {
        self.quantity("eth_maxPriorityFeePerGas", json!([])).await
    }

    /// The gas that a call needs, or why the contract would refuse it.
    pub async fn gas(&self, from: Address, to: Option<Address>, data: &[u8]) -> Result<u64, NodeFailure> {
        let data = Bytes::copy_from_slice(data);
        self.quantity("eth_estimateGas", json!([{ "from": from, "to": to, "data": data }])).await
    }

    /// Sends a signed transaction.
    pub async fn send(&self, raw: &[u8]) -> Result<(), NodeFailure> {
        let _hash: B256 = self.call("eth_sendRawTransaction", json!([Bytes::copy_from_slice(raw)])).await?;
        Ok(())
    }

    /// What became of a transaction; none as long as it is in no block.
    pub async fn receipt(&self, hash: &str) -> Result<Option<Receipt>, NodeFailure> {
        self.call("eth_getTransactionReceipt", json!([hash])).await
    }

    /// The events of a contract in blocks from one height to another, both included.
    pub async fn logs(
        &self,
        contract: Address,
        topics: [Option<B256>; 3],
        (from, to): (i64, i64),
    ) -> Result<Vec<EventLog>, NodeFailure> {
        let filter = json!({
            "address": contract, "topics": topics, "fromBlock": format!("{from:#x}"), "toBlock": format!("{to:#x}"),
        });
        self.call("eth_getLogs", json!([filter])).await
    }
}
