//! Which of a service's replicas does what: each piece of background work that must have one runner is a lease.
//!
//! A lease is a session-level advisory lock in Postgres, all of them on one connection per replica: when the replica
//! dies, its connections end and the locks are free at once. Every second each replica renews its leases there, which is its
//! heartbeat: Postgres itself shows when a connection was last used (`pg_stat_activity`). None holds more than its fair
//! share, so that work spreads over the replicas and moves when one joins or leaves.
//!
//! A replica that was stopped, or whose machine vanished from the network, keeps its connections, and with them leases
//! and locked rows. The others end the connections of a replica that sent no heartbeat for [`HEARTBEAT_TIMEOUT`]; time is
//! Postgres's, and only a replica whose own rounds are on time judges, so that a Postgres that stood still ends no replica. One that
//! wakes up may still hold a lease in its memory for a moment; all work under a lease must therefore tolerate two runners (the
//! consumer's watermark does).
use std::collections::BTreeMap;
use std::time::Duration;

use sqlx::postgres::PgConnectOptions;
use sqlx::{Connection, PgConnection};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::core::ground::worker::{Outcome, Worker};

/// How often leases are renewed: work of a dead replica moves within this time.
const ROUND_INTERVAL: Duration = Duration::from_secs(1);
/// How long a round may take, before this replica counts its leases as lost.
const ROUND_TIMEOUT: Duration = Duration::from_secs(2);
/// A replica without a heartbeat for this long, in seconds, is ended: it missed two rounds.
const HEARTBEAT_TIMEOUT: f64 = 3.0;
/// How long after its last round a replica is on time, and may judge others. On a machine with too much to do all are late,
/// and none is ended.
const MAX_ROUND_DELAY: Duration = Duration::from_millis(1500);
/// How long the end of one connection is waited for, in milliseconds.
const TERMINATION_WAIT: i64 = 100;

/// Looks after the leases of one replica.
pub struct LeaseManager {
    direct: PgConnectOptions,
    schema: &'static str,
    connection: Option<PgConnection>,
    leases: BTreeMap<String, watch::Sender<bool>>,
    /// When the last round was over, unless it failed.
    last_round: Option<Instant>,
    /// [`HEARTBEAT_TIMEOUT`], but in tests.
    pub heartbeat_timeout: f64,
}

impl LeaseManager {
    /// A manager of no leases.
    pub fn new(direct: PgConnectOptions, schema: &'static str) -> Self {
        let (leases, heartbeat_timeout) = (BTreeMap::new(), HEARTBEAT_TIMEOUT);
        Self { direct, schema, connection: None, leases, last_round: None, heartbeat_timeout }
    }

    /// Asks for a lease; the receiver says whether it is held.
    pub fn want(&mut self, name: &str) -> watch::Receiver<bool> {
        self.leases.entry(name.to_owned()).or_insert_with(|| watch::channel(false).0).subscribe()
    }

    async fn run_round(&mut self) -> anyhow::Result<()> {
        let connection = match &mut self.connection {
            Some(connection) => connection,
            None => self.connection.insert(connect(&self.direct).await?),
        };
        let schema = self.schema;
        let on_time = self.last_round.is_some_and(|last| last.elapsed() < MAX_ROUND_DELAY);
        let replicas = count_replicas(connection, schema, on_time.then_some(self.heartbeat_timeout)).await?;
        let share = self.leases.len().div_ceil(replicas.max(1));
        let mut held = self.leases.values().filter(|lease| *lease.borrow()).count();
        for (name, lease) in &self.leases {
            let key = format!("{schema}/{name}");
            if *lease.borrow() && held > share {
                lease.send_replace(false);
                sqlx::query!("select pg_advisory_unlock(hashtextextended($1, 0))", key)
                    .fetch_one(&mut *connection)
                    .await?;
                held -= 1;
            } else if !*lease.borrow() && held < share {
                let ours =
                    sqlx::query_scalar!(r#"select pg_try_advisory_lock(hashtextextended($1, 0)) as "ours!""#, key)
                        .fetch_one(&mut *connection)
                        .await?;
                lease.send_replace(ours);
                held += usize::from(ours);
            }
        }
        self.last_round = Some(Instant::now());
        Ok(())
    }

    fn release_all(&mut self) {
        (self.connection, self.last_round) = (None, None);
        for lease in self.leases.values() {
            lease.send_replace(false);
        }
    }

    fn set_gauges(&self) {
        for (name, lease) in &self.leases {
            let held = f64::from(u8::from(*lease.borrow()));
            metrics::gauge!("lease_held", "lease" => name.clone()).set(held);
        }
    }
}

/// The connection that holds the leases, under a name of its own behind that of the process (`database::options`).
async fn connect(direct: &PgConnectOptions) -> sqlx::Result<PgConnection> {
    let name = format!("{} leases", direct.get_application_name().unwrap_or_default());
    PgConnection::connect_with(&direct.clone().application_name(&name)).await
}

/// Counts the replicas, this one among them. All connections of one that is silent for longer than the timeout are ended.
async fn count_replicas(db: &mut PgConnection, schema: &str, timeout: Option<f64>) -> anyhow::Result<usize> {
    let query = sqlx::query!(
        r#"with replica as (
            select split_part(application_name, ' ', 2) as id, max(state_change) < now() - make_interval(secs => $2) as silent
            from pg_stat_activity where datname = current_database() and application_name like $1 || ' % leases' group by 1
        ), ended as (
            select pg_terminate_backend(pid, $3) from replica join pg_stat_activity
            on application_name in ($1 || ' ' || id, $1 || ' ' || id || ' leases') where silent
        )
        select count(*) filter (where silent is not true) as "alive!", (select count(*) from ended) as "ended!" from replica"#,
        schema,
        timeout,
        TERMINATION_WAIT
    );
    let replicas = query.fetch_one(db).await?;
    if replicas.ended > 0 {
        tracing::warn!(
            connections = replicas.ended,
            "a replica is silent; its connections were ended, its work goes to others"
        );
    }
    Ok(usize::try_from(replicas.alive)?)
}

impl Worker for LeaseManager {
    async fn step(&mut self) -> anyhow::Result<Outcome> {
        let round = tokio::time::timeout(ROUND_TIMEOUT, self.run_round()).await;
        let outcome = round.map_err(anyhow::Error::from).flatten();
        if outcome.is_err() {
            self.release_all();
        }
        self.set_gauges();
        outcome.map(|()| Outcome::Idle(ROUND_INTERVAL))
    }
}
