//! The connection to Redis: one server, the primary that sentinels name, or a cluster. The URL says which.
//!
//! A failover looks alike in all three: some commands fail, and later ones reach a server that may lack the last writes of the one
//! before. What uses Redis expects no more of it than that.
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use redis::aio::{ConnectionLike, ConnectionManager, ConnectionManagerConfig, MultiplexedConnection};
use redis::cluster::ClusterClientBuilder;
use redis::sentinel::{SentinelClient, SentinelNodeConnectionInfo, SentinelServerType};
use redis::{
    AsyncConnectionConfig, Client, Cmd, ConnectionInfo, ErrorKind, IntoConnectionInfo, Pipeline, RedisError,
    RedisFuture, RedisResult, ServerErrorKind, Value, from_redis_value_ref,
};
use tokio::sync::Mutex;

mod cluster;
#[cfg(test)]
mod tests;

use cluster::SharedCluster;

/// How often a connection for reads that block tries a command in a cluster: once more, where another node has the key. A read whose
/// answer was lost is the caller's to repeat, which begins with what was delivered to it.
const READ_RETRIES: u32 = 1;

/// Where Redis is, and of which kind.
#[derive(Clone, Debug)]
pub enum RedisAddress {
    /// `redis://user:password@host:port/database`
    Server(ConnectionInfo),
    /// `redis+sentinel://user:password@host:port,host:port/service/database?sentinel=user:password`: the user is the primary's,
    /// and that of the sentinels comes last, where they ask for one.
    Sentinels { sentinels: Vec<ConnectionInfo>, service: String, primary: ConnectionInfo },
    /// `redis://user:password@host:port,host:port?cluster`: any of the nodes, from which the others are learned.
    Cluster(Vec<ConnectionInfo>),
}

impl FromStr for RedisAddress {
    type Err = RedisError;

    fn from_str(url: &str) -> RedisResult<Self> {
        let wrong = |why| RedisError::from((ErrorKind::InvalidClientConfig, why));
        let (scheme, rest) = url.split_once("://").ok_or_else(|| wrong("expected redis://host:port"))?;
        let (authority, tail) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        let (user, hosts) = authority.split_at(authority.rfind('@').map_or(0, |at| at + 1));
        let (path, query) = tail.split_once('?').unwrap_or((tail, ""));
        let path = path.trim_matches('/');
        let nodes = |scheme: &str, user: &str| -> RedisResult<Vec<ConnectionInfo>> {
            hosts.split(',').map(|host| format!("{scheme}://{user}{host}").into_connection_info()).collect()
        };
        if scheme == "redis+sentinel" {
            let (service, database) = path.split_once('/').unwrap_or((path, "0"));
            if service.is_empty() {
                return Err(wrong("expected redis+sentinel://host:port/service"));
            }
            let of_sentinels = query.split('&').find_map(|option| option.strip_prefix("sentinel="));
            let sentinels = nodes("redis", &of_sentinels.map(|user| format!("{user}@")).unwrap_or_default())?;
            let primary = format!("redis://{user}primary/{database}").into_connection_info()?;
            return Ok(Self::Sentinels { sentinels, service: service.to_owned(), primary });
        }
        if query.split('&').any(|option| option == "cluster") {
            if !matches!(path, "" | "0") {
                return Err(wrong("a cluster has one database, 0"));
            }
            return Ok(Self::Cluster(nodes(scheme, user)?));
        }
        Ok(Self::Server(url.into_connection_info()?))
    }
}

impl RedisAddress {
    /// A connection that all callers share, made on first use and again whenever it fails. A command, or connecting for it, takes
    /// `timeout` at most.
    pub fn open(&self, timeout: Duration) -> RedisResult<Redis> {
        Ok(match self {
            Self::Server(server) => {
                // Workers retry on their own, and a health check needs its answer now.
                let patience = ConnectionManagerConfig::new()
                    .set_response_timeout(Some(timeout))
                    .set_connection_timeout(Some(timeout))
                    .set_number_of_retries(1);
                Redis::Server(ConnectionManager::new_lazy_with_config(Client::open(server.clone())?, patience)?)
            }
            Self::Sentinels { .. } => Redis::Primary(PrimaryConnection {
                found: Arc::new(Mutex::new(FoundPrimary {
                    client: self.sentinel_client()?,
                    connection: None,
                    count: 0,
                })),
                timeout,
            }),
            Self::Cluster(nodes) => Redis::Cluster(SharedCluster::lazy(cluster_client(nodes, timeout).build()?)),
        })
    }

    /// A connection for reads that block, which would hold up everything else that shares one. It ends with its first failure.
    pub async fn connect(&self, timeout: Duration) -> RedisResult<Redis> {
        let config = AsyncConnectionConfig::new().set_response_timeout(Some(timeout));
        if let Self::Cluster(nodes) = self {
            let client = cluster_client(nodes, timeout).retries(READ_RETRIES).build()?;
            let connection = client.get_async_connection().await?;
            return Ok(Redis::Cluster(SharedCluster::new(client, connection)));
        }
        let connection = self.primary().await?.get_multiplexed_async_connection_with_config(&config).await?;
        Ok(Redis::Reader(connection))
    }

    /// The server, or the one that sentinels name now; an error for a cluster, which has many.
    pub async fn primary(&self) -> RedisResult<Client> {
        match self {
            Self::Server(server) => Client::open(server.clone()),
            Self::Sentinels { .. } => self.sentinel_client()?.async_get_client().await,
            Self::Cluster(_) => Err((ErrorKind::InvalidClientConfig, "a cluster has many primaries").into()),
        }
    }

    fn sentinel_client(&self) -> RedisResult<SentinelClient> {
        let Self::Sentinels { sentinels, service, primary } = self else {
            return Err((ErrorKind::InvalidClientConfig, "there are no sentinels").into());
        };
        let user = SentinelNodeConnectionInfo::default().set_redis_connection_info(primary.redis_settings().clone());
        SentinelClient::build(sentinels.clone(), service.clone(), Some(user), SentinelServerType::Master)
    }
}

fn cluster_client(nodes: &[ConnectionInfo], timeout: Duration) -> ClusterClientBuilder {
    ClusterClientBuilder::new(nodes.to_vec()).connection_timeout(timeout).response_timeout(timeout)
}

/// A connection to Redis; a clone shares it.
#[derive(Clone)]
pub enum Redis {
    /// To one server, and again after it failed.
    Server(ConnectionManager),
    /// To the primary that sentinels name.
    Primary(PrimaryConnection),
    /// To all nodes of a cluster.
    Cluster(SharedCluster),
    /// To one server until it fails.
    Reader(MultiplexedConnection),
}

impl Redis {
    /// Whether keys are spread over servers, so that a script has keys of one slot only.
    pub fn is_cluster(&self) -> bool {
        matches!(self, Self::Cluster(_))
    }

    /// The runs of the servers that have the keys: of one, or in a cluster of every primary. Another text says that a server was
    /// restarted or replaced, and may lack what was there. After a failover the demoted server keeps its connections, answers reads
    /// and refuses writes: the connection to it is ended here and the call fails; the next one reaches the primary.
    pub async fn runs(&mut self) -> RedisResult<String> {
        let info: Value = redis::cmd("INFO").arg("server").arg("replication").query_async(self).await?;
        let servers = servers(&info)?;
        if !self.is_cluster() && servers.iter().any(|text| text.contains("role:slave")) {
            match self {
                Self::Primary(primary) => primary.leave(None).await,
                one => redis::cmd("QUIT").query_async(one).await?,
            }
            return Err((ErrorKind::Server(ServerErrorKind::ReadOnly), "Redis is not the primary any more").into());
        }
        Ok(run_ids(&servers))
    }
}

/// What each server says that answered `INFO`: one, or in a cluster every primary, under its address.
fn servers(info: &Value) -> RedisResult<Vec<String>> {
    match info {
        Value::Map(nodes) => Ok(nodes.iter().map(|(_, text)| from_redis_value_ref(text)).collect::<Result<_, _>>()?),
        one => Ok(vec![from_redis_value_ref(one)?]),
    }
}

/// The runs of servers, in one order.
fn run_ids(servers: &[String]) -> String {
    let run_id = |text: &String| text.lines().find_map(|line| Some(line.strip_prefix("run_id:")?.trim().to_owned()));
    let mut runs: Vec<_> = servers.iter().filter_map(run_id).collect();
    runs.sort_unstable();
    runs.join("+")
}

impl ConnectionLike for Redis {
    fn req_packed_command<'a>(&'a mut self, command: &'a Cmd) -> RedisFuture<'a, Value> {
        match self {
            Self::Server(connection) => connection.req_packed_command(command),
            Self::Cluster(cluster) => Box::pin(async move {
                let answer = cluster.connection().req_packed_command(command).await;
                cluster.check(answer)
            }),
            Self::Reader(connection) => connection.req_packed_command(command),
            Self::Primary(primary) => Box::pin(async move {
                let (count, mut connection) = primary.connection().await?;
                let answer = connection.req_packed_command(command).await;
                primary.check(count, answer).await
            }),
        }
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        commands: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        match self {
            Self::Server(connection) => connection.req_packed_commands(commands, offset, count),
            Self::Cluster(cluster) => Box::pin(async move {
                let answer = cluster.connection().req_packed_commands(commands, offset, count).await;
                cluster.check(answer)
            }),
            Self::Reader(connection) => connection.req_packed_commands(commands, offset, count),
            Self::Primary(primary) => Box::pin(async move {
                let (made, mut connection) = primary.connection().await?;
                let answer = connection.req_packed_commands(commands, offset, count).await;
                primary.check(made, answer).await
            }),
        }
    }

    fn get_db(&self) -> i64 {
        match self {
            Self::Server(connection) => connection.get_db(),
            Self::Reader(connection) => connection.get_db(),
            Self::Primary(_) | Self::Cluster(_) => 0,
        }
    }
}

/// The connection to the primary that sentinels name, made anew when it fails or leads to a server that is not the primary.
#[derive(Clone)]
pub struct PrimaryConnection {
    found: Arc<Mutex<FoundPrimary>>,
    timeout: Duration,
}

struct FoundPrimary {
    client: SentinelClient,
    connection: Option<MultiplexedConnection>,
    /// How many connections there were: a failure ends the one that it is of.
    count: u64,
}

impl PrimaryConnection {
    async fn connection(&self) -> RedisResult<(u64, MultiplexedConnection)> {
        let mut found = self.found.lock().await;
        if let Some(connection) = &found.connection {
            return Ok((found.count, connection.clone()));
        }
        let config = AsyncConnectionConfig::new()
            .set_response_timeout(Some(self.timeout))
            .set_connection_timeout(Some(self.timeout));
        let connecting = found.client.get_async_connection_with_config(&config);
        let late = |_| RedisError::from((ErrorKind::Io, "no sentinel led to a primary in time"));
        let connection = tokio::time::timeout(self.timeout, connecting).await.map_err(late)??;
        found.count += 1;
        found.connection = Some(connection.clone());
        Ok((found.count, connection))
    }

    /// An answer as it is; one that shows that the connection is of no use any more ends it.
    async fn check<T>(&self, count: u64, answer: RedisResult<T>) -> RedisResult<T> {
        use ServerErrorKind::{BusyLoading, MasterDown, ReadOnly};
        let is_of_no_use = |failure: &RedisError| {
            failure.is_io_error()
                || failure.is_unrecoverable_error()
                || matches!(failure.kind(), ErrorKind::Server(ReadOnly | MasterDown | BusyLoading))
        };
        if answer.as_ref().is_err_and(is_of_no_use) {
            self.leave(Some(count)).await;
        }
        answer
    }

    /// Ends a connection; the one at hand where none is named.
    async fn leave(&self, count: Option<u64>) {
        let mut found = self.found.lock().await;
        if count.is_none_or(|count| count == found.count) {
            found.connection = None;
        }
    }
}
