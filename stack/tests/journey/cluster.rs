//! A platform whose Redis is a cluster: each service is a user of every node, and what was kept is found again.

use anyhow::{Context, Result};
use redis::{Client, Value};

use crate::client::eventually;
use crate::journey::outages::two_people;
use crate::platform::{PASSWORD, Platform, home, stack};

/// What any node has refused.
async fn refusals(url: &str) -> Result<Vec<String>> {
    let (user, hosts) = url.trim_end_matches("?cluster").split_once('@').context("the address has no user")?;
    let mut refused = Vec::new();
    for host in hosts.split(',') {
        let mut node = Client::open(format!("{user}@{host}"))?.get_multiplexed_async_connection().await?;
        let log: Vec<Value> = redis::cmd("ACL").arg("LOG").query_async(&mut node).await?;
        refused.extend(log.iter().map(|entry| format!("{host}: {entry:?}")));
    }
    Ok(refused)
}

#[tokio::test]
async fn a_cluster_of_redis_is_made_once_and_found_again_and_refuses_no_service() -> Result<()> {
    let mut platform = Platform::up(&["--redis", "cluster"]);
    let (ada, bob) = two_people(&platform.api()).await?;
    let post = ada.write_post("On six nodes", "Which of them has it?", &["BOOKS"], "POSTED").await?.id;
    bob.comment(&post, "A friendly remark").await?;
    bob.react(&post, "LOVE").await?;
    let ask = async || ada.post(&post).await;
    eventually("the post is counted", ask, |post| (post.total_comments, post.total_reactions) == (1, 1)).await?;
    assert_eq!(refusals(&platform.connection("REDIS_URL")).await?, Vec::<String>::new());
    let nodes = platform.processes().into_iter().filter(|(name, _)| name.starts_with("Redis-")).count();
    assert_eq!(nodes, 6);
    let doctor = stack(&["doctor", "--prebuilt", "--data-dir", platform.data().to_str().context("no path")?]);
    let report = String::from_utf8_lossy(&doctor.stdout).into_owned();
    assert!(doctor.status.success() && report.contains("the cluster of Redis is whole"), "{report}");
    platform.stop();

    let kept = std::mem::replace(&mut platform.home, home());
    let mut platform = Platform::up_in(kept, &["--redis", "cluster"]);
    let (ada, bob) =
        (platform.api().sign_in(&ada.email, PASSWORD).await?, platform.api().sign_in(&bob.email, PASSWORD).await?);
    bob.comment(&post, "A later one").await?;
    let ask = async || ada.post(&post).await;
    eventually("the later comment is counted", ask, |post| post.total_comments == 2).await?;
    platform.stop();
    Ok(())
}
