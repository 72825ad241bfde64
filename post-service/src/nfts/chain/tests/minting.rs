//! From a recipient to a token, and what is minted once whatever happens in between.
use futures::future::join_all;
use serde_json::json;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{Executor, Row};

use super::{
    STRANGER, TestChain, WALLET, assert_one_each, make_tokens_due, mint_all, named, statuses, transact, worker,
};
use crate::core::ground::worker::Worker;
use crate::core::testing::new_user;
use crate::nfts::events::NFT_MINTED;
use crate::nfts::tests::{ask, mint_due, pinned, read, remove_due, served};
use crate::posts::events::POST_DELETE_REQUESTED;
use crate::posts::tests::{delete_request, nfts as records, path as path_of, posted, refused};

const SERVER: [&str; 2] = ["--minting-payer", "server"];

/// Named before its metadata is pinned, it goes through every state; what the service publishes and shows is what the chain has.
#[sqlx::test(migrations = false)]
async fn the_service_mints_what_is_asked_for(_: PgPoolOptions, database: PgConnectOptions) {
    let Some(chain) = TestChain::start().await else { return };
    let platform = chain.platform(database, &[&SERVER[..], &["--minting-confirmations", "3"]].concat()).await;
    let ((anna, her), (ben, _)) = (new_user(), new_user());
    let post = posted(&platform, &anna).await;
    let asked = ask(&platform, &anna, &post).await;
    let path = format!("/nfts/{}/token", asked["id"].as_str().unwrap());
    let named = platform.call("POST", &path, Some(&anna), Some(json!({ "recipient": WALLET }))).await;
    assert_eq!((named.status.as_u16(), &named.body["recipient"]), (202, &json!(WALLET)), "{named:?}");
    let seen = read(&platform, &ben, &asked).await;
    assert_eq!(seen.get("recipient"), None, "which account an author has, others read when the chain says it");
    mint_due(&platform).await;

    let minter = worker(&platform);
    let status = async || read(&platform, &anna, &asked).await["status"].as_str().unwrap().to_owned();
    let mut seen = vec![status().await];
    minter.transactions.sign_due().await.unwrap();
    seen.push(status().await);
    for _ in 0..2 {
        make_tokens_due(&platform).await;
        minter.transactions.follow_due().await.unwrap();
        seen.push(status().await);
    }
    make_tokens_due(&platform).await;
    minter.transactions.follow_due().await.unwrap();
    assert_eq!(status().await, "MINED", "one block has it, and three are needed");
    chain.mine(2).await;
    make_tokens_due(&platform).await;
    minter.transactions.follow_due().await.unwrap();
    seen.push(status().await);
    minter.read_events().await.unwrap();
    seen.push(status().await);
    assert_eq!(seen, ["PINNED", "TX_SIGNED", "SUBMITTED", "MINED", "CONFIRMED", "MINTED"]);

    let nft = read(&platform, &ben, &asked).await;
    assert_eq!((&nft["recipient"], nft["minted_at"].is_string()), (&json!(WALLET), true));
    assert_eq!(json!(chain.tokens().await), json!([nft["token_id"]]));
    let receipt = chain.node.receipt(nft["transaction_hash"].as_str().unwrap()).await.unwrap().unwrap();
    assert_eq!(receipt.status.to_string(), "1");
    let event = json!({
        "id": nft["id"], "kind": "POST", "subject_id": post["id"], "created_by": her, "status": "MINTED",
        "token_uri": nft["token_uri"], "contract": format!("eip155:31337:{}", chain.contract), "token_id": nft["token_id"],
        "transaction_hash": nft["transaction_hash"],
    });
    assert_eq!(platform.published(NFT_MINTED).await, [event]);
    assert_eq!(records(&platform).await[0]["status"], "MINTED");
    let again = platform.call("POST", &path, Some(&anna), Some(json!({ "recipient": STRANGER }))).await;
    assert_eq!(refused(&again), (409, &json!("The token is minted already")));

    // Withdrawn so that it can come back, it keeps its token and its document; gone for good, the token alone.
    let one = path_of(&post);
    let kept = async || {
        remove_due(&platform).await;
        let kept = read(&platform, &anna, &asked).await;
        assert_eq!((&kept["status"], &kept["token_uri"]), (&json!("MINTED"), &nft["token_uri"]));
        assert_eq!(served(&platform, &kept).await, 200);
    };
    for status in ["ARCHIVED", "POSTED"] {
        let changed = json!({ "content": "x", "types": [], "status": status });
        assert_eq!(platform.call("PUT", &one, Some(&anna), Some(changed)).await.status, 200);
        kept().await;
    }
    platform.consume(POST_DELETE_REQUESTED, &delete_request(&post)).await;
    kept().await;
    let judge = format!("{}:ACTIVE:MODERATOR", new_user().1);
    assert_eq!(platform.call("POST", &format!("{one}/restore"), Some(&judge), None).await.status, 200);
    kept().await;
    let record = records(&platform).await.remove(0);
    assert_eq!((&record["id"], &record["status"]), (&nft["id"], &json!("MINTED")), "its record is the one of before");
    assert_eq!(ask(&platform, &anna, &post).await["status"], "MINTED");
    assert_eq!(platform.call("DELETE", &one, Some(&anna), None).await.status, 204);
    let gone = read(&platform, &anna, &asked).await;
    assert_eq!((&gone["status"], &gone["minted_at"]), (&json!("CANCELLED"), &nft["minted_at"]));
    remove_due(&platform).await;
    assert_eq!((gone.get("token_uri"), served(&platform, &gone).await), (None, 404));
    assert_eq!((chain.tokens().await.len(), platform.published(NFT_MINTED).await.len()), (1, 1));
}

/// A voucher is redeemed while its content is hidden: the token is there, and so is what it leads to.
#[sqlx::test(migrations = false)]
async fn a_token_that_came_to_be_while_its_content_was_hidden_is_shown(_: PgPoolOptions, database: PgConnectOptions) {
    let Some(chain) = TestChain::start().await else { return };
    let platform = chain.platform(database, &[]).await;
    let (anna, _) = new_user();
    let post = posted(&platform, &anna).await;
    let nft = pinned(&platform, &anna, &post).await;
    let path = format!("/nfts/{}/voucher", nft["id"].as_str().unwrap());
    let voucher = platform.call("POST", &path, Some(&anna), Some(json!({ "recipient": WALLET }))).await.body;
    let mut minter = worker(&platform);
    minter.step().await.unwrap();
    platform.consume(POST_DELETE_REQUESTED, &delete_request(&post)).await;
    assert_eq!(read(&platform, &anna, &nft).await["status"], "CANCELLED");
    assert!(transact(&chain, STRANGER, voucher["call_data"].as_str().unwrap()).await);
    minter.step().await.unwrap();
    remove_due(&platform).await;
    let minted = read(&platform, &anna, &nft).await;
    assert_eq!((&minted["status"], &minted["token_uri"]), (&json!("MINTED"), &nft["token_uri"]));
    assert_eq!(served(&platform, &minted).await, 200);
    assert_eq!(platform.published(NFT_MINTED).await.len(), 1);
}

/// Killed at each of the steps: each stage below is the exact state that a process leaves which dies there, with its claims.
#[sqlx::test(migrations = false)]
async fn a_hundred_records_have_one_token_each_wherever_workers_die(_: PgPoolOptions, database: PgConnectOptions) {
    let Some(chain) = TestChain::start().await else { return };
    let platform = chain.platform(database, &SERVER).await;
    let mut all = Vec::new();
    // Claimed · signed and stored · sent, and not written down · submitted · mined · confirmed, and the event not read.
    for stage in 0..6 {
        let count = if stage == 0 { 20 } else { 16 };
        all.extend(named(&platform, &chain, count).await);
        let dying = worker(&platform);
        if stage == 0 {
            let contract = format!("eip155:31337:{}", chain.contract);
            let claimed =
                crate::nfts::tokens::models::UnsignedToken::claim(&platform.app.db, &contract, 64).await.unwrap();
            assert_eq!(claimed.len(), count);
            assert_eq!(dying.transactions.sign_due().await.unwrap(), 0, "they are claimed");
            continue;
        }
        make_tokens_due(&platform).await;
        dying.transactions.sign_due().await.unwrap();
        if stage == 2 {
            let stored = "select raw from signed_transaction join chain_transaction using (account, nonce)
                where status = 'SIGNED' order by nonce";
            for row in platform.app.db.fetch_all(stored).await.unwrap() {
                chain.node.send(&row.get::<Vec<u8>, _>(0)).await.unwrap();
            }
        }
        for _ in 2..stage {
            dying.transactions.follow_due().await.unwrap();
            make_tokens_due(&platform).await;
        }
    }
    assert!(statuses(&platform, &all).await.iter().any(|status| status != "MINTED"));
    mint_all(&platform, &all).await;
    assert_one_each(&platform, &chain, &all).await;
    assert_eq!(platform.published(NFT_MINTED).await.len(), 100);
}

/// Three replicas sign and send with one key at the same moment, and no block is made meanwhile.
#[sqlx::test(migrations = false)]
async fn fifty_at_once_leave_no_gap_and_no_double(_: PgPoolOptions, database: PgConnectOptions) {
    let Some(chain) = TestChain::start().await else { return };
    let platform = chain.platform(database, &SERVER).await;
    let all = named(&platform, &chain, 50).await;
    chain.automine(false).await;
    let replicas: Vec<_> = (0..3).map(|_| worker(&platform)).collect();
    let signed = join_all(replicas.iter().map(async |replica| replica.transactions.sign_due().await.unwrap())).await;
    assert_eq!(signed.iter().sum::<usize>(), 50);
    join_all(replicas.iter().map(async |replica| replica.transactions.follow_due().await.unwrap())).await;
    chain.automine(true).await;
    chain.mine(1).await;
    mint_all(&platform, &all).await;
    assert_one_each(&platform, &chain, &all).await;
}

/// A voucher goes to the recipient that it names, by whichever account it is redeemed, and once.
#[sqlx::test(migrations = false)]
async fn a_voucher_is_redeemed_by_any_account_once(_: PgPoolOptions, database: PgConnectOptions) {
    let Some(chain) = TestChain::start().await else { return };
    let platform = chain.platform(database, &[]).await;
    let (anna, _) = new_user();
    let post = posted(&platform, &anna).await;
    let nft = pinned(&platform, &anna, &post).await;
    let path = format!("/nfts/{}/voucher", nft["id"].as_str().unwrap());
    let voucher = platform.call("POST", &path, Some(&anna), Some(json!({ "recipient": WALLET }))).await;
    assert_eq!(voucher.status, 200, "{voucher:?}");
    let call = voucher.body["call_data"].as_str().unwrap();
    let mut minter = worker(&platform);
    minter.step().await.unwrap();
    assert_eq!(read(&platform, &anna, &nft).await["status"], "PINNED");
    assert!(transact(&chain, STRANGER, call).await);
    assert!(!transact(&chain, WALLET, call).await, "the contract refuses a second token");
    minter.step().await.unwrap();
    let minted = read(&platform, &anna, &nft).await;
    assert_eq!((&minted["status"], &minted["recipient"]), (&json!("MINTED"), &json!(WALLET)), "{minted}");
    assert_eq!(json!([voucher.body["voucher"]["id"]]), json!(chain.tokens().await));
    assert_eq!(platform.published(NFT_MINTED).await[0]["transaction_hash"], minted["transaction_hash"]);
    let again = platform.call("POST", &path, Some(&anna), Some(json!({ "recipient": WALLET }))).await;
    assert_eq!(refused(&again), (409, &json!("The token is minted already")));

    // The other way is closed as well: a service that pays does not mint it again.
    let paying = chain.beside(&platform, &SERVER);
    let forced = "update mint set status = 'PINNED', voucher_deadline = null, minted_at = null, next_try_at = now()";
    platform.app.db.execute(forced).await.unwrap();
    worker(&paying).transactions.sign_due().await.unwrap();
    let waiting = read(&platform, &anna, &nft).await;
    assert_eq!(waiting["reason"], "the contract has minted it already");
    assert_eq!(chain.tokens().await.len(), 1);
}
