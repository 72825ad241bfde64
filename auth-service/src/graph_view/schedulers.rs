//! The listener of the graph view, beside that of the routes.
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Server;
use tonic::{Request, Status};
use tonic_health::ServingStatus;
use tonic_health::server::health_reporter;

use super::CONTRACT;
use super::incoming::accepted;
use super::proto::graph_view_server::GraphViewServer;
use super::services::GraphReader;
use crate::core::app::App;
use crate::core::app::identity::bearer;
use crate::core::doors::callers::is_service_token;
use crate::core::ground::worker::{Outcome, Worker};

/// How often the worker looks whether the listener is still there.
const LOOK: Duration = Duration::from_secs(5);
/// Connections served at once: a process of another service takes one or two.
const MAX_CONNECTIONS: usize = 256;
/// Calls under way on one connection.
const MAX_STREAMS: u32 = 32;
/// When a connection is asked for a sign of life, and how long it may take to give one.
const KEEPALIVE: Duration = Duration::from_secs(20);
const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a connection takes new calls. Then it ends behind those under way, so that idle ones keep no others out for long.
const CONNECTION_AGE: Duration = Duration::from_mins(10);
/// How long calls may take to end after the stop: less than the service waits for its background work.
const GRACE: Duration = Duration::from_secs(3);

/// Keeps the graph view listening. It tries again where it cannot: while processes are replaced, the one before has the port
/// until it ends.
pub struct GraphListener {
    app: App,
    port: u16,
    serving: Option<JoinHandle<()>>,
}

impl GraphListener {
    /// The listener on a port, at the address of the routes.
    pub fn new(app: &App, port: u16) -> Self {
        Self { app: app.clone(), port, serving: None }
    }
}

impl Worker for GraphListener {
    async fn step(&mut self) -> anyhow::Result<Outcome> {
        if self.serving.as_ref().is_none_or(JoinHandle::is_finished) {
            let address = SocketAddr::from((self.app.settings.host, self.port));
            let listener = TcpListener::bind(address).await;
            let listener = listener.with_context(|| format!("the graph view cannot listen on {address}"))?;
            tracing::info!(%address, "the graph view is listening");
            let app = self.app.clone();
            self.serving = Some(self.app.tasks.spawn(async move {
                if let Err(error) = serve(app, listener).await {
                    tracing::warn!(error = format!("{error:#}"), "the graph view has ended");
                }
            }));
        }
        Ok(Outcome::Idle(LOOK))
    }
}

/// Serves the graph view until the stop, and then until the calls under way have ended, which they do behind the page at hand.
/// Health is for everyone, since probes send no metadata; all else needs the service token.
pub async fn serve(app: App, listener: TcpListener) -> anyhow::Result<()> {
    let (reporter, health) = health_reporter();
    reporter.set_serving::<GraphViewServer<GraphReader>>().await;
    let reflection = tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(CONTRACT)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        .build_v1()?;
    let known = app.clone();
    let admitted = move |request: Request<()>| admit(&known, request);
    let server = Server::builder()
        .max_concurrent_streams(MAX_STREAMS)
        .max_connection_age(CONNECTION_AGE)
        .http2_keepalive_interval(Some(KEEPALIVE))
        .http2_keepalive_timeout(Some(KEEPALIVE_TIMEOUT))
        .add_service(health)
        .add_service(InterceptedService::new(reflection, admitted.clone()))
        .add_service(GraphViewServer::with_interceptor(GraphReader::new(&app), admitted));
    let serving = server.serve_with_incoming_shutdown(accepted(listener, MAX_CONNECTIONS), app.stop.cancelled());
    let draining = async {
        app.draining.cancelled().await;
        reporter.set_not_serving::<GraphViewServer<GraphReader>>().await;
        reporter.set_service_status("", ServingStatus::NotServing).await;
        std::future::pending::<()>().await;
    };
    let late = async {
        app.stop.cancelled().await;
        tokio::time::sleep(GRACE).await;
    };
    tokio::select! {
        ended = serving => ended?,
        () = draining => {}
        () = late => {}
    }
    Ok(())
}

/// Refuses a call without the service token, as [`crate::core::doors::callers::Operator`] does a request.
fn admit(app: &App, call: Request<()>) -> Result<Request<()>, Status> {
    let knows = bearer(call.metadata().as_ref()).is_some_and(|given| is_service_token(app, given));
    if knows { Ok(call) } else { Err(Status::unauthenticated("the service token is missing or wrong")) }
}
