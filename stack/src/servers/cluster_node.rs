//! One node of a Redis Cluster: a connection to it, and the nodes as it knows them.

use std::time::Duration;

use anyhow::{Context, Result};
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, Cmd, FromRedisValue};
use reqwest::Url;

/// How long a connection may take: a node that is stopped accepts none that it answers.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// How long an answer may take: that to a move of keys comes last.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);
/// How long the two nodes of a move may be silent, in milliseconds.
const MOVE_TIMEOUT: u16 = 5_000;

/// A connection to one node, whichever keys it has.
pub struct NodeConnection(MultiplexedConnection);

impl NodeConnection {
    pub async fn open(url: &Url) -> Result<NodeConnection> {
        let client = Client::open(url.as_str()).context("the address of a node is none")?;
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECT_TIMEOUT))
            .set_response_timeout(Some(ANSWER_TIMEOUT));
        let connection = client.get_multiplexed_async_connection_with_config(&config).await;
        Ok(NodeConnection(connection.context("a node of the cluster cannot be reached")?))
    }

    /// The answer to a command of these words.
    pub async fn call<T: FromRedisValue>(&mut self, words: &[&str]) -> Result<T> {
        let mut command = Cmd::new();
        for word in words {
            command.arg(*word);
        }
        command.query_async(&mut self.0).await.with_context(|| words.join(" "))
    }

    /// All nodes that it knows, itself included.
    pub async fn known(&mut self) -> Result<Vec<ClusterNode>> {
        let text: String = self.call(&["CLUSTER", "NODES"]).await?;
        let node = |line: &str| ClusterNode::parse(line).with_context(|| format!("{line} is no node of a cluster"));
        text.lines().filter(|line| !line.is_empty()).map(node).collect()
    }

    /// Itself, as it knows itself.
    pub async fn own(&mut self) -> Result<ClusterNode> {
        itself(&self.known().await?)
    }

    /// Whether it serves, and, if it is a replica, is connected to its primary.
    pub async fn is_in_step(&mut self) -> Result<bool> {
        let state: String = self.call(&["CLUSTER", "INFO"]).await?;
        let replication: String = self.call(&["INFO", "replication"]).await?;
        let is_in_step = field(&replication, "role") == "master" || field(&replication, "master_link_status") == "up";
        Ok(is_in_step && field(&state, "cluster_state") == "ok")
    }

    /// Moves all keys of a slot that are still here to a node of this machine.
    pub async fn move_keys(&mut self, slot: u16, port: u16) -> Result<()> {
        loop {
            let keys: Vec<Vec<u8>> = self.call(&["CLUSTER", "GETKEYSINSLOT", &slot.to_string(), "100"]).await?;
            if keys.is_empty() {
                return Ok(());
            }
            let mut command = redis::cmd("MIGRATE");
            command.arg("127.0.0.1").arg(port).arg("").arg(0).arg(MOVE_TIMEOUT);
            command.arg("KEYS").arg(keys);
            command.exec_async(&mut self.0).await.with_context(|| format!("slot {slot} cannot be moved"))?;
        }
    }
}

/// Of all nodes that one of them knows that one.
pub fn itself(known: &[ClusterNode]) -> Result<ClusterNode> {
    known.iter().find(|node| node.is_myself).cloned().context("a node does not know itself")
}

/// The value of a field in the text of an INFO; empty where there is none.
pub fn field<'a>(info: &'a str, name: &str) -> &'a str {
    info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).unwrap_or_default().trim()
}

/// A node as another one, or it itself, knows it: a line of `CLUSTER NODES`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusterNode {
    pub id: String,
    pub port: u16,
    pub is_myself: bool,
    /// Whether it is connected, and not suspected of being away.
    pub is_well: bool,
    /// The id of its primary; none for a primary.
    pub primary: Option<String>,
    /// What it serves: ranges of slots, both ends included.
    pub slots: Vec<(u16, u16)>,
}

impl ClusterNode {
    pub fn parse(line: &str) -> Option<ClusterNode> {
        let fields: Vec<_> = line.split_whitespace().collect();
        let [id, address, flags, primary, _, _, _, connection, slots @ ..] = &fields[..] else { return None };
        let flags: Vec<_> = flags.split(',').collect();
        let is = |flag: &str| flags.contains(&flag);
        let is_away = ["fail", "fail?", "handshake", "noaddr"].into_iter().any(is);
        let range = |range: &&str| {
            let (from, to) = range.split_once('-').unwrap_or((range, range));
            Some((from.parse().ok()?, to.parse().ok()?))
        };
        Some(ClusterNode {
            id: (*id).to_owned(),
            // host:port@port-of-the-bus, and perhaps a name
            port: address.split('@').next()?.rsplit(':').next()?.parse().ok()?,
            is_myself: is("myself"),
            is_well: !is_away && (is("myself") || *connection == "connected"),
            primary: (*primary != "-").then(|| (*primary).to_owned()),
            // One that is being moved stands in brackets beside them.
            slots: slots.iter().filter(|slot| !slot.starts_with('[')).map(range).collect::<Option<_>>()?,
        })
    }

    /// How many slots it serves.
    pub fn count(&self) -> u32 {
        self.slots.iter().map(|(from, to)| u32::from(to.saturating_sub(*from)) + 1).sum()
    }

    pub fn has(&self, slot: u16) -> bool {
        self.slots.iter().any(|(from, to)| (*from..=*to).contains(&slot))
    }

    /// Whether it is a primary that serves slots.
    pub fn is_serving(&self) -> bool {
        self.primary.is_none() && !self.slots.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_primary_has_slots_and_a_replica_has_a_primary() {
        let primary = "07c3 127.0.0.1:30001@40001,,shard-id=69bc myself,master - 0 0 1 connected 0-99 200 [93-<-92ed]";
        let primary = ClusterNode::parse(primary).unwrap();
        assert_eq!((primary.id.as_str(), primary.port, primary.is_myself), ("07c3", 30_001, true));
        assert_eq!((primary.slots.clone(), primary.count()), (vec![(0, 99), (200, 200)], 101));
        assert!(primary.is_well && primary.is_serving() && primary.has(99) && !primary.has(101) && !primary.has(100));

        let replica = ClusterNode::parse("824f 127.0.0.1:30002@40002 slave 07c3 0 1426238317741 5 connected").unwrap();
        assert_eq!((replica.primary.as_deref(), replica.count(), replica.is_myself), (Some("07c3"), 0, false));
        assert!(replica.is_well && !replica.is_serving());
    }

    #[test]
    fn a_node_that_is_away_suspected_or_unknown_is_not_well() {
        for (flags, link) in [
            ("master,fail", "disconnected"),
            ("slave,fail?", "connected"),
            ("handshake", "connected"),
            ("master", "disconnected"),
        ] {
            let node = ClusterNode::parse(&format!("a 127.0.0.1:1@2 {flags} - 0 0 1 {link}")).unwrap();
            assert!(!node.is_well, "{flags} {link}");
        }
        assert_eq!(ClusterNode::parse("a 127.0.0.1:1@2 master"), None);
    }

    #[test]
    fn a_field_is_found_by_its_whole_name() {
        let info = "# Replication\r\nrole:slave\r\nmaster_link_status:up\r\n";
        assert_eq!(
            (field(info, "role"), field(info, "master_link_status"), field(info, "master_link")),
            ("slave", "up", "")
        );
    }
}
