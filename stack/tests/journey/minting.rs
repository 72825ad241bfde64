//! Tokens of posts: what an author asks for is pinned and can be read by everyone, a voucher is good for the contract, and where the
//! platform pays, a token is made without one.
//!
//! The journey needs `anvil`, a development node of a chain, which `cargo stack test` installs into the target folder. Where it is
//! missing the journey is skipped, unless `CI` is set.

use std::fs::{self, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, ensure};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::client::{Person, Post, To, eventually};
use crate::platform::{PASSWORD, Platform, home};

/// The key of the node's first account, which everyone knows. It deploys the contract, signs, and pays.
const KEY: &str = "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";
/// The node's second account, to which tokens go, and its third, which redeems a voucher for it.
const WALLET: &str = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8";
const REDEEMER: &str = "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC";
/// Where `cargo stack test` installs the node.
const TOOLS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/tools/node_modules/@foundry-rs");

/// A development node with the contract, killed when it is dropped.
struct Chain {
    process: Child,
    url: String,
    key_file: PathBuf,
    contract: String,
}

impl Drop for Chain {
    fn drop(&mut self) {
        self.process.kill().unwrap_or_default();
        self.process.wait().map(drop).unwrap_or_default();
    }
}

impl Chain {
    /// Starts the node in a folder and deploys the contract; none where the node is not installed.
    #[expect(clippy::disallowed_methods, reason = "PATH and CI belong to the machine that runs the tests")]
    fn start(folder: &Path) -> Result<Option<Chain>> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let installed = fs::read_dir(TOOLS).into_iter().flatten().flatten();
        let installed = installed.map(|package| package.path().join("bin/anvil"));
        let on_path = std::env::split_paths(&path).map(|folder| folder.join("anvil"));
        let Some(program) = installed.chain(on_path).find(|program| program.is_file()) else {
            ensure!(std::env::var_os("CI").is_none(), "anvil is not installed, and CI is set");
            println!("skipped: anvil is not installed (npm install --prefix target/tools @foundry-rs/anvil)");
            return Ok(None);
        };
        let log = folder.join("anvil.log");
        let mut command = Command::new(program);
        command.args(["--port", "0", "--host", "127.0.0.1"]).stdin(Stdio::null()).stdout(Stdio::piped());
        let mut process = command.spawn()?;
        let mut lines = BufReader::new(process.stdout.take().context("its output")?).lines().map_while(Result::ok);
        let mut chain = Chain { process, url: String::new(), key_file: folder.join("key"), contract: String::new() };
        let address = lines.find_map(|line| line.strip_prefix("Listening on ").map(str::to_owned));
        chain.url = format!("http://{}", address.context("the node ends before it listens")?);
        // What it logs is read, so that it never waits for its reader.
        std::thread::spawn(move || fs::write(log, lines.collect::<Vec<_>>().join("\n")));
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&chain.key_file)?;
        writeln!(file, "{KEY}")?;
        chain.contract = chain.deploy()?;
        Ok(Some(chain))
    }

    /// The settings by which the post service reaches it.
    fn settings(&self) -> Vec<(&str, String)> {
        vec![
            ("CHAIN_RPC_URL", self.url.clone()),
            ("CHAIN_ID", "31337".to_owned()),
            ("MINTING_KEY_FILE", self.key_file.display().to_string()),
            ("MINTING_CONFIRMATIONS", "1".to_owned()),
        ]
    }

    /// Deploys the contract as an operator does; its address, as it is printed.
    fn deploy(&self) -> Result<String> {
        let program = Path::new(env!("CARGO_BIN_EXE_stack")).with_file_name("post-service");
        let mut command = Command::new(program);
        command.arg("deploy-contract").env("DATABASE_URL", "postgres://127.0.0.1/none").envs(self.settings());
        let output = command.output().context("post-service")?;
        ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        Ok(String::from_utf8(output.stdout)?.trim_end().to_owned())
    }

    /// The arguments of the launcher for a platform that mints here.
    fn arguments(&self, folder: &Path, payer: &str) -> Vec<String> {
        let mut settings = self.settings();
        settings.push(("MINTING", "on".to_owned()));
        settings.push(("MINTING_CONTRACT", self.contract.clone()));
        settings.push(("MINTING_PAYER", payer.to_owned()));
        settings.push(("NFT_FOLDER", folder.join("nfts").display().to_string()));
        let set = settings.iter().map(|(name, value)| ["--set".to_owned(), format!("post-service.{name}={value}")]);
        set.flatten().collect()
    }

    /// Calls a method of the node.
    async fn rpc(&self, method: &str, params: Value) -> Result<Value> {
        let call = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
        let answer: Value = reqwest::Client::new().post(&self.url).json(&call).send().await?.json().await?;
        ensure!(answer.get("error").is_none(), "{method}: {answer}");
        Ok(answer["result"].clone())
    }
}

/// Asks for the minting of a post; its NFT.
async fn mint(author: &Person, post: &Post) -> Result<Value> {
    author.api.ask(Method::POST, To::Post, &format!("/nfts/{}/mint", post.id), None).await
}

/// Waits until an NFT has a status.
async fn wait_for(author: &Person, nft: &Value, status: &str) -> Result<Value> {
    let path = format!("/nfts/{}", nft["id"].as_str().context("an id")?);
    let read = async || author.api.ask::<Value>(Method::GET, To::Post, &path, None).await;
    Ok(eventually(&format!("it is {status}"), read, |nft| nft["status"] == status).await?.0)
}

#[tokio::test]
async fn a_post_becomes_a_token_at_the_expense_of_its_author_and_of_the_platform() -> Result<()> {
    let folder = home();
    let Some(chain) = Chain::start(folder.path())? else { return Ok(()) };
    let arguments = chain.arguments(folder.path(), "author");
    let mut first = Platform::up(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
    let ada = first.api().join("ada@example.org", PASSWORD, ("Ada", "Lovelace"), &["BOOKS"]).await?;
    let post = ada.write_post("On engines", "They weave patterns.", &["BOOKS"], "POSTED").await?;

    // What is pinned is read where `token_uri` leads, by who has no token of the platform.
    let nft = wait_for(&ada, &mint(&ada, &post).await?, "PINNED").await?;
    let uri = nft["token_uri"].as_str().context("an address")?;
    let metadata: Value = reqwest::get(uri).await?.error_for_status()?.json().await?;
    assert_eq!((&metadata["name"], &metadata["properties"]["id"]), (&json!("On engines"), &json!(post.id)));
    assert_eq!(nft["metadata"], metadata, "it is what the author reads");

    // A voucher is signed by a minter: the contract takes it from any account, and takes it from no one when a byte is another.
    let path = format!("/nfts/{}/voucher", nft["id"].as_str().context("an id")?);
    let recipient = json!({ "recipient": WALLET });
    let voucher: Value = ada.api.ask(Method::POST, To::Post, &path, Some(&recipient)).await?;
    assert_eq!((&voucher["contract"], &voucher["voucher"]["uri"]), (&json!(chain.contract), &nft["token_uri"]));
    let (data, signature) = (voucher["call_data"].as_str(), voucher["signature"].as_str());
    let (data, signature) = (data.context("data")?, signature.context("a signature")?.trim_start_matches("0x"));
    let changed = format!("{}{}", if signature.starts_with('1') { "2" } else { "1" }, &signature[1..]);
    ensure!(data.contains(signature), "the signature is a part of the call");
    let call = |data: &str| json!([{ "from": REDEEMER, "to": chain.contract, "data": data }, "latest"]);
    assert!(
        chain.rpc("eth_call", call(&data.replace(signature, &changed))).await.is_err(),
        "a forged voucher is refused"
    );
    chain.rpc("eth_call", call(data)).await.context("the voucher as it was given")?;
    let redeemed = json!([{ "from": REDEEMER, "to": chain.contract, "data": data }]);
    let transaction = chain.rpc("eth_sendTransaction", redeemed).await?;
    let nft = wait_for(&ada, &nft, "MINTED").await?;
    assert_eq!((&nft["transaction_hash"], &nft["recipient"]), (&transaction, &json!(WALLET)));

    // The same platform with another payer: the author names the account, and the platform sends the transaction.
    let next = ada.write_post("On looms", "They weave leaves.", &["BOOKS"], "POSTED").await?;
    first.stop();
    let data = std::mem::replace(&mut first.home, home());
    let arguments = chain.arguments(folder.path(), "server");
    let mut second = Platform::up_in(data, &arguments.iter().map(String::as_str).collect::<Vec<_>>());
    let ada = second.api().sign_in("ada@example.org", PASSWORD).await?;
    let asked = mint(&ada, &next).await?;
    let path = format!("/nfts/{}/token", asked["id"].as_str().context("an id")?);
    let (status, named) = ada.api.send(Method::POST, To::Post, &path, Some(&recipient)).await?;
    assert_eq!(status, StatusCode::ACCEPTED, "{named}");
    let nft = wait_for(&ada, &asked, "MINTED").await?;
    assert_eq!((&nft["recipient"], nft["token_id"].is_string()), (&json!(WALLET), true));
    let hash = nft["transaction_hash"].as_str().context("a transaction")?;
    let receipt = chain.rpc("eth_getTransactionReceipt", json!([hash])).await?;
    assert_eq!(receipt["status"], "0x1", "{receipt}");
    second.stop();
    Ok(())
}
