//! A bare axum route: what HTTP itself costs, with the same library, on the same machine, with the same load generator.

use std::net::SocketAddr;

use anyhow::{Context, Result};
use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::routing::get;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

/// The path of its route.
pub const PATH: &str = "/bare";

/// A server with one route, in a runtime such as a service has. It ends with this value.
pub struct BareServer {
    pub address: SocketAddr,
    runtime: Option<Runtime>,
}

impl BareServer {
    /// Answers every request with this text.
    pub async fn start(answer: String) -> Result<BareServer> {
        let listener = TcpListener::bind("127.0.0.1:0").await.context("no port can be listened on")?;
        let (address, listener) = (listener.local_addr()?, listener.into_std()?);
        let runtime = Runtime::new().context("a second runtime cannot be started")?;
        let route = get(async move || ([(CONTENT_TYPE, "application/json")], answer));
        runtime.spawn(async move {
            let listener = TcpListener::from_std(listener)?;
            axum::serve(listener, Router::new().route(PATH, route)).await
        });
        Ok(BareServer { address, runtime: Some(runtime) })
    }
}

impl Drop for BareServer {
    fn drop(&mut self) {
        // Inside of another runtime the end must not be waited for.
        self.runtime.take().map(Runtime::shutdown_background).unwrap_or_default();
    }
}
