//! What every service has: the same text in all five. It lends itself two names of its service, `crate::Resources` and
//! `crate::settings::Settings`; whatever else differs between services reaches it through [`Service`].
pub mod audit;
pub mod client;
pub mod database;
pub mod erasure;
pub mod errors;
pub mod events;
pub mod extract;
pub mod health;
pub mod http;
pub mod idempotency;
pub mod input;
pub mod lease;
pub mod limits;
pub mod openapi;
pub mod outgoing;
pub mod pagination;
pub mod people;
pub mod scheduler;
pub mod security;
pub mod settings;
pub mod telemetry;
pub mod timestamp;
pub mod worker;

#[cfg(test)]
pub mod testing;
#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use axum::Router;
use metrics_exporter_prometheus::PrometheusHandle;
use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use sqlx::migrate::Migrator;
use sqlx::{PgPool, PgTransaction};
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use utoipa::openapi::security::SecurityScheme;
use utoipa_axum::router::OpenApiRouter;

use crate::Resources;
use crate::settings::Settings;
use erasure::{Eraser, Erasing};
use events::Subscription;
use events::consumer::Consumer;
use events::relay::Relay;
use lease::Keeper;
use limits::{Limit, Limits};
use people::Holding;
use scheduler::Job;
use security::Verifier;

/// Requests allocate much and briefly, on whichever thread is free: the system's allocator took a sixth of their time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// How long an answer of Redis may take; an append of a full batch takes milliseconds.
const REDIS_RESPONSE: Duration = Duration::from_secs(2);
/// How long a call of another service may take to connect, and in all.
const HTTP_CONNECT: Duration = Duration::from_secs(2);
const HTTP_ANSWER: Duration = Duration::from_secs(5);
/// How long requests, and then background work, may take to end after a signal to stop.
const GRACE: Duration = Duration::from_secs(4);

/// One service on one page: all that its core needs to know of it.
pub struct Service {
    /// Its name in logs, and as the source of its events.
    pub name: &'static str,
    /// What it is for, as the description of its API says.
    pub description: &'static str,
    /// The Postgres schema that it owns.
    pub schema: &'static str,
    /// The consumer group under which it reads streams.
    pub group: &'static str,
    /// The streams that it, and nobody else, writes.
    pub tells: &'static [&'static str],
    /// Its tables.
    pub migrations: &'static Migrator,
    /// Its routes under `/api/v1`.
    pub routes: fn() -> OpenApiRouter<App>,
    /// Its routes outside of `/api/v1`.
    pub root: fn() -> OpenApiRouter<App>,
    /// How a person authenticates, as the description of its API says.
    pub scheme: fn() -> SecurityScheme,
    /// What may be done only so often.
    pub limits: &'static [Limit],
    /// What it holds about people.
    pub holdings: &'static [Holding],
    /// How it lets go of that.
    pub erasing: Erasing,
    /// What it listens to.
    pub listens: fn() -> Vec<Subscription>,
    /// What it does by the clock.
    pub jobs: fn(&Settings) -> Vec<Job>,
}

/// A running service: what handlers, processors and jobs work with. Everything that a request passes through has one, so
/// a clone is one count and not one for each part.
#[derive(Clone)]
pub struct App(Arc<Parts>);

/// What a running service consists of.
pub struct Parts {
    pub service: &'static Service,
    pub settings: Settings,
    /// What only this service has; its `start` begins what only this service does in the background, and its `committed` is
    /// told of every change.
    pub resources: Resources,
    pub db: PgPool,
    pub redis: ConnectionManager,
    pub verifier: Verifier,
    pub limits: Limits,
    /// Wakes the relay.
    pub wake: Arc<Notify>,
    /// Whether the tables are there.
    pub prepared: watch::Sender<bool>,
    /// All background work; a stop waits for it.
    pub tasks: TaskTracker,
    /// The signal to stop.
    pub stop: CancellationToken,
    pub metrics: PrometheusHandle,
    /// Calls of other services.
    pub http: reqwest::Client,
}

impl Deref for App {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

impl App {
    /// A service that is connected to nothing yet; whatever is away is found out on first use.
    pub fn new(service: &'static Service, settings: Settings, metrics: PrometheusHandle) -> anyhow::Result<Self> {
        let http = outgoing::client().connect_timeout(HTTP_CONNECT).timeout(HTTP_ANSWER).build()?;
        let base = &settings.base;
        let options = database::options(base.database()?, service.schema);
        // Workers try again in their own time, and a question about health wants its answer now.
        let redis = ConnectionManagerConfig::new()
            .set_response_timeout(Some(REDIS_RESPONSE))
            .set_connection_timeout(Some(REDIS_RESPONSE))
            .set_number_of_retries(1);
        let redis = ConnectionManager::new_lazy_with_config(base.redis()?, redis)?;
        Ok(Self(Arc::new(Parts {
            service,
            db: database::pool(options, base.database_pool),
            limits: Limits::new(service.limits, base, redis.clone())?,
            redis,
            verifier: Verifier::new(&settings.security)?,
            wake: Arc::new(Notify::new()),
            prepared: watch::Sender::new(false),
            tasks: TaskTracker::new(),
            stop: CancellationToken::new(),
            resources: Resources::new(&settings)?,
            settings,
            metrics,
            http,
        })))
    }

    /// Commits a change and wakes the relay, so that its events are on their way at once. Under an `Idempotency-Key` the
    /// change waits for its answer, and is committed with it.
    pub async fn commit(&self, tx: PgTransaction<'static>) -> sqlx::Result<()> {
        match idempotency::hold(tx) {
            Some(tx) => self.finish(tx).await,
            None => Ok(()),
        }
    }

    async fn finish(&self, tx: PgTransaction<'static>) -> sqlx::Result<()> {
        tx.commit().await?;
        self.wake.notify_one();
        self.resources.committed();
        Ok(())
    }

    /// Everything that the service answers.
    pub fn router(&self) -> Router {
        let document = openapi::document(self.service.name, self.service.description, (self.service.scheme)());
        let routes = OpenApiRouter::with_openapi(document).nest("/api/v1", (self.service.routes)());
        let (routes, document) = routes.merge((self.service.root)()).split_for_parts();
        let internal = events::operations::routes().merge(people::routes());
        let routes = routes.merge(health::routes()).merge(internal).with_state(self.clone());
        let document = openapi::complete(document, self.service.limits);
        http::surround(self, routes.merge(openapi::routes(document)))
    }

    /// Makes the tables, trying until Postgres is there, and then starts all background work.
    async fn work(self) {
        let mut failures = 0;
        while let Err(error) = database::prepare(&self.db, self.service.schema, self.service.migrations).await {
            tracing::warn!(error = format!("{error:#}"), "the database is not ready; trying again");
            failures += 1;
            tokio::select! {
                () = self.stop.cancelled() => return,
                () = tokio::time::sleep(worker::backoff(failures)) => {}
            }
        }
        self.prepared.send_replace(true);
        let mut leases = Keeper::new(self.clone());
        for subscription in (self.service.listens)() {
            let lease = leases.want(subscription.stream);
            self.tasks.spawn(worker::run(self.clone(), Consumer::new(self.clone(), subscription, lease)));
        }
        self.tasks.spawn(worker::run(self.clone(), leases));
        self.tasks.spawn(worker::run(self.clone(), Relay::new(&self)));
        self.tasks.spawn(worker::run(self.clone(), Eraser::new(&self)));
        security::start(&self);
        self.resources.start(&self);
        let mut jobs = (self.service.jobs)(&self.settings);
        jobs.push(events::upkeep::job());
        if let Err(error) = scheduler::run(self, jobs).await {
            tracing::error!(error = format!("{error:#}"), "the clock stopped");
        }
    }
}

/// Runs a service until it is told to stop: answers, works in the background, and then ends in order.
pub async fn serve(app: App, port: u16) -> anyhow::Result<()> {
    let address = (app.settings.base.host, port);
    let listener = tokio::net::TcpListener::bind(address)
        .await
        .with_context(|| format!("{} cannot listen on {}:{}", app.service.name, address.0, address.1))?;
    tracing::info!(service = app.service.name, address = %listener.local_addr()?, "listening");
    app.tasks.spawn(app.clone().work());
    telemetry::meters::start_counters(&app);
    events::counters::start(app.service);
    app.tasks.spawn(telemetry::meters::add_up(app.clone()));
    let stop = app.stop.clone();
    app.tasks.spawn(async move {
        tokio::select! {
            () = signal() => stop.cancel(),
            () = stop.cancelled() => {}
        }
    });
    let stop = app.stop.clone();
    let router = app.router().into_make_service_with_connect_info::<SocketAddr>();
    let serving = axum::serve(listener, router).with_graceful_shutdown(stop.clone().cancelled_owned());
    // A client that keeps its connection open must not hold up the end.
    tokio::select! {
        served = serving => served?,
        () = async { stop.cancelled().await; tokio::time::sleep(GRACE).await } => {}
    }
    app.tasks.close();
    if tokio::time::timeout(GRACE, app.tasks.wait()).await.is_err() {
        tracing::warn!(
            "some background work did not end in time; what it had begun is done again after the next start"
        );
    }
    app.db.close().await;
    telemetry::stop().await;
    tracing::info!(service = app.service.name, "stopped");
    Ok(())
}

/// Waits for SIGTERM or Ctrl-C.
async fn signal() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = tokio::signal::ctrl_c() => {}
            }
        }
        Err(error) => {
            tracing::error!(%error, "SIGTERM cannot be listened to");
            std::future::pending::<()>().await;
        }
    }
}
