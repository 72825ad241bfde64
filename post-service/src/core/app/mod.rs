//! What handlers, processors and jobs work with. A plain struct that starts nothing: `serve` builds it and starts the rest.
pub mod identity;
pub mod limits;

use std::cell::RefCell;
use std::sync::Arc;

use metrics_exporter_prometheus::PrometheusHandle;
use sqlx::postgres::PgConnectOptions;
use sqlx::{PgPool, PgTransaction};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use crate::core::app::identity::Authenticate;
use crate::core::app::limits::Limits;
use crate::core::ground::redis::Redis;
use crate::core::ground::replica::{self, Replica};
use crate::core::ground::settings::Base;
use crate::core::ground::worker::{self, Worker};

tokio::task_local! {
    /// The change of the request at hand, which waits for its answer.
    static HELD: RefCell<Option<PgTransaction<'static>>>;
}

/// A running service. Everything that a request passes through has one, so a clone is one count and not one per field.
pub type App = Arc<AppState>;

/// What a running service consists of.
pub struct AppState {
    /// The service's name in logs, and as the source of its events.
    pub name: &'static str,
    /// The consumer group under which it reads streams.
    pub group: &'static str,
    /// The streams that it, and no other service, writes.
    pub publishes: &'static [&'static str],
    pub settings: Base,
    pub db: PgPool,
    /// For what needs a session of its own, which no pooler takes away between two transactions.
    pub direct: PgConnectOptions,
    pub redis: Redis,
    /// The standby of Postgres, where there is one.
    pub replica: Option<Arc<Replica>>,
    /// Calls of other services.
    pub http: reqwest::Client,
    /// Finds out who calls.
    pub authenticator: Arc<dyn Authenticate>,
    pub limits: Limits,
    /// Counts the commits of this process; workers that wait for one wake up.
    pub commits: watch::Sender<u64>,
    /// Whether the tables are there.
    pub prepared: watch::Sender<bool>,
    /// How far a long work of the service is, such as filling a copy anew, for `/health/lag`; null: it has none.
    pub progress: watch::Sender<serde_json::Value>,
    /// All background work; a stop waits for it.
    pub tasks: TaskTracker,
    /// That no new requests are to be sent here, though what comes is served.
    pub draining: CancellationToken,
    /// The signal to stop.
    pub stop: CancellationToken,
    pub metrics: PrometheusHandle,
}

impl AppState {
    /// Commits a change, and wakes what follows from commits: the relay, so that its events are on their way at once, and
    /// what else of the service waits for work.
    pub async fn commit(&self, tx: PgTransaction<'static>) -> sqlx::Result<()> {
        tx.commit().await?;
        replica::record_commit();
        self.commits.send_modify(|commits| *commits += 1);
        Ok(())
    }

    /// Commits the change of a request. Under an `Idempotency-Key` the change waits for its answer and is committed with
    /// it, so that both are there or neither.
    pub async fn commit_with_answer(&self, tx: PgTransaction<'static>) -> sqlx::Result<()> {
        let mut tx = Some(tx);
        // Of a request that commits twice, the first change comes back here and is committed.
        HELD.try_with(|held| tx = held.replace(tx.take())).ok();
        match tx {
            Some(tx) => self.commit(tx).await,
            None => Ok(()),
        }
    }

    /// Reads what may be a few seconds old, but for what the person who reads has written: from a standby of Postgres where there is
    /// one; and whether it was read there. Then it decides neither what its reader may see nor what they may do.
    pub async fn read<T, F>(&self, person: Uuid, read: impl Fn(PgPool) -> F) -> sqlx::Result<(T, bool)>
    where
        F: Future<Output = sqlx::Result<T>>,
    {
        match &self.replica {
            Some(replica) => replica.read(person, read).await,
            None => Ok((read(self.db.clone()).await?, false)),
        }
    }

    /// Stops the service as soon as load balancers have had the time to see that it is about to.
    pub async fn drain(&self) {
        self.draining.cancel();
        tokio::time::sleep(std::time::Duration::from_secs(self.settings.drain_seconds)).await;
        self.stop.cancel();
    }

    /// Runs a worker, under its name in the log, until the service stops.
    pub fn start(&self, name: impl Into<String>, worker: impl Worker) {
        self.tasks.spawn(worker::run(name.into(), worker, self.stop.clone(), None));
    }

    /// The same, for a worker that finds new work after commits: each ends its pause.
    pub fn start_after_commits(&self, name: impl Into<String>, worker: impl Worker) {
        self.tasks.spawn(worker::run(name.into(), worker, self.stop.clone(), Some(self.commits.subscribe())));
    }
}

/// Runs a request whose change is to be committed with its answer; the transaction that it returns is still open.
pub async fn hold_change<F: Future>(request: F) -> (F::Output, Option<PgTransaction<'static>>) {
    HELD.scope(RefCell::new(None), async { (request.await, HELD.with(RefCell::take)) }).await
}
