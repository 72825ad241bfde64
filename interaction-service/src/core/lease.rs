//! Which of a service's replicas does what: each piece of background work that must have one runner is a lease.
//!
//! A lease is a session-level advisory lock in Postgres, all of them on one connection per replica: when the replica
//! dies, its connection ends and the locks are free at once; no clock is trusted. Replicas note every second that they
//! are alive, and none holds more than its fair share, so that work spreads over them and moves when one joins or leaves.
//! A replica that was stopped and wakes up may still believe in a lease; whatever is done under one must therefore bear
//! two runners for a moment (the consumer's watermark does).
use std::collections::BTreeMap;
use std::time::Duration;

use sqlx::{Connection, PgConnection};
use tokio::sync::{Notify, watch};
use uuid::Uuid;

use super::App;
use super::worker::{Outcome, Worker};

/// How often leases are looked after; work of a dead replica moves within twice this time.
const ROUND: Duration = Duration::from_secs(1);
/// A replica that was not heard of for this long, in seconds, does not count any more.
const ALIVE: f64 = 3.0;

/// Looks after the leases of one replica.
pub struct Keeper {
    app: App,
    replica: Uuid,
    connection: Option<PgConnection>,
    leases: BTreeMap<String, watch::Sender<bool>>,
    alarm: Notify,
}

impl Keeper {
    /// A keeper of no leases.
    pub fn new(app: App) -> Self {
        Self { app, replica: Uuid::now_v7(), connection: None, leases: BTreeMap::new(), alarm: Notify::new() }
    }

    /// Asks for a lease; the receiver tells whether it is held.
    pub fn want(&mut self, name: &str) -> watch::Receiver<bool> {
        self.leases.entry(name.to_owned()).or_insert_with(|| watch::channel(false).0).subscribe()
    }

    async fn round(&mut self) -> anyhow::Result<()> {
        if self.connection.is_none() {
            self.connection = Some(PgConnection::connect_with(&self.app.db.connect_options()).await?);
        }
        let Some(connection) = &mut self.connection else { return Ok(()) };
        let replicas = alive(connection, self.replica).await?;
        let share = self.leases.len().div_ceil(replicas.max(1));
        let mut held = self.leases.values().filter(|lease| *lease.borrow()).count();
        for (name, lease) in &self.leases {
            let key = format!("{}/{name}", self.app.service.schema);
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
        Ok(())
    }

    fn lose_all(&mut self) {
        self.connection = None;
        for lease in self.leases.values() {
            lease.send_replace(false);
        }
    }
}

/// Notes that this replica is alive, forgets those that are not, and counts the rest.
async fn alive(connection: &mut PgConnection, replica: Uuid) -> sqlx::Result<usize> {
    sqlx::query!(
        "insert into replica (id, seen_at) values ($1, clock_timestamp())
         on conflict (id) do update set seen_at = excluded.seen_at",
        replica
    )
    .execute(&mut *connection)
    .await?;
    sqlx::query!("delete from replica where seen_at < clock_timestamp() - make_interval(secs => $1)", ALIVE)
        .execute(&mut *connection)
        .await?;
    let count = sqlx::query_scalar!(r#"select count(*) as "count!" from replica"#).fetch_one(&mut *connection).await?;
    Ok(usize::try_from(count).unwrap_or(1))
}

impl Worker for Keeper {
    fn name(&self) -> String {
        "leases".into()
    }

    async fn step(&mut self) -> anyhow::Result<Outcome> {
        let outcome = self.round().await;
        if outcome.is_err() {
            self.lose_all();
        }
        outcome.map(|()| Outcome::Idle)
    }

    fn pause(&self) -> Duration {
        ROUND
    }

    fn alarm(&self) -> &Notify {
        &self.alarm
    }
}
