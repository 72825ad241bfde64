//! The HTTP client for outgoing calls: no redirects, rustls with its provider installed.
use std::time::Duration;

/// How long an idle connection is kept: shorter than a server keeps it, so that no request is sent into one that ends.
const IDLE_TIMEOUT: Duration = Duration::from_secs(20);

/// A builder whose time limits are still to be set. The client follows no redirect: the answer is what the peer answers.
pub fn builder() -> reqwest::ClientBuilder {
    // An error means that the provider was installed before, which is as good.
    drop(rustls::crypto::ring::default_provider().install_default());
    reqwest::Client::builder().pool_idle_timeout(IDLE_TIMEOUT).redirect(reqwest::redirect::Policy::none())
}
