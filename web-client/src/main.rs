//! The web client: the platform as people see it. HTML from the server, over the public REST API and nothing else.
mod api;
mod app;
mod doors;
mod frame;
mod ground;
mod pages;
mod session;
mod texts;

#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::process::ExitCode;

use anyhow::Context;
use clap::Parser;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::doors::checks;
use crate::ground::log;
use crate::ground::settings::Settings;
use crate::ground::shutdown::Signals;

/// As in the services: thousands of streams with little in each take less of it than of the system's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> anyhow::Result<ExitCode> {
    let settings = Settings::parse();
    if let Some(probe) = settings.check {
        return Ok(checks::ask(&settings, probe).await);
    }
    log::start(&settings);
    serve(settings).await?;
    Ok(ExitCode::SUCCESS)
}

/// Serves the pages until the process is asked to stop, and the requests under way to their end.
async fn serve(settings: Settings) -> anyhow::Result<()> {
    let address = SocketAddr::new(settings.host, settings.port);
    let (signals, stop) = (Signals::listen()?, CancellationToken::new());
    let app = App::new(settings, stop.clone())?;
    let listener = TcpListener::bind(address).await.with_context(|| format!("{address} cannot be listened on"))?;
    let streams = app.streams.tasks.clone();
    tracing::info!(%address, api = %app.settings.api_url, "web-client serves");
    let routes = pages::routes(app).into_make_service_with_connect_info::<SocketAddr>();
    let served = axum::serve(listener, routes).with_graceful_shutdown(stop.clone().cancelled_owned());
    tokio::select! {
        ended = served.into_future() => {
            streams.close();
            streams.wait().await;
            ended.context("serving ended")
        }
        () = signals.stop(&stop) => Ok(()),
    }
}
