//! The service as a whole: what it is, how it starts, and how it ends.
pub mod connections;
pub mod health;
pub mod layers;
pub mod openapi;
pub mod operations;

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use axum::Router;
use clap::{ArgMatches, Args, Command, FromArgMatches};
use metrics_exporter_prometheus::PrometheusHandle;
use sqlx::PgPool;
use sqlx::migrate::Migrator;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use utoipa::openapi::security::SecurityScheme;
use utoipa_axum::router::OpenApiRouter;

use crate::core::app::identity::Authenticate;
use crate::core::app::limits::{Limit, Limits};
use crate::core::app::{App, AppState};
use crate::core::doors::erasure::{Eraser, Erasure};
use crate::core::doors::personal_data::{self, PersonalDataSource};
use crate::core::doors::{callers, idempotency};
use crate::core::events::consumer::Consumer;
use crate::core::events::relay::Relay;
use crate::core::events::{Subscription, backlog, retention};
use crate::core::ground::jobs::{self, Job};
use crate::core::ground::leases::LeaseManager;
use crate::core::ground::replica::{Replica, ReplicaWatch};
use crate::core::ground::settings::{self, Base};
use crate::core::ground::telemetry::{self, meters};
use crate::core::ground::{database, http_client, worker};
use crate::core::serve::connections::ConnectionLimits;

/// How long an answer of Redis may take; an append of a full batch takes milliseconds.
const REDIS_TIMEOUT: Duration = Duration::from_secs(2);
/// How long a call of another service may take to connect, and in all.
const HTTP_CONNECT: Duration = Duration::from_secs(2);
const HTTP_TIMEOUT: Duration = Duration::from_secs(5);
/// How long requests, and then background work, may take to end after a signal to stop.
const SHUTDOWN_GRACE: Duration = Duration::from_secs(4);

/// The definition of a service: all that its core needs to know of it.
pub struct Service {
    /// Its name in logs, and as the source of its events.
    pub name: &'static str,
    /// What it is for, as `--help` and the description of its API say.
    pub description: &'static str,
    /// The port that it listens on unless the setting says otherwise.
    pub port: u16,
    /// The Postgres schema that it owns.
    pub schema: &'static str,
    /// The consumer group under which it reads streams.
    pub group: &'static str,
    /// The streams that it, and no other service, writes.
    pub publishes: &'static [&'static str],
    /// Its tables.
    pub migrations: &'static Migrator,
    /// How a person authenticates, as the description of its API says.
    pub scheme: fn() -> SecurityScheme,
    /// Its rate limits.
    pub limits: &'static [Limit],
    /// The personal data that it holds.
    pub personal_data: &'static [PersonalDataSource],
    /// How it erases them.
    pub erasure: Erasure,
    /// Adds its own settings to those of every service.
    pub settings: fn(Command) -> Command,
    /// How it authenticates a caller.
    pub authenticator: fn(&ArgMatches, &PgPool) -> anyhow::Result<Arc<dyn Authenticate>>,
    /// What it does, built from its settings.
    pub features: fn(&App, &ArgMatches) -> anyhow::Result<Features>,
}

/// Starts background work that only one service has.
pub type Background = Box<dyn FnOnce(&App) + Send>;

/// What a service does.
#[derive(Default)]
pub struct Features {
    /// Its routes under `/api/v1`.
    pub routes: OpenApiRouter,
    /// Its routes outside of `/api/v1`.
    pub root: OpenApiRouter,
    /// What it consumes.
    pub subscriptions: Vec<Subscription>,
    /// Its scheduled jobs.
    pub jobs: Vec<Job>,
    /// Starts what else it does in the background, once its tables are there.
    pub background: Option<Background>,
}

impl Service {
    /// Its arguments, as `--help` shows them.
    pub fn command(&self) -> Command {
        let command = Base::augment_args(Command::new(self.name));
        let command = command.mut_arg("port", |port| port.required(false).default_value(self.port.to_string()));
        (self.settings)(command).version(env!("CARGO_PKG_VERSION")).about(self.description).long_about(None)
    }

    /// What it was called with; ends the process with a message where that is wrong, as clap does.
    pub fn arguments(&self) -> anyhow::Result<ArgMatches> {
        settings::read(self.command())
    }

    /// The service with these settings, connected to nothing yet: stores are connected on first use.
    pub fn open(&self, arguments: &ArgMatches, metrics: PrometheusHandle) -> anyhow::Result<App> {
        let settings = Base::from_arg_matches(arguments)?;
        settings.check()?;
        let direct = database::options(settings.database_directly()?, self.schema);
        let db = database::pool(database::pooled(&settings, &direct)?, settings.database_pool);
        let redis = settings.redis()?.open(REDIS_TIMEOUT);
        Ok(Arc::new(AppState {
            name: self.name,
            group: self.group,
            publishes: self.publishes,
            authenticator: (self.authenticator)(arguments, &db)?,
            limits: Limits::new(self.limits, &settings, redis.clone())?,
            replica: Replica::open(&settings, &db, &direct, &redis, self.schema)?,
            http: http_client::builder().connect_timeout(HTTP_CONNECT).timeout(HTTP_TIMEOUT).build()?,
            db,
            direct,
            redis,
            settings,
            metrics,
            commits: watch::Sender::new(0),
            prepared: watch::Sender::new(false),
            progress: watch::Sender::default(),
            tasks: TaskTracker::new(),
            draining: CancellationToken::new(),
            stop: CancellationToken::new(),
        }))
    }

    /// What it does, and what every service that confirms erasures does besides.
    pub fn build(&self, app: &App, arguments: &ArgMatches) -> anyhow::Result<Features> {
        let mut features = (self.features)(app, arguments)?;
        features.subscriptions.extend(self.erasure.subscription());
        Ok(features)
    }

    /// Everything that the service answers; takes the routes out of its features.
    pub fn router(&self, app: &App, features: &mut Features) -> Router {
        let document = openapi::document(self.name, self.description, (self.scheme)());
        let (routes, root) = (std::mem::take(&mut features.routes), std::mem::take(&mut features.root));
        let described = OpenApiRouter::with_openapi(document).nest("/api/v1", routes).merge(root);
        let (routes, document) = described.split_for_parts();
        let subscribed = features.subscriptions.iter().map(|subscription| subscription.stream).collect();
        let own = health::routes(subscribed)
            .merge(operations::routes(features.subscriptions.as_slice().into()))
            .merge(personal_data::routes(self.personal_data))
            .with_state(app.clone());
        let document = openapi::complete(document, self.limits);
        layers::with_middleware(app, routes.merge(own).merge(openapi::routes(document)))
    }

    /// Makes the tables, trying until Postgres is there, and then starts all background work.
    async fn work(&'static self, app: App, features: Features) {
        let mut failures = 0;
        while let Err(error) = database::prepare(&app.db, &app.direct, self.schema, self.migrations).await {
            tracing::warn!(error = format!("{error:#}"), "the database is not ready; trying again");
            app.prepared.send_replace(false);
            failures += 1;
            if app.stop.run_until_cancelled(tokio::time::sleep(worker::backoff(failures))).await.is_none() {
                return;
            }
        }
        app.prepared.send_replace(true);
        let mut leases = LeaseManager::new(app.direct.clone(), self.schema);
        for subscription in features.subscriptions {
            let lease = leases.want(subscription.stream);
            app.start(format!("consumer of {}", subscription.stream), Consumer::new(app.clone(), subscription, lease));
        }
        app.start("leases", leases);
        if let Some(replica) = &app.replica {
            app.start("replica", ReplicaWatch::new(replica));
        }
        app.start_after_commits("relay", Relay::new(&app));
        app.start("erasures", Eraser { app: app.clone(), erasure: &self.erasure });
        for stream in app.authenticator.invalidating_streams() {
            app.start(format!("follower of {stream}"), callers::verdict_follower(&app, stream));
        }
        if let Some(start) = features.background {
            start(&app);
        }
        let mut jobs = features.jobs;
        jobs.extend([retention::job(&app), idempotency::job(&app)]);
        if let Err(error) = jobs::run(jobs, app.db.clone(), app.tasks.clone(), app.stop.clone()).await {
            tracing::error!(error = format!("{error:#}"), "the job scheduler failed");
        }
    }
}

/// Runs a service with its arguments until a signal stops it.
pub async fn run(service: &'static Service, arguments: &ArgMatches) -> anyhow::Result<()> {
    let base = Base::from_arg_matches(arguments)?;
    if let Some(question) = base.check {
        return health::ask(base.host, base.port, question).await;
    }
    telemetry::start(service.name, &base)?;
    let app = service.open(arguments, meters::start()?)?;
    let features = service.build(&app, arguments)?;
    serve(service, app, features).await
}

/// Serves requests and works in the background until the stop, and then shuts down in order.
pub async fn serve(service: &'static Service, app: App, mut features: Features) -> anyhow::Result<()> {
    let address = (app.settings.host, app.settings.port).into();
    let listener = connections::listen(address).await;
    let (listener, mut passed) = listener.with_context(|| format!("{} cannot listen on {address}", app.name))?;
    tracing::info!(service = app.name, address = %listener.local_addr()?, "listening");
    let router = service.router(&app, &mut features);
    meters::start_counters(service.limits.iter().map(|limit| limit.name));
    backlog::start_counters(app.publishes, features.subscriptions.iter().map(|subscription| subscription.stream));
    app.tasks.spawn(service.work(app.clone(), features));
    app.tasks.spawn(meters::run_upkeep(app.metrics.clone(), app.stop.clone()));
    let (mut terminate, signalled) = (signal(SignalKind::terminate())?, app.clone());
    app.tasks.spawn(async move {
        tokio::select! {
            () = signalled.stop.cancelled() => {}
            _ = terminate.recv() => signalled.drain().await,
            _ = tokio::signal::ctrl_c() => signalled.stop.cancel(),
        }
    });
    let (stop, mut prepared) = (app.stop.clone(), app.prepared.subscribe());
    // A client that takes its time must not hold up the end.
    tokio::select! {
        () = async {
            // Requests to a socket that was passed are for the process before this one until this one can answer them, or at least
            // say why it cannot: there may be none before it.
            prepared.wait_for(|prepared| *prepared || !std::mem::take(&mut passed)).await.ok();
            ConnectionLimits::new(app.settings.max_connections).serve(listener, router, stop.clone()).await;
        } => {}
        () = async { stop.cancelled().await; tokio::time::sleep(SHUTDOWN_GRACE).await } => {}
    }
    app.tasks.close();
    if tokio::time::timeout(SHUTDOWN_GRACE, app.tasks.wait()).await.is_err() {
        tracing::warn!("some background work did not end in time; it is done again after the next start");
    }
    app.db.close().await;
    if let Some(replica) = &app.replica {
        replica.close().await;
    }
    telemetry::stop().await;
    tracing::info!(service = app.name, "stopped");
    Ok(())
}
