//! The local store: a folder with a file per document, named by its identifier. The service serves it to all readers.
use std::io;
use std::path::{Path, PathBuf};

use futures::future::BoxFuture;
use tokio::fs;
use tokio::io::AsyncWriteExt;
use uuid::Uuid;

use super::{MetadataStore, MetadataStoreSettings, PinReceipt, StoreFailure, StoreKind};
use crate::nfts::documents::{MetadataDocument, cid_of};

/// The path below which documents are served.
const SERVED_AT: &str = "/api/v1/nfts/metadata/";

/// Documents in a folder.
#[derive(Clone, Debug)]
pub struct LocalStore {
    folder: PathBuf,
    public_url: String,
}

impl LocalStore {
    /// The store of the settings; its folder is made with the first document.
    pub fn new(settings: &MetadataStoreSettings) -> Self {
        Self { folder: settings.nft_folder.clone(), public_url: settings.public_url.clone() }
    }

    /// A document; none when it is not here, or is not what it was.
    pub async fn read(&self, cid: &str) -> io::Result<Option<Vec<u8>>> {
        match fs::read(self.folder.join(cid)).await {
            Ok(bytes) if cid_of(&bytes) == cid => Ok(Some(bytes)),
            Ok(_) => {
                tracing::error!(cid, "a document is not what its name says, and is not served");
                Ok(None)
            }
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(cause) => Err(cause),
        }
    }

    /// Writes a document so that, whenever the process or the machine dies, it is there whole or not at all.
    async fn write(&self, document: &MetadataDocument) -> io::Result<()> {
        fs::create_dir_all(&self.folder).await?;
        // Two replicas may write the same one at the same time.
        let unfinished = self.folder.join(format!(".{}", Uuid::now_v7()));
        let written = async {
            let mut file = fs::File::create_new(&unfinished).await?;
            file.write_all(&document.bytes).await?;
            file.sync_all().await?;
            fs::rename(&unfinished, self.folder.join(&document.cid)).await?;
            sync(&self.folder).await
        };
        let written = written.await;
        if written.is_err() {
            // The first error is the one to report; a file that was never made cannot be removed.
            drop(fs::remove_file(&unfinished).await);
        }
        written
    }
}

/// Makes the names in a folder durable.
async fn sync(folder: &Path) -> io::Result<()> {
    fs::File::open(folder).await?.sync_all().await
}

fn failure(cause: &io::Error) -> StoreFailure {
    StoreFailure::later(format!("the folder of the store: {cause}"))
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
        Box::pin(async move {
            match fs::remove_file(self.folder.join(cid)).await {
                Ok(()) => sync(&self.folder).await.map_err(|cause| failure(&cause)),
                Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(()),
                Err(cause) => Err(failure(&cause)),
            }
        })
    }

    fn uri(&self, cid: &str) -> String {
        format!("{}{SERVED_AT}{cid}", self.public_url)
    }
}
