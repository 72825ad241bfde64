//! The HTTP client for outgoing calls: no redirects, rustls with its provider installed.

/// A builder whose time limits are still to be set. The client follows no redirect: the answer is what the peer answers.
pub fn builder() -> reqwest::ClientBuilder {
    // An error means that the provider was installed before, which is as good.
    drop(rustls::crypto::ring::default_provider().install_default());
    reqwest::Client::builder().redirect(reqwest::redirect::Policy::none())
}
