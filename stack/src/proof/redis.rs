//! The questions that a harness asks Redis itself, past any proxy.

use std::{collections::BTreeMap, time::Duration};

use anyhow::{Context, Result};
use redis::{
    AsyncCommands, AsyncConnectionConfig, Client,
    aio::MultiplexedConnection,
    streams::{StreamInfoGroupsReply, StreamInfoStreamReply},
};
use reqwest::Url;

/// Before a person's id: the key of the hash that the auth service keeps of them.
const HASHES: &str = ":apps.core.models.UserDetailInfo:";
/// Names the process in which the auth service found all hashes to be there.
const COMPLETE: &str = "auth:user_detail:complete";

/// How long one answer may take: this is a look at Redis, and no measure of it.
const PATIENCE: Duration = Duration::from_secs(10);

/// A connection to Redis itself.
pub struct Redis(MultiplexedConnection);

/// How far a group is with a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    pub name: String,
    pub pending: usize,
    pub last_delivered: String,
}

impl Redis {
    pub async fn open(url: &Url) -> Result<Redis> {
        let client = Client::open(url.as_str()).context("the address of Redis is none")?;
        let patient =
            AsyncConnectionConfig::new().set_connection_timeout(Some(PATIENCE)).set_response_timeout(Some(PATIENCE));
        let connection = client.get_multiplexed_async_connection_with_config(&patient).await;
        Ok(Redis(connection.context("Redis cannot be reached")?))
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

    /// Deletes a stream.
    pub async fn forget(&mut self, stream: &str) -> Result<()> {
        self.0.del(stream).await.context("a stream cannot be deleted")
    }

    /// The last id of a stream; none when there is no such stream.
    pub async fn last_id(&mut self, stream: &str) -> Result<Option<String>> {
        if !self.0.exists(stream).await? {
            return Ok(None);
        }
        let info: StreamInfoStreamReply = self.0.xinfo_stream(stream).await?;
        Ok(Some(info.last_generated_id))
    }

    /// The groups of a stream.
    pub async fn groups(&mut self, stream: &str) -> Result<Vec<Group>> {
        if !self.0.exists(stream).await? {
            return Ok(Vec::new());
        }
        let info: StreamInfoGroupsReply = self.0.xinfo_groups(stream).await?;
        let group = |group: redis::streams::StreamInfoGroup| Group {
            name: group.name,
            pending: group.pending,
            last_delivered: group.last_delivered_id,
        };
        Ok(info.groups.into_iter().map(group).collect())
    }

    /// Whether the auth service has put everybody's hash into this process.
    pub async fn has_all_hashes(&mut self) -> Result<bool> {
        let process = self.info("run_id").await?;
        let complete: Option<String> = self.0.get(COMPLETE).await?;
        Ok(complete == Some(process))
    }

    /// The version of the server.
    pub async fn version(&mut self) -> Result<String> {
        self.info("redis_version").await
    }

    /// What the server says of itself under a name; empty when it says nothing.
    async fn info(&mut self, name: &str) -> Result<String> {
        let info: String = redis::cmd("INFO").arg("server").query_async(&mut self.0).await?;
        let told = info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        Ok(told.unwrap_or_default().trim().to_owned())
    }

    /// The hash of everybody who has one, by person.
    pub async fn hashes(&mut self) -> Result<BTreeMap<String, BTreeMap<String, String>>> {
        let keys: Vec<String> = self.0.keys(format!("{HASHES}*")).await?;
        let mut ask = redis::pipe();
        for key in &keys {
            ask.hgetall(key);
        }
        let hashes: Vec<BTreeMap<String, String>> = ask.query_async(&mut self.0).await?;
        let people = keys.iter().map(|key| key.strip_prefix(HASHES).unwrap_or(key).to_owned());
        Ok(people.zip(hashes).collect())
    }
}
