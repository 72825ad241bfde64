//! The connection to Redis: one server, the primary that sentinels name, or a cluster, with TLS or without. The URL says which.
//!
//! A failover looks alike in all three: some commands fail, and later ones reach a server that may lack the last writes of the one
//! before. What uses Redis expects no more of it than that.
use std::str::FromStr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use redis::aio::{ConnectionLike, MultiplexedConnection};
use redis::cluster::{ClusterClientBuilder, ClusterConfig};
use redis::cluster_async::ClusterConnection;
use redis::sentinel::{SentinelClient, SentinelNodeConnectionInfo, SentinelServerType};
use redis::{
    AsyncConnectionConfig, Client, Cmd, ConnectionAddr, ConnectionInfo, ErrorKind, IntoConnectionInfo, Pipeline,
    RedisError, RedisFuture, RedisResult, ServerErrorKind, TlsMode, Value, from_redis_value_ref,
};
use tokio::sync::OnceCell;

#[cfg(test)]
mod tests;

/// How often a command is tried again in a cluster: once, where another node has the key by now. What fails then is the caller's to
/// repeat, as with one server; a read whose answer was lost begins with what was delivered to it.
const CLUSTER_RETRIES: u32 = 1;
/// How long every command to a cluster may fail before the connection is made anew. A failover takes as long, during which shards answer
/// that are not concerned; a client that has stopped recovering answers nothing, and would do so for ever.
const SILENCE: Duration = Duration::from_secs(10);

/// Where Redis is, and of which kind. With `rediss` for `redis`, all connections have TLS.
#[derive(Clone, Debug)]
pub enum RedisAddress {
    /// `redis://user:password@host:port/database`
    Server(ConnectionInfo),
    /// `redis+sentinel://user:password@host:port,host:port/service/database?sentinel=user:password`: the user is the primary's,
    /// and that of the sentinels comes last, where they ask for one.
    Sentinels(Sentinels),
    /// `redis://user:password@host:port,host:port?cluster`: any of the nodes, from which the others are learned.
    Cluster(Vec<ConnectionInfo>),
}

/// The sentinels that know which server is the primary of a service.
#[derive(Clone, Debug)]
pub struct Sentinels {
    nodes: Vec<ConnectionInfo>,
    service: String,
    /// The user, the database and TLS of the primary, wherever it is.
    primary: ConnectionInfo,
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
        if let Some(scheme) = scheme.strip_suffix("+sentinel") {
            let (service, database) = path.split_once('/').unwrap_or((path, "0"));
            if service.is_empty() {
                return Err(wrong("expected redis+sentinel://host:port/service"));
            }
            let of_sentinels = query.split('&').find_map(|option| option.strip_prefix("sentinel="));
            let nodes = nodes(scheme, &of_sentinels.map(|user| format!("{user}@")).unwrap_or_default())?;
            let primary = format!("{scheme}://{user}primary/{database}").into_connection_info()?;
            return Ok(Self::Sentinels(Sentinels { nodes, service: service.to_owned(), primary }));
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
    pub fn open(self, timeout: Duration) -> Redis {
        Redis::Shared(Arc::new(SharedConnection { address: self, timeout, open: Mutex::default() }))
    }

    /// A connection for reads that block, which would hold up everything else that shares one. It ends with its first failure.
    pub async fn connect(&self, timeout: Duration) -> RedisResult<Redis> {
        let client = match self {
            Self::Server(server) => Client::open(server.clone())?,
            Self::Sentinels(sentinels) => sentinels.find_primary().await?,
            Self::Cluster(nodes) => {
                let builder = ClusterClientBuilder::new(nodes.clone()).retries(CLUSTER_RETRIES);
                let client = builder.response_timeout(timeout).build()?;
                // It connects in the background: a node that does not answer holds up those who wait for the first command alone.
                let config = ClusterConfig::new().set_response_timeout(timeout);
                return Ok(Redis::Cluster(client.get_pending_async_connection_with_config(config)));
            }
        };
        let config = AsyncConnectionConfig::new().set_response_timeout(Some(timeout));
        Ok(Redis::Server(client.get_multiplexed_async_connection_with_config(&config).await?))
    }
}

impl Sentinels {
    /// The server that is the primary now.
    pub async fn find_primary(&self) -> RedisResult<Client> {
        let user = self.primary.redis_settings().clone();
        let mut primary = SentinelNodeConnectionInfo::default().set_redis_connection_info(user);
        if matches!(self.primary.addr(), ConnectionAddr::TcpTls { .. }) {
            primary = primary.set_tls_mode(TlsMode::Secure);
        }
        let (nodes, service) = (self.nodes.clone(), self.service.clone());
        let mut client = SentinelClient::build(nodes, service, Some(primary), SentinelServerType::Master)?;
        client.async_get_client().await
    }
}

/// A connection to Redis; a clone shares it.
#[derive(Clone)]
pub enum Redis {
    /// To Redis of any kind, and again after it failed.
    Shared(Arc<SharedConnection>),
    /// To one server until it fails.
    Server(MultiplexedConnection),
    /// To all nodes of a cluster.
    Cluster(ClusterConnection),
}

impl Redis {
    /// The runs of the servers that have the keys: of one, or in a cluster of every primary. Another text says that a server was
    /// restarted or replaced, and may lack what was there. After a failover the demoted server keeps its connections, answers reads
    /// and refuses writes, and a client of a cluster that writes nothing to its shard does not find out: the connection is given up here
    /// and the call fails; the next one reaches the primary.
    pub async fn runs(&mut self) -> RedisResult<String> {
        let info: Value = redis::cmd("INFO").arg("server").arg("replication").query_async(self).await?;
        let servers = servers(&info)?;
        if servers.iter().any(|text| text.contains("role:slave")) {
            if let Self::Shared(shared) = self {
                *shared.lock() = OpenConnection::default();
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
            Self::Shared(shared) => Box::pin(async move {
                let (used, mut connection) = shared.connection().await?;
                let answer = connection.req_packed_command(command).await;
                shared.check(&used, answer)
            }),
            Self::Server(connection) => connection.req_packed_command(command),
            Self::Cluster(connection) => connection.req_packed_command(command),
        }
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        commands: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        match self {
            Self::Shared(shared) => Box::pin(async move {
                let (used, mut connection) = shared.connection().await?;
                let answer = connection.req_packed_commands(commands, offset, count).await;
                shared.check(&used, answer)
            }),
            Self::Server(connection) => connection.req_packed_commands(commands, offset, count),
            Self::Cluster(connection) => connection.req_packed_commands(commands, offset, count),
        }
    }

    fn get_db(&self) -> i64 {
        match self {
            Self::Server(connection) => connection.get_db(),
            Self::Shared(_) | Self::Cluster(_) => 0,
        }
    }
}

/// A connection that all share, made on first use, and made anew when it fails or leads to a server that is not the primary.
pub struct SharedConnection {
    address: RedisAddress,
    timeout: Duration,
    open: Mutex<OpenConnection>,
}

#[derive(Default)]
struct OpenConnection {
    /// The first who needs it makes it, and the others wait for it.
    connection: Arc<OnceCell<Redis>>,
    /// Since when every command over it has failed; none: the last one did not.
    failing_since: Option<Instant>,
}

impl SharedConnection {
    /// Whether keys are spread over servers, so that a script has keys of one slot only.
    pub fn is_cluster(&self) -> bool {
        matches!(self.address, RedisAddress::Cluster(_))
    }

    /// The connection for one command, and the cell in which it is, by which [`Self::check`] knows it again.
    async fn connection(&self) -> RedisResult<(Arc<OnceCell<Redis>>, Redis)> {
        let cell = self.lock().connection.clone();
        let connecting = cell.get_or_try_init(|| self.address.connect(self.timeout));
        let late = |_| RedisError::from((ErrorKind::Io, "no connection to Redis in time"));
        let connection = tokio::time::timeout(self.timeout, connecting).await.map_err(late)??.clone();
        Ok((cell, connection))
    }

    /// An answer as it is; one that shows that the connection over which it came is of no use any more ends it: at once where there
    /// is one server, and in a cluster, which mends its connections itself, when nothing else has come for a while.
    fn check<T>(&self, used: &Arc<OnceCell<Redis>>, answer: RedisResult<T>) -> RedisResult<T> {
        let mut open = self.lock();
        if Arc::ptr_eq(&open.connection, used) {
            let since = open.failing_since.unwrap_or_else(Instant::now);
            let patience = if self.is_cluster() { SILENCE } else { Duration::ZERO };
            open.failing_since = answer.as_ref().is_err_and(is_of_no_use).then_some(since);
            if open.failing_since.is_some() && since.elapsed() >= patience {
                tracing::warn!("Redis does not answer; the connection is made anew");
                *open = OpenConnection::default();
            }
        }
        answer
    }

    fn lock(&self) -> MutexGuard<'_, OpenConnection> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a failure is one of the connection, or of the server to which it leads. Any other refusal is an answer.
fn is_of_no_use(failure: &RedisError) -> bool {
    use ServerErrorKind::{BusyLoading, MasterDown, ReadOnly};
    failure.is_io_error()
        || failure.is_unrecoverable_error()
        || matches!(failure.kind(), ErrorKind::Server(ReadOnly | MasterDown | BusyLoading))
}
