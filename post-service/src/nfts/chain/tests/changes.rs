//! Transactions that have to be others than those that were signed, and settings that change while some are on their way.
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, Executor, Row};

use super::{
    NodeProxy, ProxyMode, TestChain, assert_one_each, deployed, make_tokens_due, mint_all, named, reasons, statuses,
    tokens_of, worker,
};
use crate::core::testing::Platform;
use crate::core::testing::counted::Counted;

const SERVER: [&str; 2] = ["--minting-payer", "server"];

/// Lets all that was signed be so old that a replacement is due.
async fn make_late(platform: &Platform) {
    platform.app.db.execute("update signed_transaction set created_at = created_at - interval '1 hour'").await.unwrap();
    make_tokens_due(platform).await;
}

/// How often something was signed for each nonce.
async fn signed(platform: &Platform) -> Vec<i64> {
    let query = "select count(*) from signed_transaction group by nonce order by nonce";
    platform.app.db.fetch_all(query).await.unwrap().iter().map(|row| row.get(0)).collect()
}

/// What a node refuses for good would stop all nonces behind it: after a time it is signed anew, with the gas and the fees of then.
#[sqlx::test(migrations = false)]
async fn what_a_node_refuses_for_good_is_signed_anew(_: PgPoolOptions, database: PgConnectOptions) {
    let Some(chain) = TestChain::start().await else { return };
    let proxy = NodeProxy::start(&chain).await;
    let platform = chain.platform(database, &[&SERVER[..], &["--chain-rpc-url", &proxy.url]].concat()).await;
    let all = named(&platform, &chain, 2).await;
    let minter = worker(&platform);
    minter.transactions.sign_due().await.unwrap();
    proxy.set(ProxyMode::RefuseFirst(None));
    for _ in 0..3 {
        minter.transactions.follow_due().await.unwrap();
        make_tokens_due(&platform).await;
    }
    let refused = "RETRY: the node refuses: intrinsic gas too low";
    assert!(reasons(&platform).await.contains(&refused.to_owned()), "{:?}", reasons(&platform).await);
    assert_eq!((signed(&platform).await, chain.nonce().await), (vec![1, 1], 1), "not at once: the node may recover");
    assert_eq!(statuses(&platform, &all).await.iter().filter(|status| *status == "SUBMITTED").count(), 1);

    // With the same gas and fees the bytes would be the same; when a block has passed, the fees are others.
    let counted = Counted::begin();
    chain.mine(1).await;
    let late = "update signed_transaction set created_at = created_at - interval '1 hour' where nonce = 1";
    platform.app.db.execute(late).await.unwrap();
    minter.transactions.follow_due().await.unwrap();
    counted.assert("chain_transactions_total{outcome=\"replaced\"} 1");
    assert_eq!(signed(&platform).await[0], 2);
    mint_all(&platform, &all).await;
    assert_one_each(&platform, &chain, &all).await;
}

/// The settings name another contract while transactions are on their way: what was named for the first one is signed, replaced and found
/// there, what is named afterwards in the other one, and nothing is in both.
#[sqlx::test(migrations = false)]
async fn what_is_named_for_a_contract_is_minted_there_when_the_settings_change(
    _: PgPoolOptions,
    database: PgConnectOptions,
) {
    let Some(chain) = TestChain::start().await else { return };
    let platform = chain.platform(database, &SERVER).await;
    let second = deployed(&chain.url).await;
    chain.automine(false).await;
    let old = worker(&platform);
    old.read_events().await.unwrap();
    let mut first = named(&platform, &chain, 2).await;
    old.transactions.sign_due().await.unwrap();
    old.transactions.follow_due().await.unwrap();
    assert_eq!(statuses(&platform, &first).await, ["SUBMITTED"; 2]);
    first.extend(named(&platform, &chain, 1).await);
    let changed = chain.beside(&platform, &[&SERVER[..], &["--minting-contract", &second.to_string()]].concat());
    let later = named(&platform, &chain, 1).await;
    let rename = format!("update mint set contract = 'eip155:31337:{second}' where id = '{}'", later[0]);
    platform.app.db.execute(AssertSqlSafe(rename)).await.unwrap();

    // Those on their way are replaced, and those that were not signed yet are: each in its contract.
    make_late(&platform).await;
    let new = worker(&changed);
    let counted = Counted::begin();
    new.transactions.follow_due().await.unwrap();
    counted.assert("chain_transactions_total{outcome=\"replaced\"} 2");
    new.transactions.sign_due().await.unwrap();
    chain.automine(true).await;
    chain.mine(1).await;
    let all = [&first[..], &later[..]].concat();
    mint_all(&changed, &all).await;
    let mut minted = chain.tokens().await;
    minted.sort_unstable();
    assert_eq!(minted, tokens_of(&first));
    assert_eq!(chain.tokens_in(second).await, tokens_of(&later));
    let contracts = "select contract, count(*) from mint where status = 'MINTED' group by contract order by count(*)";
    let rows = platform.app.db.fetch_all(contracts).await.unwrap();
    let found: Vec<(String, i64)> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
    assert_eq!(found, [(format!("eip155:31337:{second}"), 1), (format!("eip155:31337:{}", chain.contract), 3)]);
}
