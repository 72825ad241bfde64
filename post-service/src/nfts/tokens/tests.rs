//! Recipients and vouchers, through their routes. What a chain makes of them is in the tests of the chain.
use serde_json::{Value, json};
use sqlx::Executor;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

use crate::core::testing::{Platform, Reply, new_user};
use crate::nfts::tests::{CONTRACT, STRANGER, WALLET, ask, pinned, start};
use crate::posts::tests::{nfts as records, posted, refused};

/// A contract that an operator has deployed later.
const LATER: &str = "0xe7f1725E7734CE288F8367e1Bb143E90bb3F0512";

async fn give(platform: &Platform, author: &str, nft: &Value, what: &str, recipient: &Value) -> Reply {
    let path = format!("/nfts/{}/{what}", nft["id"].as_str().unwrap());
    platform.call("POST", &path, Some(author), Some(json!({ "recipient": recipient }))).await
}

/// One recipient per voucher until it ends; the same request has the same answer.
#[sqlx::test(migrations = false)]
async fn a_voucher_is_the_same_until_it_ends(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let (anna, _) = new_user();
    let post = posted(&platform, &anna).await;
    let nft = pinned(&platform, &anna, &post).await;
    let first = give(&platform, &anna, &nft, "voucher", &json!(WALLET)).await;
    assert_eq!(first.status, 200, "{first:?}");
    let voucher = &first.body["voucher"];
    assert_eq!((&first.body["contract"], &first.body["chain_id"]), (&json!(CONTRACT), &json!(31337)));
    assert_eq!((&voucher["recipient"], &voucher["uri"]), (&json!(WALLET), &nft["token_uri"]));
    assert_eq!(give(&platform, &anna, &nft, "voucher", &json!(WALLET)).await.body, first.body);
    let other = give(&platform, &anna, &nft, "voucher", &json!(STRANGER)).await;
    assert_eq!(refused(&other), (409, &json!("A voucher for another recipient holds still")));
    platform.app.db.execute("update mint set voucher_deadline = now() - interval '1 second'").await.unwrap();
    let other = give(&platform, &anna, &nft, "voucher", &json!(STRANGER)).await;
    assert_eq!((other.status.as_u16(), &other.body["voucher"]["recipient"]), (200, &json!(STRANGER)));
    assert_eq!(other.body["voucher"]["id"], voucher["id"]);
    assert_ne!(other.body["signature"], first.body["signature"]);
}

/// Its author alone gets one, for an address with its checksum, when there is metadata, and where vouchers are given.
#[sqlx::test(migrations = false)]
async fn a_voucher_is_refused_with_a_reason(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let ((anna, _), (ben, _)) = (new_user(), new_user());
    let post = posted(&platform, &anna).await;
    let record = records(&platform).await.remove(0);
    let refusal = async |platform: &Platform, caller: &str, what: &str| {
        let reply = give(platform, caller, &record, what, &json!(WALLET)).await;
        (reply.status.as_u16(), reply.body["detail"].as_str().unwrap_or_default().to_owned())
    };
    let answer = |status: u16, text: &str| (status, text.to_owned());
    assert_eq!(refusal(&platform, &anna, "voucher").await, answer(409, "Minting was not asked for"));
    let nft = ask(&platform, &anna, &post).await;
    assert_eq!(refusal(&platform, &anna, "voucher").await, answer(409, "The metadata is not pinned"));
    assert_eq!(refusal(&platform, &ben, "voucher").await, answer(404, "NFT not found"));
    assert_eq!(refusal(&platform, &anna, "token").await, answer(409, "Tokens are minted with a voucher here"));
    let paying = platform.beside(&["--minting-payer", "server"]);
    assert_eq!(refusal(&paying, &anna, "voucher").await, answer(409, "Tokens are minted without a voucher here"));
    let off = platform.beside(&["--minting", "off"]);
    assert_eq!(refusal(&off, &anna, "voucher").await, answer(409, "Minting is off"));
    let wrong = WALLET.replace("C51", "c51");
    let zero = "0x0000000000000000000000000000000000000000";
    for recipient in [json!(wrong), json!(zero), json!(""), json!("x".repeat(43)), json!(null), json!(7), json!([])] {
        let reply = give(&platform, &anna, &nft, "voucher", &recipient).await;
        assert_eq!(reply.status, 422, "{recipient}: {reply:?}");
    }
    // Without its checksum, as some programs write it, an address is all of one case, and is refused as well.
    let reply = give(&platform, &anna, &nft, "voucher", &json!(WALLET.to_lowercase())).await;
    assert_eq!(reply.body["detail"][0]["msg"], "value is not an address with its checksum (EIP-55)");
}

/// Where the service pays, a recipient can be changed until the transaction is signed, and not while a voucher holds.
#[sqlx::test(migrations = false)]
async fn a_recipient_is_named_while_nothing_is_signed(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let paying = platform.beside(&["--minting-payer", "server"]);
    let ((anna, her), (ben, _)) = (new_user(), new_user());
    let post = posted(&platform, &anna).await;
    let nft = ask(&platform, &anna, &post).await;
    for recipient in [WALLET, STRANGER, WALLET] {
        let reply = give(&paying, &anna, &nft, "token", &json!(recipient)).await;
        assert_eq!((reply.status.as_u16(), &reply.body["recipient"]), (202, &json!(recipient)), "{reply:?}");
    }
    assert_eq!(refused(&give(&paying, &ben, &nft, "token", &json!(WALLET)).await), (404, &json!("NFT not found")));
    platform.app.db.execute("update mint set cid = 'c', token_uri = 'u', status = 'TX_SIGNED'").await.unwrap();
    assert_eq!(give(&paying, &anna, &nft, "token", &json!(WALLET)).await.status, 202);
    let other = give(&paying, &anna, &nft, "token", &json!(STRANGER)).await;
    assert_eq!(refused(&other), (409, &json!("The token is minted to another recipient")));
    platform
        .app
        .db
        .execute("update mint set status = 'PINNED', voucher_deadline = now() + interval '1 day'")
        .await
        .unwrap();
    let held = give(&paying, &anna, &nft, "token", &json!(WALLET)).await;
    assert_eq!(refused(&held), (409, &json!("A voucher for another recipient holds still")));
    // It is exported with the request.
    assert_eq!(platform.personal_data_of(her, "mints").await[0]["recipient"], WALLET);
}

/// Where the settings name another contract, a voucher that holds stays good for its own, and so does the answer; a token cannot come to be
/// in both.
#[sqlx::test(migrations = false)]
async fn a_voucher_stays_in_its_contract_when_the_settings_change(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let (anna, _) = new_user();
    let [first, second] = [posted(&platform, &anna).await, posted(&platform, &anna).await];
    let [given, other] = [pinned(&platform, &anna, &first).await, pinned(&platform, &anna, &second).await];
    let voucher = give(&platform, &anna, &given, "voucher", &json!(WALLET)).await;
    let later = platform.beside(&["--minting-contract", LATER]);
    assert_eq!(give(&later, &anna, &given, "voucher", &json!(WALLET)).await.body, voucher.body);
    let new = give(&later, &anna, &other, "voucher", &json!(WALLET)).await;
    assert_eq!(new.body["contract"], LATER);

    let end = async |ago: &str| {
        let ended = format!("update mint set voucher_deadline = now() - interval '{ago}'");
        platform.app.db.execute(sqlx::AssertSqlSafe(ended)).await.unwrap();
        give(&later, &anna, &given, "voucher", &json!(STRANGER)).await.body["contract"].clone()
    };
    assert_eq!(end("1 hour").await, CONTRACT, "it may have been redeemed at the last moment");
    assert_eq!(end("25 hours").await, LATER);
    let paying = later.beside(&["--minting-payer", "server"]);
    platform.app.db.execute("update mint set voucher_deadline = null, transaction_hash = null").await.unwrap();
    let back = paying.beside(&["--minting-contract", CONTRACT]);
    let named = give(&back, &anna, &other, "token", &json!(WALLET)).await;
    assert_eq!(named.body["contract"], format!("eip155:31337:{CONTRACT}"), "nothing is signed, so the settings decide");
    platform.app.db.execute("update mint set status = 'SUBMITTED'").await.unwrap();
    let again = give(&paying, &anna, &other, "token", &json!(WALLET)).await;
    assert_eq!((again.status.as_u16(), &again.body["contract"]), (202, &named.body["contract"]), "{again:?}");
}
