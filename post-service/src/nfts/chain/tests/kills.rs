//! What becomes of what was asked for when the worker is killed: at every place where it waits for the node or the database.
use std::collections::BTreeSet;
use std::pin::pin;
use std::task::Poll;

use sqlx::Executor;
use sqlx::Row;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

use super::{
    NodeProxy, ProxyMode, TestChain, assert_one_each, make_tokens_due, mint_all, named, reasons, statuses, worker,
};
use crate::core::ground::worker::Worker;
use crate::core::testing::{Platform, new_user};
use crate::nfts::events::{NFT_MINTED, NFT_PINNED};
use crate::nfts::schedulers::Minter;
use crate::nfts::tests::{ask, make_due, nfts, start};
use crate::posts::tests::posted;

const SERVER: [&str; 2] = ["--minting-payer", "server"];
/// The kills of a test at most; it ends when all is minted.
const MAX_KILLS: usize = 3_000;

/// Lets a worker work until it has waited so often, and drops it there: as a process that is killed it writes nothing down any more, and
/// its transaction and its call are broken off. A step that ends before is no kill.
async fn killed_after(waits: usize, worker: &mut impl Worker) {
    let mut step = pin!(worker.step());
    let mut left = waits;
    std::future::poll_fn(|context| match step.as_mut().poll(context) {
        Poll::Ready(_) => Poll::Ready(()),
        Poll::Pending if left == 0 => Poll::Ready(()),
        Poll::Pending => {
            left -= 1;
            Poll::Pending
        }
    })
    .await;
}

async fn is_quiet(platform: &Platform) -> bool {
    let open = "select from chain_transaction where status in ('SIGNED', 'SUBMITTED', 'MINED')";
    platform.app.db.fetch_all(open).await.unwrap().is_empty()
}

/// Killed again and again, at every place where it waits, each time by a new process that begins anew: each of a hundred records has one
/// token, no nonce is left out or used twice, and one event is published.
#[sqlx::test(migrations = false)]
async fn a_hundred_records_have_one_token_each_at_whatever_await_workers_are_killed(
    _: PgPoolOptions,
    database: PgConnectOptions,
) {
    let Some(chain) = TestChain::start().await else { return };
    let platform = chain.platform(database, &SERVER).await;
    let all = named(&platform, &chain, 100).await;
    let mut kills = 0;
    while !(is_quiet(&platform).await && statuses(&platform, &all).await.iter().all(|status| status == "MINTED")) {
        assert!(kills < MAX_KILLS, "{:?}", reasons(&platform).await);
        make_tokens_due(&platform).await;
        // One place further each time, over the way of two records or three, and again from the first.
        killed_after(kills % 60, &mut worker(&platform)).await;
        kills += 1;
    }
    assert!(kills > 60, "{kills} kills are too few to have met every place");
    assert_one_each(&platform, &chain, &all).await;
    assert_eq!(platform.published(NFT_MINTED).await.len(), 100);
}

/// The same with the metadata: each is pinned once, whatever is broken off between claim, upload and commit.
#[sqlx::test(migrations = false)]
async fn metadata_is_pinned_once_at_whatever_await_workers_are_killed(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let (anna, _) = new_user();
    for _ in 0..20 {
        let post = posted(&platform, &anna).await;
        ask(&platform, &anna, &post).await;
    }
    let waiting = "select from mint where status <> 'PINNED'";
    let mut kills = 0;
    while !platform.app.db.fetch_all(waiting).await.unwrap().is_empty() {
        assert!(kills < MAX_KILLS, "{:?}", reasons(&platform).await);
        make_due(&platform).await;
        // A step has sixteen at hand, which wait beside each other: one place further each time, until it comes to its end.
        killed_after(kills, &mut Minter::new(&platform.app, nfts(&platform))).await;
        kills += 1;
    }
    assert!(kills > 10, "{kills} kills are too few to have met every place");
    let events = platform.published(NFT_PINNED).await;
    let pinned: BTreeSet<String> = events.iter().map(|event| event["id"].to_string()).collect();
    assert_eq!((events.len(), pinned.len()), (20, 20));
}

/// The node is away for a minute in the middle of everything: nothing is lost or doubled, and soon after it goes on.
#[sqlx::test(migrations = false)]
async fn a_node_that_is_away_for_a_minute_costs_nothing_but_time(_: PgPoolOptions, database: PgConnectOptions) {
    let Some(chain) = TestChain::start().await else { return };
    let proxy = NodeProxy::start(&chain).await;
    let platform = chain.platform(database, &[&SERVER[..], &["--chain-rpc-url", &proxy.url]].concat()).await;
    chain.automine(false).await;
    let mut minter = worker(&platform);
    // Some are submitted, some signed, some named when it begins.
    let mut all = named(&platform, &chain, 4).await;
    minter.step().await.unwrap();
    all.extend(named(&platform, &chain, 4).await);
    minter.transactions.sign_due().await.unwrap();
    all.extend(named(&platform, &chain, 4).await);
    proxy.set(ProxyMode::Away);
    for _ in 0..12 {
        assert!(minter.step().await.is_err(), "the step fails, and is logged");
        // Five seconds pass.
        let clocks = "update mint set next_try_at = next_try_at - interval '5 seconds';
            update chain_transaction set next_try_at = next_try_at - interval '5 seconds',
                created_at = created_at - interval '5 seconds';
            update signed_transaction set created_at = created_at - interval '5 seconds'";
        platform.app.db.execute(clocks).await.unwrap();
    }
    let waiting = reasons(&platform).await;
    assert!(waiting.iter().any(|reason| reason.starts_with("RETRY: the node does not answer")), "{waiting:?}");
    let next = "select extract(epoch from max(next_try_at) - now())::double precision from (
        select next_try_at from mint where token_uri is not null union all select next_try_at from chain_transaction) as due";
    let wait: f64 = platform.app.db.fetch_one(next).await.unwrap().get(0);
    assert!(wait < 120.0, "it goes on within two minutes, and not in {wait} s");
    proxy.set(ProxyMode::Open);
    chain.automine(true).await;
    chain.mine(1).await;
    mint_all(&platform, &all).await;
    assert_one_each(&platform, &chain, &all).await;
}
