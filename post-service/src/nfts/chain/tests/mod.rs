//! Tokens against a node of a real chain: `anvil`, a development node, one for each test.
mod changes;
mod contract;
mod faults;
mod kills;
mod minting;

use std::fs;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::{Arc, Mutex};

use alloy_primitives::{Address, B256, U256, hex};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use clap::{Args, FromArgMatches};
use serde_json::{Value, json};
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, Executor, Row};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use uuid::Uuid;

use super::commands::{Deployment, deploy};
use super::contract::{TokenContract, token_id, token_word};
use super::node::{ChainNode, EventLog};
use super::schedulers::TokenMinter;
use super::settings::ChainSettings;
use crate::core::ground::worker::Worker;
use crate::core::testing::Platform;
use crate::nfts::NftKind;
use crate::nfts::tests::{CONTRACT, chain_settings, make_due, nfts, start};
pub use crate::nfts::tests::{STRANGER, WALLET};

/// Where `cargo stack test` installs the node.
const TOOLS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/tools/node_modules/@foundry-rs");
/// The node's first account, which deploys, mints and pays.
pub const PAYER: &str = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266";

/// A node with the contract.
pub struct TestChain {
    pub node: ChainNode,
    pub url: String,
    pub contract: Address,
    /// Killed when it is dropped.
    _process: Child,
}

impl TestChain {
    /// Starts a node and deploys the contract; none, after saying so, where the node is not installed. In CI it must be.
    pub async fn start() -> Option<Self> {
        let Some(program) = find_node() else {
            assert!(!is_ci(), "anvil is not installed, and CI is set");
            println!("skipped: anvil is not installed (npm install --prefix target/tools @foundry-rs/anvil)");
            return None;
        };
        let mut command = Command::new(program);
        command.args(["--port", "0", "--host", "127.0.0.1"]).stdout(Stdio::piped()).kill_on_drop(true);
        let mut process = command.spawn().unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let url = loop {
            let line = lines.next_line().await.unwrap().expect("the node ends before it listens");
            if let Some(address) = line.strip_prefix("Listening on ") {
                break format!("http://{address}");
            }
        };
        // What it logs is read, so that it never waits for its reader.
        tokio_util::task::TaskTracker::new().spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        let contract = deployed(&url).await;
        let node = ChainNode::new(url.parse().unwrap(), &reqwest::Client::new());
        Some(Self { node, url, contract, _process: process })
    }

    /// The platform, with this chain and further settings.
    pub async fn platform(&self, database: PgConnectOptions, settings: &[&str]) -> Platform {
        self.beside(&start(database).await, settings)
    }

    /// A replica of it, with further settings.
    pub fn beside(&self, platform: &Platform, settings: &[&str]) -> Platform {
        let own = chain_settings(&self.url, &self.contract.to_string());
        platform.beside(&own.iter().map(String::as_str).chain(settings.iter().copied()).collect::<Vec<_>>())
    }

    /// Asks the node for something that only a development node does.
    pub async fn rpc(&self, method: &str, params: Value) -> Value {
        self.node.call(method, params).await.unwrap()
    }

    pub async fn mine(&self, blocks: u64) {
        self.rpc("anvil_mine", json!([format!("{blocks:#x}")])).await;
    }

    /// Whether a block is made for each transaction at once.
    pub async fn automine(&self, on: bool) {
        self.rpc("evm_setAutomine", json!([on])).await;
    }

    /// The tokens that were minted, by the contract's own events.
    pub async fn tokens(&self) -> Vec<String> {
        self.tokens_in(self.contract).await
    }

    /// Those that were minted in a contract.
    pub async fn tokens_in(&self, contract: Address) -> Vec<String> {
        let height = self.node.height().await.unwrap();
        let logs: Vec<EventLog> = self.node.logs(contract, TokenContract::minting_topics(), (0, height)).await.unwrap();
        logs.iter().map(|log| token_word(TokenContract::read_minted(log).unwrap().id)).collect()
    }

    /// How many transactions of the account that pays are in blocks.
    pub async fn nonce(&self) -> i64 {
        self.node.nonce(PAYER.parse().unwrap(), false).await.unwrap()
    }
}

/// What a proxy before a node does with what it is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProxyMode {
    /// Hands it on.
    Open,
    /// Answers for itself that the node is away.
    Away,
    /// Refuses the transaction that it is sent first, by an error of JSON-RPC, for as long as it is sent, and hands all else on.
    RefuseFirst(Option<String>),
}

/// A proxy before a node, as a load balancer is one.
#[derive(Clone)]
pub struct NodeProxy {
    pub url: String,
    pub mode: Arc<Mutex<ProxyMode>>,
}

impl NodeProxy {
    /// Starts one before the node of a chain.
    pub async fn start(chain: &TestChain) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let proxy = Self { url, mode: Arc::new(Mutex::new(ProxyMode::Open)) };
        let (own, node, http) = (proxy.clone(), chain.url.clone(), reqwest::Client::new());
        let answer = move |axum::Json(call): axum::Json<Value>| own.clone().answer(call, node.clone(), http.clone());
        let router = axum::Router::new().fallback(answer);
        tokio_util::task::TaskTracker::new().spawn(async { axum::serve(listener, router).await });
        proxy
    }

    pub fn set(&self, mode: ProxyMode) {
        *self.mode.lock().unwrap() = mode;
    }

    async fn answer(self, call: Value, node: String, http: reqwest::Client) -> Response {
        if *self.mode.lock().unwrap() == ProxyMode::Away {
            return StatusCode::BAD_GATEWAY.into_response();
        }
        if self.refuses(&call) {
            let error = json!({ "code": -32000, "message": "intrinsic gas too low" });
            return axum::Json(json!({ "jsonrpc": "2.0", "id": call["id"], "error": error })).into_response();
        }
        let answer = http.post(node).json(&call).send().await.unwrap();
        axum::Json(answer.json::<Value>().await.unwrap()).into_response()
    }

    fn refuses(&self, call: &Value) -> bool {
        let mut mode = self.mode.lock().unwrap();
        let ProxyMode::RefuseFirst(first) = &mut *mode else { return false };
        if call["method"] != "eth_sendRawTransaction" {
            return false;
        }
        let sent = call["params"][0].to_string();
        *first.get_or_insert_with(|| sent.clone()) == sent
    }
}

fn find_node() -> Option<PathBuf> {
    #[expect(clippy::disallowed_methods, reason = "PATH belongs to the system; it is no setting of the service")]
    let path = std::env::var_os("PATH").unwrap_or_default();
    let installed = fs::read_dir(TOOLS).into_iter().flatten().flatten().map(|package| package.path().join("bin/anvil"));
    // The package that is named only `anvil` has a script in place of the program.
    installed.chain(std::env::split_paths(&path).map(|folder| folder.join("anvil"))).find(|program| program.is_file())
}

#[expect(
    clippy::disallowed_methods,
    reason = "CI is set by the machine that runs the tests; it is no setting of the service"
)]
fn is_ci() -> bool {
    std::env::var_os("CI").is_some()
}

/// Deploys the contract as an operator does; its address, as it is printed.
pub async fn deployed(url: &str) -> Address {
    let command = ChainSettings::augment_args(clap::Command::new("test").no_binary_name(true));
    let settings = ChainSettings::from_arg_matches(&command.get_matches_from(chain_settings(url, CONTRACT))).unwrap();
    let mut printed = Vec::new();
    deploy(&settings, &Deployment { minter: None }, &mut printed).await.unwrap();
    Address::parse_checksummed(String::from_utf8(printed).unwrap().trim_end(), None).unwrap()
}

/// A worker, as a process has it that has just begun.
pub fn worker(platform: &Platform) -> TokenMinter {
    TokenMinter::new(&platform.app, nfts(platform)).unwrap()
}

/// Makes all that waits due, as if its time had come and claims had ended.
pub async fn make_tokens_due(platform: &Platform) {
    make_due(platform).await;
    platform.app.db.execute("update chain_transaction set next_try_at = now()").await.unwrap();
}

/// Lets a worker go on until all that was asked for is minted, and no transaction is on its way.
pub async fn mint_all(platform: &Platform, records: &[Uuid]) {
    let mut worker = worker(platform);
    for _ in 0..30 {
        make_tokens_due(platform).await;
        worker.step().await.unwrap();
        let open = "select from chain_transaction where status in ('SIGNED', 'SUBMITTED', 'MINED')";
        let is_quiet = platform.app.db.fetch_all(open).await.unwrap().is_empty();
        if is_quiet && statuses(platform, records).await.iter().all(|status| status == "MINTED") {
            return;
        }
    }
    panic!("not minted: {:?}", reasons(platform).await);
}

/// How far these records are.
pub async fn statuses(platform: &Platform, records: &[Uuid]) -> Vec<String> {
    let list = records.iter().map(|id| format!("'{id}'")).collect::<Vec<_>>().join(",");
    let query = format!("select status from mint where id in ({list}) order by id");
    let rows = platform.app.db.fetch_all(AssertSqlSafe(query)).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

/// Why requests wait or were given up.
pub async fn reasons(platform: &Platform) -> Vec<String> {
    let rows = platform.app.db.fetch_all("select status || ': ' || coalesce(reason, '') from mint order by id").await;
    rows.unwrap().iter().map(|row| row.get(0)).collect()
}

/// Records of comments whose metadata is pinned and whose authors have named a recipient; in the order of their ids.
pub async fn named(platform: &Platform, chain: &TestChain, count: usize) -> Vec<Uuid> {
    let contract = format!("eip155:31337:{}", chain.contract);
    let mut ids: Vec<Uuid> = (0..count).map(|_| Uuid::now_v7()).collect();
    ids.sort_unstable();
    let rows: Vec<String> = ids
        .iter()
        .map(|id| {
            let token = token_word(token_id(NftKind::Comment, *id));
            format!(
                "('{id}', '{id}', 'COMMENT', '{id}', 'PINNED', 'local', 'bafk{id}', 'ipfs://bafk{id}', '{contract}', \
                 '{token}', '{WALLET}')"
            )
        })
        .collect();
    let insert = format!(
        "insert into mint (id, created_by, kind, subject_id, status, store, cid, token_uri, contract, token_id, recipient)
        values {}",
        rows.join(",")
    );
    platform.app.db.execute(AssertSqlSafe(insert)).await.unwrap();
    ids
}

/// The ids that the tokens of these records have.
pub fn tokens_of(records: &[Uuid]) -> Vec<String> {
    let mut tokens: Vec<String> = records.iter().map(|id| token_word(token_id(NftKind::Comment, *id))).collect();
    tokens.sort_unstable();
    tokens
}

/// Asserts that each of these records has one token, and no nonce was left out or used twice.
pub async fn assert_one_each(platform: &Platform, chain: &TestChain, records: &[Uuid]) {
    let mut minted = chain.tokens().await;
    minted.sort_unstable();
    assert_eq!(minted, tokens_of(records));
    let ledger =
        "select count(*), count(*) filter (where status = 'CONFIRMED'), min(nonce), max(nonce) from chain_transaction";
    let row = platform.app.db.fetch_one(ledger).await.unwrap();
    let (all, confirmed, first, last): (i64, i64, i64, i64) = (row.get(0), row.get(1), row.get(2), row.get(3));
    // The first nonce was that of the deployment.
    assert_eq!((confirmed, first, last), (all, 1, all), "nonces from the first to the last, each once");
    assert_eq!(chain.nonce().await, all + 1);
}

/// The data of a call as JSON-RPC has them.
pub fn data(bytes: &[u8]) -> String {
    hex::encode_prefixed(bytes)
}

/// Sends a transaction of one of the node's own accounts; whether it has taken effect.
pub async fn transact(chain: &TestChain, from: &str, call: &str) -> bool {
    let params = json!([{ "from": from, "to": chain.contract, "data": call, "gas": "0x7a120" }]);
    let hash: B256 = chain.node.call("eth_sendTransaction", params).await.unwrap();
    // It is mined at once, and a moment after the answer.
    let receipt = loop {
        if let Some(receipt) = chain.node.receipt(&hash.to_string()).await.unwrap() {
            break receipt;
        }
    };
    receipt.status == U256::ONE
}
