//! The stores in which the metadata of NFTs is kept, behind one trait.
//!
//! Every store is asked for what it may have done already: the identifier of a document is known before it is uploaded, so
//! an upload that is repeated after a crash changes nothing, and an answer that names another identifier is an error.
//!
//! | the store | the document |
//! |---|---|
//! | has it | is pinned |
//! | works on it | is asked for again, after a wait |
//! | is busy, broken or silent | is sent again: when the store says so, or after a wait that doubles |
//! | refuses it, or names another identifier | fails: it would do so again |
mod kubo;
pub mod local;
pub mod opening;
mod pinning;

use std::time::Duration;

use axum::http::{HeaderMap, StatusCode, header};
use chrono::{DateTime, Utc};
use clap::{Args, ValueEnum};
use futures::future::BoxFuture;
use secrecy::SecretString;
use serde::de::DeserializeOwned;

use super::documents::MetadataDocument;
use crate::core::ground::telemetry::spans;

/// The longest answer of a store that is read, in bytes; a list of pins has some thousand.
const MAX_ANSWER_BYTES: usize = 1024 * 1024;
/// The longest reason that is kept of what a store answers, in characters.
const MAX_REASON: usize = 300;

/// The kinds of stores.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum StoreKind {
    /// A folder or a bucket that the service serves
    Local,
    /// An IPFS node that speaks Kubo's RPC
    Kubo,
    /// An IPFS node, and a service that pins what the node has
    PinningService,
}

impl StoreKind {
    /// The word for it in the database.
    pub fn word(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::Kubo => "kubo",
            Self::PinningService => "pinning-service",
        }
    }
}

/// Settings of the store.
#[derive(Args, Clone, Debug)]
pub struct MetadataStoreSettings {
    /// Where the metadata of NFTs is kept
    #[arg(long, env = "NFT_STORE", value_enum, default_value_t = StoreKind::Local)]
    pub nft_store: StoreKind,

    /// The place of the local store: a folder, which replicas share, or `s3://bucket`
    #[arg(long, env = "NFT_FOLDER", default_value = "nft-metadata")]
    pub nft_folder: String,

    /// The region of the bucket
    #[arg(long, env = "NFT_S3_REGION", default_value = "us-east-1")]
    pub nft_s3_region: String,

    /// A server that is compatible with S3, where it is not Amazon's: http(s)://host:port
    #[arg(long, env = "NFT_S3_ENDPOINT")]
    pub nft_s3_endpoint: Option<String>,

    /// The id of the key to the bucket
    #[arg(long, env = "NFT_S3_ACCESS_KEY_ID", hide_env_values = true)]
    pub nft_s3_access_key_id: Option<SecretString>,

    /// The key to the bucket
    #[arg(long, env = "NFT_S3_SECRET_ACCESS_KEY", hide_env_values = true)]
    pub nft_s3_secret_access_key: Option<SecretString>,

    /// Where wallets reach this service, for the addresses of the local store: scheme and host, a path prefix if there is one
    #[arg(long, env = "PUBLIC_URL", default_value = "http://127.0.0.1:8001", value_parser = public_url)]
    pub public_url: String,

    /// The RPC of the IPFS node, without a path
    #[arg(long, env = "IPFS_API_URL", default_value = "http://127.0.0.1:5001")]
    pub ipfs_api_url: reqwest::Url,

    /// The IPFS pinning service, with the path before /pins
    #[arg(long, env = "IPFS_PINNING_URL")]
    pub ipfs_pinning_url: Option<reqwest::Url>,

    /// The access token of the pinning service
    #[arg(long, env = "IPFS_PINNING_TOKEN", hide_env_values = true)]
    pub ipfs_pinning_token: Option<SecretString>,

    /// Addresses of the IPFS node from which the pinning service fetches, as multiaddresses, separated by commas
    #[arg(long, env = "IPFS_ORIGINS", value_delimiter = ',')]
    pub ipfs_origins: Vec<String>,
}

fn public_url(text: &str) -> Result<String, String> {
    let url: reqwest::Url = text.parse().map_err(|_| format!("{text} is no URL"))?;
    let is_plain = ["http", "https"].contains(&url.scheme()) && url.query().is_none() && url.fragment().is_none();
    let refusal = || format!("{text} is no address of http or https without a query");
    is_plain.then(|| text.trim_end_matches('/').to_owned()).ok_or_else(refusal)
}

/// What a store has done with a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PinReceipt {
    /// It keeps it.
    Pinned {
        /// What a pinning service calls the request.
        request: Option<String>,
    },
    /// It works on it under that name, and is to be asked again.
    Pending { request: String },
}

/// Why a store has not done what it was asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreFailure {
    /// It may do so later; not before that time has passed, where it said so.
    #[error("{reason}")]
    Later { reason: String, wait: Option<Duration> },
    /// It would never do so.
    #[error("{0}")]
    Refused(String),
    /// It does not know what it was asked about.
    #[error("{0}")]
    Unknown(String),
}

impl StoreFailure {
    /// What an answer that is no success means.
    fn of(status: StatusCode, headers: &HeaderMap, body: &str) -> Self {
        let reason: String = format!("the store answered {status}: {body}").trim().chars().take(MAX_REASON).collect();
        match status.as_u16() {
            // Without rights the settings are wrong, which an operator mends.
            401 | 403 | 408 | 425 | 429 | 500..=599 => Self::Later { reason, wait: retry_after(headers, Utc::now()) },
            404 => Self::Unknown(reason),
            _ => Self::Refused(reason),
        }
    }

    fn later(reason: impl Into<String>) -> Self {
        Self::Later { reason: reason.into(), wait: None }
    }
}

impl From<reqwest::Error> for StoreFailure {
    fn from(error: reqwest::Error) -> Self {
        // Without the URL, which may hold a key.
        Self::later(format!("{:#}", anyhow::Error::from(error.without_url())))
    }
}

/// A place where metadata is kept by its identifier.
pub trait MetadataStore: Send + Sync + 'static {
    /// Which kind it is.
    fn kind(&self) -> StoreKind;

    /// Keeps a document. `request` is what a pinning service called it in an earlier try.
    fn pin<'a>(
        &'a self,
        document: &'a MetadataDocument,
        request: Option<&'a str>,
    ) -> BoxFuture<'a, Result<PinReceipt, StoreFailure>>;

    /// Keeps a document no longer; without a failure when it has it not.
    fn remove<'a>(&'a self, cid: &'a str, request: Option<&'a str>) -> BoxFuture<'a, Result<(), StoreFailure>>;

    /// Where a document can be read.
    fn uri(&self, cid: &str) -> String;
}

/// The address of a document in IPFS.
fn ipfs_uri(cid: &str) -> String {
    format!("ipfs://{cid}")
}

/// How long a store asks to wait: seconds, or a time (RFC 9110, section 10.2.3).
fn retry_after(headers: &HeaderMap, now: DateTime<Utc>) -> Option<Duration> {
    let text = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let at = DateTime::parse_from_rfc2822(text).ok()?;
    Some((at.to_utc() - now).to_std().unwrap_or_default())
}

/// Sends a request; the text of a successful answer.
async fn ask(request: reqwest::RequestBuilder) -> Result<String, StoreFailure> {
    let mut answer = spans::call(request).await?;
    let (status, headers) = (answer.status(), answer.headers().clone());
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await? {
        if body.len() + chunk.len() > MAX_ANSWER_BYTES {
            return Err(StoreFailure::later("the answer is too long"));
        }
        body.extend_from_slice(&chunk);
    }
    let body = String::from_utf8_lossy(&body).into_owned();
    if status.is_success() { Ok(body) } else { Err(StoreFailure::of(status, &headers, &body)) }
}

/// Reads an answer. One that cannot be read is no store's, but most likely that of something in between.
fn read<T: DeserializeOwned>(body: &str) -> Result<T, StoreFailure> {
    serde_json::from_str(body).map_err(|cause| StoreFailure::later(format!("the answer cannot be read: {cause}")))
}
