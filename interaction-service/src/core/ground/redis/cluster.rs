//! A connection to a cluster that is made anew when its own recovery does not end.
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use redis::cluster::{ClusterClient, ClusterConfig};
use redis::cluster_async::ClusterConnection;
use redis::{ErrorKind, RedisResult};

/// How long nothing may be answered before the connection is made anew. A failover takes as long, during which shards answer that are not
/// concerned; a client that has stopped recovering answers nothing, and would do so for ever.
const SILENCE: Duration = Duration::from_secs(10);

/// A connection to all nodes of a cluster; a clone shares it.
#[derive(Clone)]
pub struct SharedCluster {
    open: Arc<Mutex<OpenCluster>>,
}

struct OpenCluster {
    client: ClusterClient,
    connection: ClusterConnection,
    /// Since when no command was answered by any node; none: the last one was.
    silent_since: Option<Instant>,
}

impl SharedCluster {
    /// A connection that is made in the background.
    pub fn lazy(client: ClusterClient) -> Self {
        let connection = connect(&client);
        Self::new(client, connection)
    }

    /// A connection that was made.
    pub fn new(client: ClusterClient, connection: ClusterConnection) -> Self {
        Self { open: Arc::new(Mutex::new(OpenCluster { client, connection, silent_since: None })) }
    }

    /// The connection for one command.
    pub fn connection(&self) -> ClusterConnection {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if open.silent_since.is_some_and(|since| since.elapsed() > SILENCE) {
            tracing::warn!("no node of the cluster of Redis has answered; the connection is made anew");
            open.connection = connect(&open.client);
            open.silent_since = None;
        }
        open.connection.clone()
    }

    /// Remembers whether a command was answered; a refusal is an answer.
    pub fn check<T>(&self, answer: RedisResult<T>) -> RedisResult<T> {
        let is_silence = |kind: ErrorKind| matches!(kind, ErrorKind::Io | ErrorKind::ClusterConnectionNotFound);
        let is_silent = answer.as_ref().is_err_and(|failure| is_silence(failure.kind()));
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.silent_since = is_silent.then(|| open.silent_since.unwrap_or_else(Instant::now));
        answer
    }
}

fn connect(client: &ClusterClient) -> ClusterConnection {
    client.get_pending_async_connection_with_config(ClusterConfig::new())
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[tokio::test]
    async fn a_connection_over_which_nothing_is_answered_is_made_anew() {
        let cluster = SharedCluster::lazy(ClusterClient::new(["redis://127.0.0.1:1"]).unwrap());
        let silent_since = || cluster.open.lock().unwrap().silent_since;
        let late = || Err::<(), _>(io::Error::from(io::ErrorKind::TimedOut).into());
        cluster.check(late()).unwrap_err();
        let first = silent_since().unwrap();
        cluster.check(late()).unwrap_err();
        cluster.connection();
        assert_eq!(silent_since(), Some(first), "it is given its time");
        cluster.check(Ok(())).unwrap();
        assert_eq!(silent_since(), None, "an answer of any node is one");

        cluster.open.lock().unwrap().silent_since = Instant::now().checked_sub(SILENCE * 2);
        cluster.connection();
        assert_eq!(silent_since(), None, "it is another one, which has its time again");
    }
}
