//! Which of a service's replicas does what: each piece of background work that must have one runner is a lease.
//!
//! A lease is a session-level advisory lock in Postgres, all of them on one connection per replica: when the replica
//! dies, its connections end and the locks are free at once. Replicas note every second that they are alive, and none
//! holds more than its fair share, so that work spreads over them and moves when one joins or leaves.
//!
//! A replica that was stopped, or whose machine vanished from the network, keeps its connections, and with them leases
//! and locked rows. The others end the connections of a replica that sent no heartbeat for [`HEARTBEAT_TIMEOUT`]; time is
//! Postgres's, and only a replica whose own rounds are on time judges, so that a Postgres that stood still ends no replica. One that
//! wakes up may still hold a lease in its memory for a moment; all work under a lease must therefore tolerate two runners (the
//! consumer's watermark does).
use std::collections::BTreeMap;
use std::time::Duration;

use sqlx::{Connection, PgConnection, PgPool};
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
    db: PgPool,
    schema: &'static str,
    connection: Option<PgConnection>,
    leases: BTreeMap<String, watch::Sender<bool>>,
    /// When the last round was over, unless it failed.
    last_round: Option<Instant>,
}

impl LeaseManager {
    /// A manager of no leases.
    pub fn new(db: PgPool, schema: &'static str) -> Self {
        Self { db, schema, connection: None, leases: BTreeMap::new(), last_round: None }
    }

    /// Asks for a lease; the receiver says whether it is held.
    pub fn want(&mut self, name: &str) -> watch::Receiver<bool> {
        self.leases.entry(name.to_owned()).or_insert_with(|| watch::channel(false).0).subscribe()
    }

    async fn run_round(&mut self) -> anyhow::Result<()> {
        if self.connection.is_none() {
            self.connection = Some(PgConnection::connect_with(&self.db.connect_options()).await?);
        }
        let Some(connection) = &mut self.connection else { return Ok(()) };
        let schema = self.schema;
        let replicas = count_replicas(connection, schema, self.last_round).await?;
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

/// Sends this replica's heartbeat, forgets those that are not, and counts the rest. Connections of replicas without
/// a heartbeat are ended; all connections of a process have its name (`database::options`).
async fn count_replicas(
    connection: &mut PgConnection,
    schema: &str,
    last_round: Option<Instant>,
) -> anyhow::Result<usize> {
    let query = sqlx::query!(
        "insert into replica (id, seen_at)
         values (split_part(current_setting('application_name'), ' ', 2)::uuid, clock_timestamp())
         on conflict (id) do update set seen_at = excluded.seen_at"
    );
    query.execute(&mut *connection).await?;
    let on_time = last_round.is_some_and(|last| last.elapsed() < MAX_ROUND_DELAY);
    let query = sqlx::query_scalar!(
        r#"with gone as (
            delete from replica where $4 and seen_at < clock_timestamp() - make_interval(secs => $2)
                or not exists (select from pg_stat_activity where application_name = $1 || ' ' || id)
            returning id
        )
        select count(pg_terminate_backend(pid, $3)) as "ended!"
        from gone join pg_stat_activity on application_name = $1 || ' ' || id"#,
        schema,
        HEARTBEAT_TIMEOUT,
        TERMINATION_WAIT,
        on_time
    );
    let ended = query.fetch_one(&mut *connection).await?;
    if ended > 0 {
        tracing::warn!(connections = ended, "a replica is silent; its connections were ended, its work goes to others");
    }
    let count = sqlx::query_scalar!(r#"select count(*) as "count!" from replica"#).fetch_one(&mut *connection).await?;
    Ok(usize::try_from(count)?)
}

impl Worker for LeaseManager {
    fn name(&self) -> String {
        "leases".into()
    }

    async fn step(&mut self) -> anyhow::Result<Outcome> {
        let round = tokio::time::timeout(ROUND_TIMEOUT, self.run_round()).await;
        let outcome = round.map_err(anyhow::Error::from).flatten();
        if outcome.is_err() {
            self.release_all();
        }
        self.set_gauges();
        outcome.map(|()| Outcome::Idle)
    }

    fn pause(&self) -> Duration {
        ROUND_INTERVAL
    }
}
