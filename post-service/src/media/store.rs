//! The store of files: a folder, or a bucket of S3 or a server compatible with it, behind one small interface.
//!
//! The key of an object is made of a blob's id. An object is written once, completely or not at all: a folder gets a file under a
//! temporary name that is renamed, a bucket a multipart upload that is completed. What a killed process leaves is a temporary
//! file or an incomplete upload that no reader sees; the sweep deletes the first, and a lifecycle rule of the bucket the second.
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use anyhow::Context;
use axum::body::Bytes;
use axum::http::header::CONTENT_TYPE;
use clap::Args;
use futures::stream::BoxStream;
use futures::{Stream, StreamExt, TryStreamExt};
use object_store::aws::AmazonS3Builder;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::signer::{HeaderValue, Method, SignedUrlOptions, Signer};
use object_store::{
    ClientOptions, GetOptions, GetRange, ObjectMeta, ObjectStore, ObjectStoreExt, RetryConfig, WriteMultipart,
};
use secrecy::{ExposeSecret, SecretString};
use uuid::Uuid;

/// The part of an upload that is in memory, in bytes. A bucket takes no smaller one than 5 MiB, but as the last.
const S3_PART: usize = 5 * 1024 * 1024;
const FOLDER_PART: usize = 256 * 1024;
/// How long one request of a bucket may take; a part of an upload is 5 MiB.
const S3_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a request of a bucket is tried again: less than a client waits.
const S3_RETRIES: Duration = Duration::from_secs(8);
/// Beneath it are all objects.
const ROOT: &str = "objects";

/// Beneath it is what clients write themselves, until it is taken over.
const INCOMING: &str = "incoming";
/// The type of what clients write themselves: one that no browser shows, should the bucket be open to the web.
pub const UPLOAD_TYPE: &str = "application/octet-stream";

/// Where pictures are stored.
#[derive(Args, Clone, Debug)]
#[expect(clippy::struct_field_names, reason = "the names of settings")]
pub struct StoreSettings {
    /// Where pictures are stored: a folder, or `s3://bucket`
    #[arg(long, env = "MEDIA_STORE", default_value = "data/media")]
    pub media_store: String,

    /// The region of the bucket
    #[arg(long, env = "MEDIA_S3_REGION", default_value = "us-east-1")]
    pub media_s3_region: String,

    /// A server that is compatible with S3, where it is not Amazon's: http(s)://host:port
    #[arg(long, env = "MEDIA_S3_ENDPOINT")]
    pub media_s3_endpoint: Option<String>,

    /// The same server as clients reach it, for direct uploads; the same address when it is not given
    #[arg(long, env = "MEDIA_S3_PUBLIC_ENDPOINT")]
    pub media_s3_public_endpoint: Option<String>,

    /// The id of the key to the bucket
    #[arg(long, env = "MEDIA_S3_ACCESS_KEY_ID", hide_env_values = true)]
    pub media_s3_access_key_id: Option<SecretString>,

    /// The key to the bucket
    #[arg(long, env = "MEDIA_S3_SECRET_ACCESS_KEY", hide_env_values = true)]
    pub media_s3_secret_access_key: Option<SecretString>,
}

/// The store of files.
#[derive(Clone, Debug)]
pub struct Store {
    objects: Arc<dyn ObjectStore>,
    /// The folder, where it is one.
    folder: Option<PathBuf>,
    /// What signs addresses to which clients write, where it is a bucket.
    signer: Option<Arc<dyn Signer>>,
}

/// An object that is being written. Dropped without [`NewObject::finish`] it was never there.
pub struct NewObject {
    key: Path,
    upload: WriteMultipart,
}

/// An object in a listing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoredObject {
    /// The id that its key is made of.
    pub id: Uuid,
    pub bytes: u64,
    pub age: Duration,
}

fn key(blob: Uuid) -> Path {
    Path::from(format!("{}/{}", shelf(shelf_of(blob)), blob.simple()))
}

/// The shelf of an object. The end of an id is random, its beginning is the time: shelves fill evenly.
fn shelf_of(blob: Uuid) -> u8 {
    blob.as_bytes()[15]
}

fn shelf(number: u8) -> Path {
    Path::from(format!("{ROOT}/{number:02x}"))
}

fn incoming_key(upload: Uuid) -> Path {
    Path::from(format!("{INCOMING}/{}", upload.simple()))
}

/// The objects of a listing whose names are ids.
fn objects(
    listing: BoxStream<'static, object_store::Result<ObjectMeta>>,
) -> impl Stream<Item = object_store::Result<StoredObject>> {
    let now = SystemTime::now();
    listing.try_filter_map(move |object| async move {
        let age = now.duration_since(object.last_modified.into()).unwrap_or_default();
        let id = object.location.filename().and_then(|name| Uuid::try_parse(name).ok());
        Ok(id.map(|id| StoredObject { id, bytes: object.size, age }))
    })
}

impl Store {
    /// The store that the settings name; a folder is made when it is missing.
    pub fn open(settings: &StoreSettings) -> anyhow::Result<Self> {
        let Some(bucket) = settings.media_store.strip_prefix("s3://") else {
            let folder = PathBuf::from(&settings.media_store);
            std::fs::create_dir_all(&folder).with_context(|| format!("MEDIA_STORE: {}", folder.display()))?;
            let objects = LocalFileSystem::new_with_prefix(&folder)?.with_automatic_cleanup(false);
            // A row is committed after its file, and must not survive a power failure that its file does not.
            let objects = objects.with_fsync(true);
            return Ok(Self { objects: Arc::new(objects), folder: Some(folder), signer: None });
        };
        let retries = RetryConfig { max_retries: 3, retry_timeout: S3_RETRIES, ..RetryConfig::default() };
        let mut s3 = AmazonS3Builder::new()
            .with_bucket_name(bucket)
            .with_region(&settings.media_s3_region)
            .with_client_options(ClientOptions::new().with_timeout(S3_TIMEOUT))
            .with_retry(retries);
        if let Some(id) = &settings.media_s3_access_key_id {
            s3 = s3.with_access_key_id(id.expose_secret());
        }
        if let Some(key) = &settings.media_s3_secret_access_key {
            s3 = s3.with_secret_access_key(key.expose_secret());
        }
        let at = |endpoint: Option<&String>| match endpoint {
            Some(endpoint) => s3.clone().with_endpoint(endpoint).with_allow_http(endpoint.starts_with("http://")),
            None => s3.clone(),
        };
        let private = settings.media_s3_endpoint.as_ref();
        let objects = Arc::new(at(private).build().context("MEDIA_STORE")?);
        let signer = at(settings.media_s3_public_endpoint.as_ref().or(private)).build().context("MEDIA_STORE")?;
        Ok(Self { objects, folder: None, signer: Some(Arc::new(signer)) })
    }

    /// Begins to write an object.
    pub async fn create(&self, blob: Uuid) -> object_store::Result<NewObject> {
        let key = key(blob);
        let part = if self.folder.is_some() { FOLDER_PART } else { S3_PART };
        let upload = self.objects.put_multipart(&key).await?;
        Ok(NewObject { key, upload: WriteMultipart::new_with_chunk_size(upload, part) })
    }

    /// Writes an object whose content is in memory.
    pub async fn put(&self, blob: Uuid, content: Bytes) -> object_store::Result<()> {
        self.objects.put(&key(blob), content.into()).await?;
        Ok(())
    }

    /// The whole content of an object.
    pub async fn read(&self, blob: Uuid) -> object_store::Result<Bytes> {
        self.objects.get(&key(blob)).await?.bytes().await
    }

    /// The content of an object, or of a part of it, piece by piece.
    pub async fn stream(
        &self,
        blob: Uuid,
        part: Option<Range<u64>>,
    ) -> object_store::Result<BoxStream<'static, object_store::Result<Bytes>>> {
        let options = GetOptions { range: part.map(GetRange::Bounded), ..GetOptions::default() };
        Ok(self.objects.get_opts(&key(blob), options).await?.into_stream())
    }

    /// Deletes an object; one that is not there is deleted. In a folder that has no objects at all nothing is known of it: that is the
    /// place of a disk that is not mounted.
    pub async fn delete(&self, blob: Uuid) -> object_store::Result<()> {
        let is_away = || self.folder.as_ref().is_some_and(|folder| !folder.join(ROOT).is_dir());
        match self.objects.delete(&key(blob)).await {
            Err(object_store::Error::NotFound { .. }) if !is_away() => Ok(()),
            outcome => outcome,
        }
    }

    /// An address to which a client can write a file for a while; none where the store cannot sign. The signature does not bind the
    /// length, which is looked at when the file is taken over.
    pub async fn sign_upload(&self, upload: Uuid, lifetime: Duration) -> Option<object_store::Result<String>> {
        let signer = self.signer.as_ref()?;
        let options = SignedUrlOptions::new().with_signed_header(CONTENT_TYPE, HeaderValue::from_static(UPLOAD_TYPE));
        let url = signer.signed_url_opts(Method::PUT, &incoming_key(upload), lifetime, &options).await;
        Some(url.map(String::from))
    }

    /// The bytes of what a client has written; none when it has written nothing.
    pub async fn incoming_size(&self, upload: Uuid) -> object_store::Result<Option<u64>> {
        match self.objects.head(&incoming_key(upload)).await {
            Ok(found) => Ok(Some(found.size)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(cause) => Err(cause),
        }
    }

    /// Copies what a client has written to a blob, which no client can write to.
    pub async fn take_over(&self, upload: Uuid, blob: Uuid) -> object_store::Result<()> {
        self.objects.copy(&incoming_key(upload), &key(blob)).await
    }

    /// Deletes what a client has written; nothing is deleted, too.
    pub async fn delete_incoming(&self, upload: Uuid) -> object_store::Result<()> {
        match self.objects.delete(&incoming_key(upload)).await {
            Err(object_store::Error::NotFound { .. }) => Ok(()),
            outcome => outcome,
        }
    }

    /// Objects that come after one in the order of keys, none: from the first on; fewer than `most` when there are no more. A folder
    /// lists its files in no order, so of it whole shelves are listed: each file is looked at once, however many there are.
    pub async fn list(&self, after: Option<Uuid>, most: usize) -> object_store::Result<Vec<StoredObject>> {
        if self.folder.is_none() {
            return self.list_bucket(ROOT, after.map(key), most).await;
        }
        let mut listed = Vec::new();
        for number in (0..=u8::MAX).filter(|number| after.is_none_or(|blob| *number > shelf_of(blob))) {
            let mut beneath: Vec<StoredObject> = objects(self.objects.list(Some(&shelf(number)))).try_collect().await?;
            beneath.sort_unstable_by_key(|object| object.id);
            listed.append(&mut beneath);
            if listed.len() >= most {
                break;
            }
        }
        Ok(listed)
    }

    /// The same of what clients have written themselves, which in a folder is nothing.
    pub async fn list_incoming(&self, after: Option<Uuid>, most: usize) -> object_store::Result<Vec<StoredObject>> {
        if self.folder.is_some() {
            return Ok(Vec::new());
        }
        self.list_bucket(INCOMING, after.map(incoming_key), most).await
    }

    /// A bucket is listed in the order of keys.
    async fn list_bucket(
        &self,
        root: &str,
        after: Option<Path>,
        most: usize,
    ) -> object_store::Result<Vec<StoredObject>> {
        let root = Path::from(root);
        let listing = match after {
            Some(after) => self.objects.list_with_offset(Some(&root), &after),
            None => self.objects.list(Some(&root)),
        };
        objects(listing).take(most).try_collect().await
    }

    /// Deletes the temporary files of uploads that ended longer ago without their end; how many there were.
    pub async fn delete_temporary(&self, age: Duration) -> anyhow::Result<u64> {
        let Some(folder) = self.folder.clone() else { return Ok(0) };
        tokio::task::spawn_blocking(move || delete_temporary(&folder.join(ROOT), age)).await?
    }
}

/// The files of a folder that are no objects: the writer of one has another name than a key until it is complete.
fn delete_temporary(root: &std::path::Path, age: Duration) -> anyhow::Result<u64> {
    let mut deleted = 0;
    if !root.exists() {
        return Ok(0);
    }
    for shelf in std::fs::read_dir(root)? {
        for file in std::fs::read_dir(shelf?.path())? {
            let file = file?;
            let is_object = file.file_name().to_str().is_some_and(|name| Uuid::try_parse(name).is_ok());
            let old = file.metadata()?.modified()?.elapsed().unwrap_or_default() >= age;
            if !is_object && old {
                std::fs::remove_file(file.path())?;
                deleted += 1;
            }
        }
    }
    Ok(deleted)
}

impl NewObject {
    /// Writes a piece, as soon as the store has taken enough of those before.
    pub async fn write(&mut self, piece: Bytes) -> object_store::Result<()> {
        // One part is on its way while the next one fills.
        self.upload.wait_for_capacity(1).await?;
        self.upload.put(piece);
        Ok(())
    }

    /// The object is there.
    pub async fn finish(self) -> object_store::Result<()> {
        self.upload.finish().await.map(drop)
    }

    /// Nothing is left of it.
    pub async fn abort(self) {
        if let Err(cause) = self.upload.abort().await {
            tracing::warn!(key = %self.key, error = %cause, "an upload was not taken back; the sweep does it");
        }
    }
}
