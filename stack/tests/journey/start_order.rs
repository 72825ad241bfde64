//! Any start order will do: services that are started before their servers, or before each other, say what they miss, heal
//! when it comes, and have lost nothing.

use anyhow::{Context, Result};
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};

use crate::client::eventually;
use crate::platform::{PASSWORD, Platform, SERVICES};

const SERVERS: [&str; 2] = ["postgres", "redis"];
const SEEDS: [u64; 4] = [1, 2, 3, 4];

#[tokio::test]
async fn services_that_start_before_both_servers_wait_for_them() -> Result<()> {
    converges(&[&SERVICES[..], &["redis", "postgres"]].concat()).await
}

#[tokio::test]
async fn services_and_servers_start_in_any_order() -> Result<()> {
    for seed in SEEDS {
        let order = shuffled(seed);
        converges(&order).await.with_context(|| format!("seed {seed}, {}", order.join(", ")))?;
    }
    Ok(())
}

#[test]
fn the_orders_have_servers_in_the_middle_as_well_as_last() {
    let ends_with = |order: &Vec<&str>| order.last().is_some_and(|last| SERVERS.contains(last));
    let orders = SEEDS.map(shuffled);
    assert!(orders.iter().any(ends_with) && !orders.iter().all(ends_with), "{orders:#?}");
}

/// The services in some order, and each server somewhere behind the first of them.
fn shuffled(seed: u64) -> Vec<&'static str> {
    let mut dice = StdRng::seed_from_u64(seed);
    let mut order = SERVICES.to_vec();
    order.shuffle(&mut dice);
    for server in SERVERS {
        order.insert(dice.random_range(1..=order.len()), server);
    }
    order
}

async fn converges(order: &[&str]) -> Result<()> {
    let mut platform = Platform::up(&["--start-order", &order.join(",")]);
    let told = platform.stderr();
    for server in SERVERS {
        for service in order.iter().take_while(|part| **part != server).filter(|part| SERVICES.contains(part)) {
            let missed = told.lines().any(|line| {
                line.starts_with(&format!("{service} runs and is not ready: it answers 503 "))
                    && line.contains(&format!("\"{server}\":false"))
            });
            assert!(missed, "{service} did not miss {server}:\n{told}");
        }
    }
    what_people_do_is_counted(&platform).await?;
    platform.stop();
    Ok(())
}

async fn what_people_do_is_counted(platform: &Platform) -> Result<()> {
    let api = platform.api();
    let ada = api.join("ada@example.org", PASSWORD, ("Ada", "Lovelace"), &["BOOKS"]).await?;
    let bob = api.join("bob@example.org", PASSWORD, ("Bob", "Frankston"), &["TECHNOLOGY"]).await?;
    let post = ada.write_post("In order", "Who was first?", &["BOOKS"], "POSTED").await?;
    for number in 0..3 {
        bob.comment(&post.id, &format!("A friendly remark, number {number}")).await?;
        bob.view(&post.id).await?;
    }
    bob.react(&post.id, "LIKE").await?;
    let counts = async || {
        let post = ada.post(&post.id).await?;
        let (ada, bob) = (ada.profile().await?, bob.profile().await?);
        Ok((
            (post.total_comments, post.total_views, post.total_reactions),
            ada.map(|ada| (ada.total_owned_posts, ada.total_post_comments)),
            bob.map(|bob| (bob.total_post_comments, bob.total_post_views, bob.total_post_reactions)),
        ))
    };
    let all = ((3, 3, 1), Some((1, 0)), Some((3, 3, 1)));
    eventually("what was done is counted, once", counts, |found| *found == all).await.map(drop)
}
