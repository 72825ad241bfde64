//! A private Redis Cluster on 127.0.0.1: three primaries with one replica each, made on a first start and found again on later
//! ones. Failover is the cluster's own work.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use reqwest::Url;

use crate::servers::cluster_node::{ClusterNode, NodeConnection, itself};
use crate::servers::folder::Folder;
use crate::servers::postgres::Lifetime;
use crate::servers::processes::Processes;
use crate::servers::redis::{self, RedisServer};
use crate::servers::redis_url::RedisUrl;
use crate::servers::state::Secrets;

/// The least with which a majority can decide that one of them is away.
const PRIMARIES: u16 = 3;
/// The primaries, then a replica of each.
pub const NODES: u16 = 2 * PRIMARIES;
/// Each node has a port for clients, and behind it one for the other nodes.
pub const PORTS: u16 = 2 * NODES;
const SLOTS: u16 = 16_384;
/// How long a node may be silent before the others replace it, in milliseconds.
const NODE_TIMEOUT: u16 = 2_000;
/// How long the nodes may take to find each other. After a restart they wait for some of their timeouts.
const READY_TIMEOUT: Duration = Duration::from_mins(1);

/// The name of the process of a node, by position.
pub fn name(node: u16) -> String {
    format!("Redis-{}", node + 1)
}

/// The address, where the first node has this port.
pub fn url(first_port: u16, password: &str) -> Result<RedisUrl> {
    let nodes = (0..NODES).map(|node| redis::url(port(first_port, node), password));
    Ok(RedisUrl::cluster(nodes.collect::<Result<_>>()?))
}

fn port(first_port: u16, node: u16) -> u16 {
    first_port + 2 * node
}

/// Starts the nodes that do not run, and waits until they are a cluster without a gap.
pub async fn start(
    processes: &mut Processes,
    folder: &Folder,
    first_port: u16,
    secrets: &Secrets,
    kind: Lifetime,
) -> Result<()> {
    for node in (0..NODES).filter(|node| !processes.has(&name(*node))).collect::<Vec<_>>() {
        start_node(processes, folder, first_port, node, secrets, kind).await?;
    }
    let url = url(first_port, &secrets.redis)?;
    processes
        .until("the cluster of Redis", READY_TIMEOUT, async || assemble(url.servers()).await.unwrap_or(false))
        .await
}

/// Starts one node, which finds the others by itself when it was one of them before.
pub async fn start_node(
    processes: &mut Processes,
    folder: &Folder,
    first_port: u16,
    node: u16,
    secrets: &Secrets,
    kind: Lifetime,
) -> Result<()> {
    let (name, place, port) = (name(node), format!("redis-{}", node + 1), port(first_port, node));
    let more = configuration(port, &secrets.redis);
    redis::start_server(
        processes,
        folder,
        &RedisServer { name: &name, place: &place, port, more: &more },
        secrets,
        kind,
    )
    .await
}

/// What the configuration of a node has beside that of every Redis.
fn configuration(port: u16, password: &str) -> Vec<String> {
    let mut lines = vec![
        "cluster-enabled yes".to_owned(),
        "cluster-config-file nodes.conf".to_owned(),
        "cluster-announce-ip 127.0.0.1".to_owned(),
        format!("cluster-port {}", port + 1),
        format!("cluster-node-timeout {NODE_TIMEOUT}"),
        // A shard that is away takes only its own keys along.
        "cluster-require-full-coverage no".to_owned(),
        // It would wait for other replicas that need the same data; there are none.
        "repl-diskless-sync-delay 0".to_owned(),
    ];
    if !password.is_empty() {
        lines.extend(["masteruser default".to_owned(), format!("masterauth {password}")]);
    }
    lines
}

/// The nodes, and what each of them knows.
struct Views {
    connections: Vec<NodeConnection>,
    known: Vec<Vec<ClusterNode>>,
}

impl Views {
    async fn of(nodes: &[Url]) -> Result<Views> {
        let mut views = Views { connections: Vec::new(), known: Vec::new() };
        for node in nodes {
            let mut connection = NodeConnection::open(node).await?;
            views.known.push(connection.known().await?);
            views.connections.push(connection);
        }
        Ok(views)
    }

    /// Each node as it knows itself.
    fn own(&self) -> Result<Vec<ClusterNode>> {
        self.known.iter().map(|known| itself(known)).collect()
    }

    /// Whether every node knows all of them, and finds them well.
    fn are_complete(&self) -> bool {
        let count = self.known.len();
        self.known.iter().all(|known| known.len() == count && known.iter().all(|node| node.is_well))
    }

    async fn is_whole(&mut self) -> Result<bool> {
        if !self.are_complete() || !is_covered(&self.own()?) {
            return Ok(false);
        }
        for connection in &mut self.connections {
            if !connection.is_in_step().await? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// Whether each slot has one primary, and each primary a replica.
fn is_covered(own: &[ClusterNode]) -> bool {
    let primaries: Vec<_> = own.iter().filter(|node| node.primary.is_none()).collect();
    let has_replica = |id: &String| own.iter().any(|node| node.primary.as_ref() == Some(id));
    let slots: u32 = primaries.iter().map(|primary| primary.count()).sum();
    slots == u32::from(SLOTS) && primaries.iter().all(|primary| primary.is_serving() && has_replica(&primary.id))
}

/// Each node as it knows itself.
pub async fn own(nodes: &[Url]) -> Result<Vec<ClusterNode>> {
    Views::of(nodes).await?.own()
}

/// Whether all nodes agree about all of them, each slot is served, and each primary has a replica that follows it.
pub async fn is_whole(nodes: &[Url]) -> Result<bool> {
    Views::of(nodes).await?.is_whole().await
}

/// The next step on the way to a whole cluster, if one is to be taken; whether it is whole.
async fn assemble(nodes: &[Url]) -> Result<bool> {
    let mut views = Views::of(nodes).await?;
    let ports: Vec<_> = nodes.iter().filter_map(Url::port).collect();
    let knows_all =
        |known: &Vec<ClusterNode>| known.len() >= ports.len() && known.iter().all(|node| ports.contains(&node.port));
    if !views.known.iter().all(knows_all) {
        // The first node introduces them to each other; also those that it knows at ports which are free no more.
        for port in ports[1..].iter().filter(|port| views.known[0].iter().all(|node| node.port != **port)) {
            let (port, bus) = (port.to_string(), (port + 1).to_string());
            views.connections[0].call::<()>(&["CLUSTER", "MEET", "127.0.0.1", &port, &bus]).await?;
        }
        return Ok(false);
    }
    let own = views.own()?;
    let assigned: u32 = own.iter().map(ClusterNode::count).sum();
    let is_founded = assigned >= u32::from(SLOTS) && own.iter().all(|node| node.primary.is_some() || node.is_serving());
    if is_founded || !views.are_complete() {
        return views.is_whole().await;
    }
    found(&mut views, &own, assigned).await?;
    Ok(false)
}

/// Gives each of the first nodes its part of the slots, then makes each other one the replica of one of them.
async fn found(views: &mut Views, own: &[ClusterNode], assigned: u32) -> Result<()> {
    for (place, node) in (0..PRIMARIES).zip(own).filter(|_| assigned < u32::from(SLOTS)) {
        if !node.is_serving() {
            let (from, to) = part(place);
            let node = &mut views.connections[usize::from(place)];
            node.call::<()>(&["CLUSTER", "ADDSLOTSRANGE", &from.to_string(), &to.to_string()]).await?;
        }
    }
    let primaries = &own[..usize::from(PRIMARIES)];
    let replicas = own.iter().enumerate().skip(usize::from(PRIMARIES));
    for ((place, node), primary) in replicas.zip(primaries) {
        if node.primary.is_none() && !node.is_serving() && primary.is_serving() {
            views.connections[place].call::<()>(&["CLUSTER", "REPLICATE", &primary.id]).await?;
        }
    }
    Ok(())
}

/// The slots that a primary begins with, both ends included.
fn part(primary: u16) -> (u16, u16) {
    let end = |primary: u16| if primary + 1 == PRIMARIES { SLOTS } else { (primary + 1) * (SLOTS / PRIMARIES) };
    (primary * (SLOTS / PRIMARIES), end(primary) - 1)
}

/// Fails where the cluster of a running platform is not whole.
pub async fn check(folder: &Path, url: &RedisUrl) -> Result<()> {
    let logs = folder.join("logs/redis-*.log");
    let is_whole = is_whole(url.servers()).await.context("a node of Redis does not answer")?;
    ensure!(
        is_whole,
        "the cluster of Redis is not whole: a node is away or does not follow; its logs are {}",
        logs.display()
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(id: &str, primary: Option<&str>, slots: &[(u16, u16)]) -> ClusterNode {
        let (id, primary) = (id.to_owned(), primary.map(str::to_owned));
        ClusterNode { id, port: 1, is_myself: true, is_well: true, primary, slots: slots.to_vec() }
    }

    #[test]
    fn the_parts_are_all_slots_and_none_twice() {
        assert_eq!([part(0), part(1), part(2)], [(0, 5_460), (5_461, 10_921), (10_922, 16_383)]);
    }

    #[test]
    fn a_node_lacks_nothing_that_it_needs_to_follow() {
        let lines = configuration(20_002, "pw");
        for line in ["cluster-enabled yes", "cluster-port 20003", "cluster-node-timeout 2000", "masterauth pw"] {
            assert!(lines.iter().any(|found| found == line), "{line} is missing in {lines:?}");
        }
        assert!(configuration(20_002, "").iter().all(|line| !line.starts_with("master")));
        let address = url(20_000, "pw").unwrap();
        assert!(address.as_str().starts_with("redis://default:pw@127.0.0.1:20000,127.0.0.1:20002,"), "{address}");
        assert_eq!(address.servers().len(), usize::from(NODES));
    }

    #[test]
    fn a_cluster_is_covered_when_each_slot_has_one_primary_and_a_replica() {
        let whole = [
            node("a", None, &[(0, 5_460), (16_000, 16_383)]),
            node("b", Some("c"), &[]),
            node("c", None, &[(5_461, 15_999)]),
            node("d", Some("a"), &[]),
        ];
        assert!(is_covered(&whole));
        assert!(!is_covered(&whole[..3]), "a has no replica");
        let mut gap = whole.clone();
        gap[2].slots = vec![(5_462, 15_999)];
        assert!(!is_covered(&gap));
        let mut claimed_twice = whole.clone();
        claimed_twice[1] = node("b", None, &[(5_461, 15_999)]);
        assert!(!is_covered(&claimed_twice));
    }
}
