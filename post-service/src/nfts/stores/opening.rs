//! Opens the store that the settings describe.
use std::sync::Arc;

use anyhow::Context;

use super::kubo::KuboStore;
use super::local::LocalStore;
use super::pinning::PinningStore;
use super::{MetadataStore, MetadataStoreSettings, StoreKind};

/// The store that the settings describe. It makes no call yet.
pub fn open(settings: &MetadataStoreSettings, http: &reqwest::Client) -> anyhow::Result<Arc<dyn MetadataStore>> {
    let kubo = KuboStore::new(&settings.ipfs_api_url, http)?;
    Ok(match settings.nft_store {
        StoreKind::Local => Arc::new(LocalStore::open(settings)?),
        StoreKind::Kubo => Arc::new(kubo),
        StoreKind::PinningService => {
            let url = settings.ipfs_pinning_url.as_ref();
            let url = url.context("NFT_STORE=pinning-service needs IPFS_PINNING_URL")?;
            let token = settings.ipfs_pinning_token.clone();
            let token = token.context("NFT_STORE=pinning-service needs IPFS_PINNING_TOKEN")?;
            Arc::new(PinningStore::new(kubo, url, token, settings.ipfs_origins.clone(), http))
        }
    })
}
