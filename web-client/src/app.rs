//! What all requests share: settings, connections to the API, the refreshes that are under way, the streams that are open, and what was
//! compared just now.
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use tokio_util::sync::CancellationToken;

use crate::api::comparisons::Comparisons;
use crate::ground::settings::Settings;
use crate::session::refreshes::Refreshes;
use crate::session::streams::Streams;

/// How long connecting to the API may take.
const CONNECT: Duration = Duration::from_secs(1);
/// How long a connection to the gateway is kept: less than the 60 s after which it ends an idle one.
const IDLE: Duration = Duration::from_secs(45);

/// The state of the process. It holds nothing that another replica would miss.
#[derive(Clone)]
pub struct App {
    pub settings: Arc<Settings>,
    pub http: reqwest::Client,
    pub refreshes: Refreshes,
    pub streams: Streams,
    pub comparisons: Comparisons,
    pub stop: CancellationToken,
}

impl App {
    /// Connects to nothing yet.
    pub fn new(settings: Settings, stop: CancellationToken) -> anyhow::Result<Self> {
        provide_tls();
        let http = reqwest::Client::builder()
            .connect_timeout(CONNECT)
            .pool_idle_timeout(IDLE)
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("web-client/", env!("CARGO_PKG_VERSION")))
            .build()
            .context("no HTTP client")?;
        let (refreshes, streams, comparisons) = (Refreshes::new(), Streams::default(), Comparisons::new());
        Ok(Self { settings: Arc::new(settings), http, refreshes, streams, comparisons, stop })
    }
}

/// Names the implementation of TLS; a second call changes nothing.
pub fn provide_tls() {
    drop(rustls::crypto::ring::default_provider().install_default());
}
