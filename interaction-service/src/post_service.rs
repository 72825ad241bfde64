//! The client of the post service, which requests a post over HTTP with the caller's token.
//!
//! It is called for posts that are not stored here yet, or that the caller could not see in their stored version. Its answer
//! decides. While it is unavailable the caller gets a 503 and may retry; an outage shows no post to a user who may not see it.
use std::time::Duration;

use axum::http::{HeaderValue, StatusCode, header};
use serde::de::DeserializeOwned;
use uuid::Uuid;

use crate::core::api::errors::Error;
use crate::core::ground::http_client;
use crate::core::ground::telemetry::spans;

/// The timeout of one call. A burst of requests to services that have just started opens all connections of three pools at
/// once, which took 300 ms and more on two cores; whoever waits longer than this waits for a service that hangs.
const TIMEOUT: Duration = Duration::from_secs(1);
/// Calls made before the post service counts as unavailable.
const MAX_TRIES: u32 = 2;
/// Idle connections kept.
const MAX_IDLE_CONNECTIONS: usize = 16;

/// The post service did not answer in time, or gave an unexpected answer.
#[derive(Debug, thiserror::Error)]
#[error("the post service is unreachable: {0}")]
struct PostServiceUnreachable(String);

/// Settings of the client.
#[derive(clap::Args, Clone, Debug)]
pub struct PostServiceSettings {
    /// The post service, as a URL without a path
    #[arg(long, env = "POST_SERVICE_URL", default_value = "http://127.0.0.1:8001")]
    pub post_service_url: reqwest::Url,
}

/// The client, with its connection pool.
pub struct PostService {
    base: reqwest::Url,
    http: reqwest::Client,
}

impl PostService {
    /// A client that has made no call yet.
    pub fn new(settings: &PostServiceSettings) -> anyhow::Result<Self> {
        let http = http_client::builder().timeout(TIMEOUT).pool_max_idle_per_host(MAX_IDLE_CONNECTIONS).build()?;
        Ok(Self { base: settings.post_service_url.clone(), http })
    }

    /// Requests a post as it is now; none when it does not exist for the caller. A 503 when the post service does not answer.
    pub async fn get<T: DeserializeOwned>(&self, id: Uuid, authorization: &HeaderValue) -> Result<Option<T>, Error> {
        let url = self.base.join(&format!("/api/v1/posts/{id}")).map_err(|cause| Error::Internal(cause.into()))?;
        let mut last = PostServiceUnreachable("not tried".into());
        for _ in 0..MAX_TRIES {
            match self.get_once(url.clone(), authorization).await {
                Ok(post) => return Ok(post),
                Err(unreachable) => last = unreachable,
            }
        }
        tracing::warn!(error = %last, "a post could not be looked up");
        Err(Error::Refused(StatusCode::SERVICE_UNAVAILABLE, "Post service unavailable"))
    }

    async fn get_once<T: DeserializeOwned>(
        &self,
        url: reqwest::Url,
        authorization: &HeaderValue,
    ) -> Result<Option<T>, PostServiceUnreachable> {
        let unreachable = |cause: reqwest::Error| PostServiceUnreachable(cause.without_url().to_string());
        let answer =
            spans::call(self.http.get(url).header(header::AUTHORIZATION, authorization)).await.map_err(unreachable)?;
        match answer.status() {
            StatusCode::OK => answer.json().await.map(Some).map_err(unreachable),
            status if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS => {
                Err(PostServiceUnreachable(format!("it answered {status}")))
            }
            _ => Ok(None),
        }
    }
}
