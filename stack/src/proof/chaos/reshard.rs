//! Slots of a cluster of Redis that move to another primary, as where a shard is added: those in which there are streams, while
//! events are appended to them and read.

use std::collections::BTreeSet;

use anyhow::{Context, Result, bail};
use reqwest::Url;

use crate::servers::cluster_node::{ClusterNode, NodeConnection};

/// A primary, and its slots that have streams.
struct ServingNode {
    own: ClusterNode,
    connection: NodeConnection,
    slots: BTreeSet<u16>,
}

/// Moves all slots with streams of the primary that has most of them to another one; how many there were.
pub async fn reshard(nodes: &[Url], dice: u64) -> Result<usize> {
    let mut primaries = Vec::new();
    for node in nodes {
        let mut connection = NodeConnection::open(node).await?;
        let own = connection.own().await?;
        if own.is_serving() {
            let slots = slots_of_streams(&mut connection).await?;
            primaries.push(ServingNode { own, connection, slots });
        }
    }
    primaries.sort_by_key(|primary| primary.slots.len());
    let mut from = primaries.pop().context("no primary serves")?;
    let to = usize::try_from(dice % primaries.len().max(1) as u64)?;
    let slots = from.slots.clone();
    for slot in &slots {
        move_slot(*slot, &mut from, &mut primaries, to).await?;
    }
    Ok(slots.len())
}

async fn slots_of_streams(node: &mut NodeConnection) -> Result<BTreeSet<u16>> {
    let (mut cursor, mut slots) = ("0".to_owned(), BTreeSet::new());
    loop {
        let (next, streams): (String, Vec<String>) =
            node.call(&["SCAN", &cursor, "COUNT", "1000", "TYPE", "stream"]).await?;
        for stream in streams {
            slots.insert(node.call::<u16>(&["CLUSTER", "KEYSLOT", &stream]).await?);
        }
        if next == "0" {
            return Ok(slots);
        }
        cursor = next;
    }
}

/// Moves a slot by the protocol of the cluster: while its keys move, each of the two nodes leads clients to the other one for those
/// that it does not have.
async fn move_slot(slot: u16, from: &mut ServingNode, primaries: &mut [ServingNode], to: usize) -> Result<()> {
    let text = slot.to_string();
    let Some(target) = primaries.get_mut(to) else { bail!("no other primary serves") };
    let (id, port) = (target.own.id.clone(), target.own.port);
    target.connection.call::<()>(&["CLUSTER", "SETSLOT", &text, "IMPORTING", &from.own.id]).await?;
    from.connection.call::<()>(&["CLUSTER", "SETSLOT", &text, "MIGRATING", &id]).await?;
    from.connection.move_keys(slot, port).await?;
    // The new owner first, so that the slot never has none.
    let is_now = ["CLUSTER", "SETSLOT", text.as_str(), "NODE", id.as_str()];
    target.connection.call::<()>(&is_now).await?;
    from.connection.call::<()>(&is_now).await?;
    for other in primaries.iter_mut().filter(|other| other.own.id != id) {
        other.connection.call::<()>(&is_now).await?;
    }
    Ok(())
}
