//! What goes wrong between a service and a chain, and what comes of it.
use serde_json::{Value, json};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{Executor, Row};

use super::{PAYER, STRANGER, TestChain, assert_one_each, make_tokens_due, mint_all, named, reasons, statuses, worker};
use crate::core::ground::worker::Worker;
use crate::core::testing::counted::Counted;

const SERVER: [&str; 2] = ["--minting-payer", "server"];

/// Three blocks are taken away, and the transaction with them: it is submitted again, and minted once.
#[sqlx::test(migrations = false)]
async fn a_reorganisation_of_three_blocks_is_found(_: PgPoolOptions, database: PgConnectOptions) {
    let Some(chain) = TestChain::start().await else { return };
    let platform = chain.platform(database, &[&SERVER[..], &["--minting-confirmations", "5"]].concat()).await;
    let all = named(&platform, &chain, 1).await;
    let minter = worker(&platform);
    minter.transactions.sign_due().await.unwrap();
    for _ in 0..2 {
        make_tokens_due(&platform).await;
        minter.transactions.follow_due().await.unwrap();
    }
    assert_eq!(statuses(&platform, &all).await, ["MINED"]);
    chain.mine(2).await;
    chain.automine(false).await;
    chain.rpc("anvil_reorg", json!([3, []])).await;
    assert_eq!(chain.tokens().await, Vec::<String>::new());
    let counted = Counted::begin();
    make_tokens_due(&platform).await;
    minter.transactions.follow_due().await.unwrap();
    assert_eq!(statuses(&platform, &all).await, ["SUBMITTED"]);
    counted.assert("chain_transactions_total{outcome=\"reorganised\"} 1");
    chain.automine(true).await;
    chain.mine(1).await;
    make_tokens_due(&platform).await;
    minter.transactions.follow_due().await.unwrap();
    chain.mine(5).await;
    mint_all(&platform, &all).await;
    assert_one_each(&platform, &chain, &all).await;
}

/// Without money it waits, says why, and goes on when there is some.
#[sqlx::test(migrations = false)]
async fn without_money_it_waits_and_goes_on(_: PgPoolOptions, database: PgConnectOptions) {
    let Some(chain) = TestChain::start().await else { return };
    let platform = chain.platform(database, &SERVER).await;
    let all = named(&platform, &chain, 2).await;
    let mut minter = worker(&platform);
    let counted = Counted::begin();
    chain.rpc("anvil_setBalance", json!([PAYER, "0x1"])).await;
    for _ in 0..3 {
        make_tokens_due(&platform).await;
        minter.step().await.unwrap();
    }
    assert_eq!(reasons(&platform).await, ["RETRY: the account that pays has not enough money for the fees"; 2]);
    counted.assert("chain_signer_balance_ether 0");
    chain.rpc("anvil_setBalance", json!([PAYER, "0xde0b6b3a7640000"])).await;
    mint_all(&platform, &all).await;
    assert_one_each(&platform, &chain, &all).await;
}

/// A node that is away at any step is waited for: before the transaction is signed, and after.
#[sqlx::test(migrations = false)]
async fn a_node_that_is_away_is_waited_for(_: PgPoolOptions, database: PgConnectOptions) {
    let Some(chain) = TestChain::start().await else { return };
    let platform = chain.platform(database, &SERVER).await;
    let away = chain.beside(&platform, &[&SERVER[..], &["--chain-rpc-url", "http://127.0.0.1:9"]].concat());
    let all = named(&platform, &chain, 1).await;
    assert!(worker(&away).step().await.is_err(), "the step fails, and is logged");
    worker(&away).transactions.sign_due().await.unwrap();
    let waiting = reasons(&platform).await;
    assert!(waiting[0].starts_with("RETRY: the node does not answer"), "{waiting:?}");
    make_tokens_due(&platform).await;
    worker(&platform).transactions.sign_due().await.unwrap();
    worker(&away).transactions.follow_due().await.unwrap();
    let waiting = reasons(&platform).await;
    assert!(waiting[0].starts_with("RETRY: the node does not answer"), "{waiting:?}");
    mint_all(&platform, &all).await;
    assert_one_each(&platform, &chain, &all).await;
    let other = chain.beside(&platform, &[&SERVER[..], &["--chain-id", "1"]].concat());
    let refusal = worker(&other).step().await.unwrap_err().to_string();
    assert_eq!(refusal, "the node is of chain 31337, and CHAIN_ID is 1");
}

/// What is in no block in time is replaced at its nonce, with a higher fee; a nonce that was passed over is filled.
#[sqlx::test(migrations = false)]
async fn what_is_stuck_is_replaced_and_gaps_are_filled(_: PgPoolOptions, database: PgConnectOptions) {
    let Some(chain) = TestChain::start().await else { return };
    let platform = chain.platform(database, &SERVER).await;
    let all = named(&platform, &chain, 2).await;
    chain.automine(false).await;
    let mut minter = worker(&platform);
    // Two nonces are missing before the first transaction, as after a database was restored.
    let signer = format!("insert into signer values ('eip155:31337:{PAYER}', 3)");
    platform.app.db.execute(sqlx::AssertSqlSafe(signer)).await.unwrap();
    minter.step().await.unwrap();
    chain.mine(1).await;
    assert_eq!(chain.tokens().await.len(), 0);
    let counted = Counted::begin();
    platform.app.db.execute("update signed_transaction set created_at = created_at - interval '1 hour'").await.unwrap();
    make_tokens_due(&platform).await;
    minter.transactions.follow_due().await.unwrap();
    counted.assert("chain_transactions_total{outcome=\"replaced\"} 2");
    counted.assert("chain_transactions_total{outcome=\"filled\"} 2");
    let fees = "select nonce, count(*), min(max_fee) * 1.1 < max(max_fee) from signed_transaction
        where nonce > 2 group by nonce order by nonce";
    let rows = platform.app.db.fetch_all(fees).await.unwrap();
    let signed: Vec<(i64, i64, bool)> = rows.iter().map(|row| (row.get(0), row.get(1), row.get(2))).collect();
    assert_eq!(signed, [(3, 2, true), (4, 2, true)]);
    chain.automine(true).await;
    make_tokens_due(&platform).await;
    minter.transactions.follow_due().await.unwrap();
    chain.mine(1).await;
    mint_all(&platform, &all).await;
    assert_one_each(&platform, &chain, &all).await;
}

/// Content that is withdrawn after its transaction was signed has no token, and does not stop those behind it.
#[sqlx::test(migrations = false)]
async fn what_is_withdrawn_is_not_minted_and_stops_no_other(_: PgPoolOptions, database: PgConnectOptions) {
    let Some(chain) = TestChain::start().await else { return };
    let platform = chain.platform(database, &SERVER).await;
    let all = named(&platform, &chain, 3).await;
    chain.automine(false).await;
    let minter = worker(&platform);
    minter.transactions.sign_due().await.unwrap();
    let hidden = json!({ "id": all[0], "post_id": all[0] });
    platform.consume(crate::nfts::events::COMMENT_DELETED, &hidden).await;
    minter.transactions.follow_due().await.unwrap();
    // The second one is withdrawn when a node has it already.
    platform.erase(all[1]).await;
    make_tokens_due(&platform).await;
    minter.transactions.follow_due().await.unwrap();
    chain.automine(true).await;
    chain.mine(1).await;
    mint_all(&platform, &all[2..]).await;
    assert_one_each(&platform, &chain, &all[2..]).await;
    assert_eq!(statuses(&platform, &all[..2]).await, ["CANCELLED"]);
    let left = platform.finds(&format!("bafk{}", all[1])).await;
    assert!(!left.iter().any(|table| table.contains("mint") || table.contains("transaction")), "{left:?}");
}

/// What is withdrawn before it was sent is not sent, also while its nonce cannot be filled because fees are too high.
#[sqlx::test(migrations = false)]
async fn what_is_withdrawn_is_not_sent_where_fees_are_high(_: PgPoolOptions, database: PgConnectOptions) {
    let Some(chain) = TestChain::start().await else { return };
    let platform = chain.platform(database, &SERVER).await;
    let thrifty = chain.beside(&platform, &[&SERVER[..], &["--minting-max-fee", "2"]].concat());
    let all = named(&platform, &chain, 1).await;
    // Five gwei.
    chain.rpc("anvil_setNextBlockBaseFeePerGas", json!(["0x12a05f200"])).await;
    chain.mine(1).await;
    worker(&platform).transactions.sign_due().await.unwrap();
    let hidden = json!({ "id": all[0], "post_id": all[0] });
    platform.consume(crate::nfts::events::COMMENT_DELETED, &hidden).await;
    worker(&thrifty).transactions.follow_due().await.unwrap();
    chain.mine(1).await;
    assert_eq!(chain.tokens().await, Vec::<String>::new());
    let ledger = platform.app.db.fetch_one("select status, failures from chain_transaction").await.unwrap();
    assert_eq!((ledger.get::<String, _>(0), ledger.get::<i32, _>(1)), ("SIGNED".to_owned(), 1), "it waits");
    let counted = Counted::begin();
    make_tokens_due(&platform).await;
    worker(&platform).transactions.follow_due().await.unwrap();
    counted.assert("chain_transactions_total{outcome=\"filled\"} 1");
    chain.mine(1).await;
    assert_eq!(chain.tokens().await, Vec::<String>::new());
}

/// Another holder of the key takes the nonce: the token is signed for anew.
#[sqlx::test(migrations = false)]
async fn a_nonce_that_is_used_elsewhere_is_given_up(_: PgPoolOptions, database: PgConnectOptions) {
    let Some(chain) = TestChain::start().await else { return };
    let platform = chain.platform(database, &SERVER).await;
    let all = named(&platform, &chain, 1).await;
    let minter = worker(&platform);
    minter.transactions.sign_due().await.unwrap();
    let transfer = json!([{ "from": PAYER, "to": STRANGER, "value": "0x1" }]);
    let _hash: Value = chain.rpc("eth_sendTransaction", transfer).await;
    mint_all(&platform, &all).await;
    assert_eq!(chain.tokens().await.len(), 1);
    let rows = platform.app.db.fetch_all("select nonce, status from chain_transaction order by nonce").await.unwrap();
    let ledger: Vec<(i64, String)> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
    assert_eq!(ledger, [(1, "LOST".to_owned()), (2, "CONFIRMED".to_owned())]);
}

/// Above the cap no transaction is signed; a recipient that accepts no tokens is refused before a nonce is spent.
#[sqlx::test(migrations = false)]
async fn what_the_chain_would_refuse_takes_no_nonce(_: PgPoolOptions, database: PgConnectOptions) {
    let Some(chain) = TestChain::start().await else { return };
    let platform = chain.platform(database, &SERVER).await;
    let all = named(&platform, &chain, 1).await;
    let minter = worker(&platform);
    chain.rpc("anvil_setNextBlockBaseFeePerGas", json!(["0x174876e800"])).await;
    chain.mine(1).await;
    minter.transactions.sign_due().await.unwrap();
    let reason = "RETRY: the chain asks for higher fees than MINTING_MAX_FEE allows";
    assert_eq!(reasons(&platform).await, [reason]);
    chain.rpc("anvil_setNextBlockBaseFeePerGas", json!(["0x3b9aca00"])).await;
    chain.mine(1).await;
    let recipient = format!("update mint set recipient = '{}'", chain.contract);
    platform.app.db.execute(sqlx::AssertSqlSafe(recipient)).await.unwrap();
    make_tokens_due(&platform).await;
    minter.transactions.sign_due().await.unwrap();
    assert_eq!(reasons(&platform).await, ["FAILED: the recipient is a contract that accepts no tokens"]);
    assert_eq!(statuses(&platform, &all).await, ["FAILED"]);
    assert_eq!(platform.app.db.fetch_all("select from chain_transaction").await.unwrap().len(), 0);
}
