//! Calls of others: whoever makes them begins here, so that none follows a redirect or lacks its cryptography.

/// A client of HTTP whose limits are still to be set. It follows no redirect: what somebody answers is the answer.
pub fn builder() -> reqwest::ClientBuilder {
    // An error says that the provider was installed before, which is as good.
    drop(rustls::crypto::ring::default_provider().install_default());
    reqwest::Client::builder().redirect(reqwest::redirect::Policy::none())
}
