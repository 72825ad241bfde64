//! The local store: an object for each document, named by its identifier, in a folder or a bucket of S3. The service serves it to all
//! readers.
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use axum::body::Bytes;
use futures::future::BoxFuture;
use object_store::aws::AmazonS3Builder;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{ClientOptions, Error as ObjectError, ObjectStore, ObjectStoreExt, RetryConfig};
use secrecy::ExposeSecret;

use super::{MetadataStore, MetadataStoreSettings, PinReceipt, StoreFailure, StoreKind};
use crate::nfts::documents::{MetadataDocument, cid_of};

/// The path below which documents are served.
const SERVED_AT: &str = "/api/v1/nfts/metadata/";
/// Beneath it are all documents of a bucket, which may have other objects.
const ROOT: &str = "nft-metadata";
/// How long a call of a bucket may take, as one of the other stores.
const TIMEOUT: Duration = Duration::from_secs(5);
/// How long one is tried again at once; what fails then is tried again later.
const RETRIES: Duration = Duration::from_secs(5);

/// Documents in a folder or a bucket.
#[derive(Clone, Debug)]
pub struct LocalStore {
    place: DocumentPlace,
    public_url: String,
}

#[derive(Clone, Debug)]
enum DocumentPlace {
    Folder(PathBuf),
    Bucket(Arc<dyn ObjectStore>),
}

impl LocalStore {
    /// The store of the settings. A folder is made with the first document, since not every installation mints.
    pub fn open(settings: &MetadataStoreSettings) -> anyhow::Result<Self> {
        let place = match settings.nft_folder.strip_prefix("s3://") {
            Some(bucket) => DocumentPlace::Bucket(open_bucket(bucket, settings).context("NFT_FOLDER")?),
            None => DocumentPlace::Folder(PathBuf::from(&settings.nft_folder)),
        };
        Ok(Self { place, public_url: settings.public_url.clone() })
    }

    /// A document; none when it is not here, or is not what it was.
    pub async fn read(&self, cid: &str) -> anyhow::Result<Option<Bytes>> {
        let (objects, key) = match &self.place {
            DocumentPlace::Folder(folder) if !folder.is_dir() => return Ok(None),
            _ => self.locate(cid)?,
        };
        let read = async { objects.get(&key).await?.bytes().await };
        match read.await {
            Ok(bytes) if cid_of(&bytes) == cid => Ok(Some(bytes)),
            Ok(_) => {
                tracing::error!(cid, "a document is not what its name says, and is not served");
                Ok(None)
            }
            Err(ObjectError::NotFound { .. }) => Ok(None),
            Err(cause) => Err(cause.into()),
        }
    }

    /// Where a document is: in which objects, and under which key. Written whole or not at all, whenever the process or the machine dies: a
    /// file gets another name first, and is durable before it is renamed.
    fn locate(&self, cid: &str) -> anyhow::Result<(Arc<dyn ObjectStore>, Path)> {
        match &self.place {
            DocumentPlace::Bucket(objects) => Ok((objects.clone(), Path::from(format!("{ROOT}/{cid}")))),
            DocumentPlace::Folder(folder) => {
                std::fs::create_dir_all(folder)?;
                let objects = LocalFileSystem::new_with_prefix(folder)?.with_fsync(true);
                Ok((Arc::new(objects), Path::from(cid)))
            }
        }
    }

    async fn write(&self, document: &MetadataDocument) -> anyhow::Result<()> {
        let (objects, key) = self.locate(&document.cid)?;
        objects.put(&key, Bytes::copy_from_slice(&document.bytes).into()).await?;
        Ok(())
    }

    async fn delete(&self, cid: &str) -> anyhow::Result<()> {
        let (objects, key) = self.locate(cid)?;
        match objects.delete(&key).await {
            Err(ObjectError::NotFound { .. }) => Ok(()),
            outcome => Ok(outcome?),
        }
    }
}

fn open_bucket(bucket: &str, settings: &MetadataStoreSettings) -> anyhow::Result<Arc<dyn ObjectStore>> {
    let retries = RetryConfig { max_retries: 2, retry_timeout: RETRIES, ..RetryConfig::default() };
    let mut s3 = AmazonS3Builder::new()
        .with_bucket_name(bucket)
        .with_region(&settings.nft_s3_region)
        .with_client_options(ClientOptions::new().with_timeout(TIMEOUT))
        .with_retry(retries);
    if let Some(id) = &settings.nft_s3_access_key_id {
        s3 = s3.with_access_key_id(id.expose_secret());
    }
    if let Some(key) = &settings.nft_s3_secret_access_key {
        s3 = s3.with_secret_access_key(key.expose_secret());
    }
    if let Some(endpoint) = &settings.nft_s3_endpoint {
        s3 = s3.with_endpoint(endpoint).with_allow_http(endpoint.starts_with("http://"));
    }
    Ok(Arc::new(s3.build()?))
}

fn failure(cause: &anyhow::Error) -> StoreFailure {
    StoreFailure::later(format!("the store of metadata: {cause:#}"))
}

impl MetadataStore for LocalStore {
    fn kind(&self) -> StoreKind {
        StoreKind::Local
    }

    fn pin<'a>(
        &'a self,
        document: &'a MetadataDocument,
        _: Option<&'a str>,
    ) -> BoxFuture<'a, Result<PinReceipt, StoreFailure>> {
        Box::pin(async move {
            self.write(document).await.map_err(|cause| failure(&cause))?;
            Ok(PinReceipt::Pinned { request: None })
        })
    }

    fn remove<'a>(&'a self, cid: &'a str, _: Option<&'a str>) -> BoxFuture<'a, Result<(), StoreFailure>> {
        Box::pin(async move { self.delete(cid).await.map_err(|cause| failure(&cause)) })
    }

    fn uri(&self, cid: &str) -> String {
        format!("{}{SERVED_AT}{cid}", self.public_url)
    }
}
