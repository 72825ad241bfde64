//! The post service, asked for a post over HTTP in the caller's name.
//!
//! It is asked for posts that are not known here yet, or that the caller could not see when they were last heard of. Its
//! answer decides. When it is away the caller gets a 503 and may try again; nobody sees a post because of an outage.
use std::time::Duration;

use axum::http::{HeaderValue, StatusCode, header};
use serde::de::DeserializeOwned;
use uuid::Uuid;

use crate::core::api::errors::Error;
use crate::core::ground::http_client;
use crate::core::ground::telemetry::spans;

/// One call may take this long.
const TIMEOUT: Duration = Duration::from_millis(300);
/// Calls made before the post service counts as away.
const TRIES: u32 = 2;
/// Idle connections kept.
const CONNECTIONS: usize = 16;

/// The post service did not answer in time, or not as a post service does.
#[derive(Debug, thiserror::Error)]
#[error("the post service cannot be asked: {0}")]
struct PostServiceAway(String);

/// Settings of the client.
#[derive(clap::Args, Clone, Debug)]
pub struct PostServiceSettings {
    /// The post service, as a URL without a path
    #[arg(long, env = "POST_SERVICE_URL", default_value = "http://127.0.0.1:8001")]
    pub post_service_url: reqwest::Url,
}

/// The connections to the post service.
pub struct PostService {
    base: reqwest::Url,
    http: reqwest::Client,
}

impl PostService {
    /// A client that has asked nothing yet.
    pub fn new(settings: &PostServiceSettings) -> anyhow::Result<Self> {
        let http = http_client::builder().timeout(TIMEOUT).pool_max_idle_per_host(CONNECTIONS).build()?;
        Ok(Self { base: settings.post_service_url.clone(), http })
    }

    /// The post as it is now; none when it does not exist for the caller. A 503 when the post service does not answer.
    pub async fn get<T: DeserializeOwned>(&self, id: Uuid, authorization: &HeaderValue) -> Result<Option<T>, Error> {
        let url = self.base.join(&format!("/api/v1/posts/{id}")).map_err(|cause| Error::Internal(cause.into()))?;
        let mut last = PostServiceAway("not tried".into());
        for _ in 0..TRIES {
            match self.get_once(url.clone(), authorization).await {
                Ok(post) => return Ok(post),
                Err(away) => last = away,
            }
        }
        tracing::warn!(error = %last, "a post could not be looked up");
        Err(Error::Refused(StatusCode::SERVICE_UNAVAILABLE, "Post service unavailable"))
    }

    async fn get_once<T: DeserializeOwned>(
        &self,
        url: reqwest::Url,
        authorization: &HeaderValue,
    ) -> Result<Option<T>, PostServiceAway> {
        let away = |cause: reqwest::Error| PostServiceAway(cause.without_url().to_string());
        let answer =
            spans::call(self.http.get(url).header(header::AUTHORIZATION, authorization)).await.map_err(away)?;
        match answer.status() {
            StatusCode::OK => answer.json().await.map(Some).map_err(away),
            status if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS => {
                Err(PostServiceAway(format!("it answered {status}")))
            }
            _ => Ok(None),
        }
    }
}
