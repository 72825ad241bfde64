//! Queries to Redis itself, past any proxy.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use redis::aio::{ConnectionLike, MultiplexedConnection};
use redis::cluster::ClusterClient;
use redis::cluster_async::ClusterConnection;
use redis::streams::{StreamInfoGroupsReply, StreamInfoStreamReply};
use redis::{AsyncCommands, AsyncConnectionConfig, Client, Cmd, Pipeline, RedisFuture, Value, from_redis_value_ref};
use reqwest::Url;

use crate::servers::cluster_node::field;
use crate::servers::redis_url::RedisUrl;

/// The prefix of the key of a person's hash, before their id.
const HASHES: &str = ":apps.core.models.UserDetailInfo:";
/// Holds the ids of the processes to which the auth service has written all hashes.
const COMPLETE: &str = "auth:user_detail:complete";

/// How long one answer may take: nothing is measured here.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

/// A connection.
pub struct RedisInspector(RedisConnection);

/// A connection to one server, or to all primaries of a cluster: a pipeline then has keys of one slot.
enum RedisConnection {
    Single(MultiplexedConnection),
    Cluster(ClusterConnection),
}

impl ConnectionLike for RedisConnection {
    fn req_packed_command<'a>(&'a mut self, command: &'a Cmd) -> RedisFuture<'a, Value> {
        match self {
            RedisConnection::Single(connection) => connection.req_packed_command(command),
            RedisConnection::Cluster(connection) => connection.req_packed_command(command),
        }
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        commands: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        match self {
            RedisConnection::Single(connection) => connection.req_packed_commands(commands, offset, count),
            RedisConnection::Cluster(connection) => connection.req_packed_commands(commands, offset, count),
        }
    }

    fn get_db(&self) -> i64 {
        match self {
            RedisConnection::Single(connection) => connection.get_db(),
            RedisConnection::Cluster(connection) => connection.get_db(),
        }
    }
}

/// The progress of a consumer group in a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsumerGroup {
    pub name: String,
    pub pending: usize,
    pub last_delivered: String,
}

impl RedisInspector {
    pub async fn open(url: &RedisUrl) -> Result<RedisInspector> {
        let server = match url {
            RedisUrl::Single(server) => server,
            RedisUrl::Cluster { nodes, .. } => {
                let nodes = ClusterClient::builder(nodes.iter().map(Url::as_str));
                let client = nodes.connection_timeout(ANSWER_TIMEOUT).response_timeout(ANSWER_TIMEOUT).build();
                let connection = client.context("the address of Redis is none")?.get_async_connection().await;
                return Ok(RedisInspector(RedisConnection::Cluster(connection.context("Redis cannot be reached")?)));
            }
            RedisUrl::Sentinels { .. } => bail!("no platform is measured or broken that has sentinels"),
        };
        let client = Client::open(server.as_str()).context("the address of Redis is none")?;
        let patient = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(ANSWER_TIMEOUT))
            .set_response_timeout(Some(ANSWER_TIMEOUT));
        let connection = client.get_multiplexed_async_connection_with_config(&patient).await;
        Ok(RedisInspector(RedisConnection::Single(connection.context("Redis cannot be reached")?)))
    }

    /// Empties it.
    pub async fn flush_all(&mut self) -> Result<()> {
        redis::cmd("FLUSHALL").query_async(&mut self.0).await.context("Redis cannot be emptied")
    }

    /// Appends entries in one pipeline, whatever the stream holds.
    pub async fn append<const N: usize>(&mut self, stream: &str, entries: &[[(&str, &str); N]]) -> Result<()> {
        let mut pipeline = redis::pipe();
        for entry in entries {
            pipeline.xadd(stream, "*", entry).ignore();
        }
        pipeline.query_async(&mut self.0).await.context("entries cannot be appended")
    }

    /// Deletes a key.
    pub async fn delete(&mut self, key: &str) -> Result<()> {
        self.0.del(key).await.context("a key cannot be deleted")
    }

    /// Copies a key to all of these that there are not yet.
    pub async fn copy_where_missing(&mut self, from: &str, to: &[String]) -> Result<()> {
        let mut pipeline = redis::pipe();
        for key in to {
            pipeline.cmd("COPY").arg(from).arg(key).ignore();
        }
        pipeline.query_async(&mut self.0).await.context("a key cannot be copied")
    }

    /// Makes a sorted set with the members of another.
    pub async fn copy_members(&mut self, from: &str, to: &str) -> Result<()> {
        redis::cmd("ZUNIONSTORE").arg(to).arg(1).arg(from).exec_async(&mut self.0).await.context("it cannot be copied")
    }

    /// The last member of each of these sorted sets; empty for one that is empty.
    pub async fn newest(&mut self, sets: &[String]) -> Result<Vec<Vec<u8>>> {
        let mut pipeline = redis::pipe();
        for set in sets {
            pipeline.cmd("ZRANGE").arg(set).arg(-1).arg(-1);
        }
        let newest: Vec<Vec<Vec<u8>>> = pipeline.query_async(&mut self.0).await.context("a set cannot be read")?;
        Ok(newest.into_iter().map(|members| members.into_iter().next().unwrap_or_default()).collect())
    }

    /// The number of members of a sorted set.
    pub async fn members(&mut self, set: &str) -> Result<u64> {
        Ok(self.0.zcard(set).await?)
    }

    /// The bytes that a key takes, all of its members counted.
    pub async fn memory(&mut self, key: &str) -> Result<u64> {
        let mut usage = redis::cmd("MEMORY");
        Ok(usage.arg("USAGE").arg(key).arg("SAMPLES").arg(0).query_async(&mut self.0).await?)
    }

    /// The form in which Redis holds a key.
    pub async fn encoding(&mut self, key: &str) -> Result<String> {
        Ok(redis::cmd("OBJECT").arg("ENCODING").arg(key).query_async(&mut self.0).await?)
    }

    /// The value of a setting of the server.
    pub async fn setting(&mut self, name: &str) -> Result<String> {
        let values: Vec<String> = redis::cmd("CONFIG").arg("GET").arg(name).query_async(&mut self.0).await?;
        values.into_iter().nth(1).with_context(|| format!("Redis has no setting {name}"))
    }

    /// Changes a setting of the server.
    pub async fn set_setting(&mut self, name: &str, value: &str) -> Result<()> {
        let set = redis::cmd("CONFIG").arg("SET").arg(name).arg(value).exec_async(&mut self.0).await;
        set.with_context(|| format!("{name} cannot be set"))
    }

    /// The posts of all feeds that are ready, by reader. The first member of a feed is its state, and none of them is cut: runs are
    /// shorter than a feed.
    pub async fn feeds(&mut self) -> Result<BTreeMap<String, BTreeSet<String>>> {
        let mut feeds = BTreeMap::new();
        let keys: Vec<String> = self.0.keys("feed:*").await.context("the feeds cannot be listed")?;
        for key in keys {
            let members: Vec<Vec<u8>> = self.0.zrange(&key, 0, -1).await.context("a feed cannot be read")?;
            let hexadecimal = |member: &Vec<u8>| {
                let key = <[u8; 16]>::try_from(member.as_slice()).map(u128::from_be_bytes);
                key.ok().map(|key| format!("{key:032x}")).with_context(|| format!("{member:?} is no key of a post"))
            };
            let Some((state, posts)) = members.split_first().filter(|(state, _)| state.get(6) == Some(&2)) else {
                continue;
            };
            anyhow::ensure!(state.last().is_some_and(|flags| flags % 2 == 1), "{key} is cut");
            let posts = posts.iter().map(hexadecimal).collect::<Result<_>>()?;
            feeds.insert(key.trim_start_matches("feed:").to_owned(), posts);
        }
        Ok(feeds)
    }

    /// The last id of a stream; none when there is no such stream.
    pub async fn last_id(&mut self, stream: &str) -> Result<Option<String>> {
        if !self.0.exists(stream).await? {
            return Ok(None);
        }
        let info: StreamInfoStreamReply = self.0.xinfo_stream(stream).await?;
        Ok(Some(info.last_generated_id))
    }

    /// The number of the last event of a stream; 0 when there is no such stream.
    pub async fn last_number(&mut self, stream: &str) -> Result<i64> {
        let Some(id) = self.last_id(stream).await? else { return Ok(0) };
        let number = id.split('-').next().and_then(|number| number.parse().ok());
        number.with_context(|| format!("{id} is not the id of an event"))
    }

    /// The groups of a stream.
    pub async fn groups(&mut self, stream: &str) -> Result<Vec<ConsumerGroup>> {
        if !self.0.exists(stream).await? {
            return Ok(Vec::new());
        }
        let info: StreamInfoGroupsReply = self.0.xinfo_groups(stream).await?;
        let group = |group: redis::streams::StreamInfoGroup| ConsumerGroup {
            name: group.name,
            pending: group.pending,
            last_delivered: group.last_delivered_id,
        };
        Ok(info.groups.into_iter().map(group).collect())
    }

    /// Whether the auth service has written the hashes of all people to these processes: the one, or all primaries of a cluster.
    pub async fn has_all_hashes(&mut self) -> Result<bool> {
        let mut processes = self.info("run_id").await?;
        processes.sort_unstable();
        let complete: Option<String> = self.0.get(COMPLETE).await?;
        Ok(complete == Some(processes.join("+")))
    }

    /// The version of the server; of a cluster that of one of them.
    pub async fn version(&mut self) -> Result<String> {
        Ok(self.info("redis_version").await?.pop().unwrap_or_default())
    }

    /// A field of INFO, of each server; empty when there is no such field.
    async fn info(&mut self, name: &str) -> Result<Vec<String>> {
        let info: Value = redis::cmd("INFO").arg("server").query_async(&mut self.0).await?;
        let texts: Vec<String> = match &info {
            Value::Map(servers) => {
                servers.iter().map(|(_, text)| from_redis_value_ref(text)).collect::<Result<_, _>>()?
            }
            text => vec![from_redis_value_ref(text)?],
        };
        Ok(texts.iter().map(|text| field(text, name).to_owned()).collect())
    }

    /// The hashes of all people, by person.
    pub async fn hashes(&mut self) -> Result<BTreeMap<String, BTreeMap<String, String>>> {
        let keys: Vec<String> = self.0.keys(format!("{HASHES}*")).await?;
        let mut hashes = BTreeMap::new();
        // One by one: in a cluster they are in many slots.
        for key in keys {
            hashes.insert(key.strip_prefix(HASHES).unwrap_or(&key).to_owned(), self.0.hgetall(&key).await?);
        }
        Ok(hashes)
    }
}
