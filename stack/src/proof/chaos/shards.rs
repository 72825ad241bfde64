//! Faults of a cluster of Redis: its primaries are killed, stopped and replaced, with the loss of what was acknowledged, and slots
//! move.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use nix::sys::signal::Signal;
use reqwest::Url;

use crate::host::console;
use crate::proof::chaos::faults::Fault;
use crate::proof::chaos::plan::PlannedFault;
use crate::proof::chaos::reshard;
use crate::proof::platform::Platform;
use crate::proof::poll;
use crate::servers::cluster;
use crate::servers::cluster_node::{ClusterNode, NodeConnection, field};

/// How long the cluster may take to be whole after a fault, and a replica to replace its primary.
const HEALING_TIMEOUT: Duration = Duration::from_mins(1);
const EVERY: Duration = Duration::from_millis(50);
/// Entries that a primary acknowledges while its replica is cut off.
const ENTRIES: u64 = 50;
/// With a user that its primary does not have a replica is refused, whenever it connects again.
const UNKNOWN_USER: [(&str, &str); 2] = [("masteruser", "unknown"), ("masterauth", "unknown")];

/// The nodes, what is under way and has to be undone, and what was proven.
#[derive(Debug)]
pub struct ShardFaults {
    nodes: Vec<Url>,
    under_way: Option<UnderWay>,
    /// Takeovers by which acknowledged entries were lost, and those entries.
    pub takeovers: u64,
    pub lost: u64,
}

#[derive(Debug)]
enum UnderWay {
    /// Nodes, by position, in the order in which they come back.
    Killed(Vec<u16>),
    Stopped(u16),
    /// A replica that lacks the entries of a stream, all of which its primary has acknowledged.
    CutOff {
        replica: u16,
        key: String,
    },
}

/// The positions of a primary and its replica.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Shard {
    primary: u16,
    replica: u16,
}

/// All shards, of the nodes as each knows itself.
fn shards(own: &[ClusterNode]) -> Vec<Shard> {
    let places = || (0_u16..).zip(own);
    let replica = |id: &str| places().find(|(_, node)| node.primary.as_deref() == Some(id)).map(|(place, _)| place);
    let serving = places().filter(|(_, node)| node.is_serving());
    serving.filter_map(|(primary, node)| Some(Shard { primary, replica: replica(&node.id)? })).collect()
}

impl ShardFaults {
    pub fn of(nodes: Vec<Url>) -> ShardFaults {
        ShardFaults { nodes, under_way: None, takeovers: 0, lost: 0 }
    }

    /// Waits until each slot is served, and each primary has a replica that follows it.
    pub async fn wait_until_whole(&self) -> Result<()> {
        // A node that has just been started answers when it likes.
        let is_whole = async || Ok(cluster::is_whole(&self.nodes).await.unwrap_or(false));
        poll::until("the cluster of Redis is whole", HEALING_TIMEOUT, EVERY, is_whole).await
    }

    /// Does to a shard of a whole cluster what was planned.
    pub async fn begin(&mut self, platform: &mut Platform<'_>, planned: &PlannedFault) -> Result<()> {
        let shards = shards(&cluster::own(&self.nodes).await?);
        let place = usize::try_from(planned.dice % shards.len().max(1) as u64)?;
        let Shard { primary, replica } = *shards.get(place).context("the cluster has no shard")?;
        match planned.fault {
            Fault::KillPrimary => {
                platform.processes().kill(&cluster::name(primary)).await?;
                self.under_way = Some(UnderWay::Killed(vec![primary]));
            }
            Fault::DoubleKill => {
                platform.processes().kill(&cluster::name(primary)).await?;
                wait_until_serving(&mut self.node(replica).await?).await?;
                platform.processes().kill(&cluster::name(replica)).await?;
                // The last primary first: it has what the shard has.
                self.under_way = Some(UnderWay::Killed(vec![replica, primary]));
            }
            Fault::PausePrimary => {
                platform.processes().signal(&cluster::name(primary), Signal::SIGSTOP)?;
                self.under_way = Some(UnderWay::Stopped(primary));
            }
            Fault::TakeoverWithLoss => {
                let key = self.cut_off(Shard { primary, replica }, planned.dice).await?;
                self.under_way = Some(UnderWay::CutOff { replica, key });
            }
            Fault::Reshard => {
                let slots = reshard::reshard(&self.nodes, planned.dice).await?;
                console::show(format_args!("           slots with streams that have moved: {slots}"));
            }
            other => bail!("{} is no fault of a cluster", other.name()),
        }
        Ok(())
    }

    /// Undoes what is under way.
    pub async fn end(&mut self, platform: &mut Platform<'_>) -> Result<()> {
        match self.under_way.take() {
            Some(UnderWay::Killed(nodes)) => {
                for node in nodes {
                    platform.start_redis_node(node).await?;
                }
            }
            Some(UnderWay::Stopped(node)) => {
                platform.processes().signal(&cluster::name(node), Signal::SIGCONT)?;
            }
            Some(UnderWay::CutOff { replica, key }) => self.take_over(replica, &key).await?,
            None => {}
        }
        Ok(())
    }

    async fn node(&self, place: u16) -> Result<NodeConnection> {
        NodeConnection::open(self.nodes.get(usize::from(place)).context("there is no such node")?).await
    }

    /// Cuts a replica off its primary, which serves on and acknowledges entries; the stream that has them.
    async fn cut_off(&self, shard: Shard, dice: u64) -> Result<String> {
        let (mut primary, mut replica) = (self.node(shard.primary).await?, self.node(shard.replica).await?);
        for (name, value) in UNKNOWN_USER {
            replica.call::<()>(&["CONFIG", "SET", name, value]).await?;
        }
        replica.call::<()>(&["CLIENT", "KILL", "TYPE", "master"]).await?;
        poll::until("a replica has lost its primary", HEALING_TIMEOUT, EVERY, async || {
            let replication: String = replica.call(&["INFO", "replication"]).await?;
            Ok(field(&replication, "master_link_status") == "down")
        })
        .await?;
        let key = key_of(&mut primary, dice).await?;
        for entry in 0..ENTRIES {
            primary.call::<String>(&["XADD", &key, "*", "entry", &entry.to_string()]).await?;
        }
        Ok(key)
    }

    /// Makes the replica the primary without asking any other node, and counts what is gone with that.
    async fn take_over(&mut self, replica: u16, key: &str) -> Result<()> {
        let mut node = self.node(replica).await?;
        // Where its primary was taken for dead meanwhile, it is one already.
        if !node.own().await?.is_serving() {
            node.call::<()>(&["CLUSTER", "FAILOVER", "TAKEOVER"]).await?;
        }
        wait_until_serving(&mut node).await?;
        let kept: u64 = node.call(&["XLEN", key]).await?;
        for (name, _) in UNKNOWN_USER {
            node.call::<()>(&["CONFIG", "SET", name, ""]).await?;
        }
        let gone = ENTRIES.saturating_sub(kept);
        self.takeovers += u64::from(gone > 0);
        self.lost += gone;
        let name = cluster::name(replica);
        console::show(format_args!(
            "           {name} has taken over; of {ENTRIES} acknowledged entries {gone} are gone"
        ));
        Ok(())
    }
}

async fn wait_until_serving(node: &mut NodeConnection) -> Result<()> {
    let is_serving = async || Ok(node.own().await?.is_serving());
    poll::until("a replica has replaced its primary", HEALING_TIMEOUT, EVERY, is_serving).await
}

/// A key that a primary serves, and that nothing has used yet.
async fn key_of(primary: &mut NodeConnection, dice: u64) -> Result<String> {
    let own = primary.own().await?;
    for number in 0..1_000 {
        let key = format!("takeover:{dice}:{number}");
        if own.has(primary.call(&["CLUSTER", "KEYSLOT", &key]).await?) {
            return Ok(key);
        }
    }
    bail!("a primary serves none of a thousand keys")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shard_is_a_primary_with_slots_and_its_replica() {
        let node = |id: &str, primary: Option<&str>, slots: &[(u16, u16)]| ClusterNode {
            id: id.to_owned(),
            port: 1,
            is_myself: true,
            is_well: true,
            primary: primary.map(str::to_owned),
            slots: slots.to_vec(),
        };
        let own = [
            node("a", Some("c"), &[]),
            node("b", None, &[(0, 99)]),
            node("c", None, &[(100, 199)]),
            node("d", None, &[]),
            node("e", None, &[(200, 299)]),
            node("f", Some("b"), &[]),
        ];
        assert_eq!(shards(&own), [Shard { primary: 1, replica: 5 }, Shard { primary: 2, replica: 0 }]);
    }
}
