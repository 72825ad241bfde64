//! The settings of minting, and what its routes and workers work with.
use std::sync::Arc;

use clap::Args;

use super::chain::settings::{Chain, ChainSettings};
use super::comments::CommentSource;
use super::stores::local::LocalStore;
use super::stores::opening::open;
use super::stores::{MetadataStore, MetadataStoreSettings, StoreKind};
use crate::core::app::App;
use crate::pre_publish::Switch;

/// Settings of minting.
#[derive(Args, Clone, Debug)]
pub struct NftSettings {
    /// Whether authors can ask for their posts and comments to be minted
    #[arg(long, env = "MINTING", value_enum, default_value_t = Switch::Off)]
    pub minting: Switch,

    #[command(flatten)]
    pub store: MetadataStoreSettings,

    #[command(flatten)]
    pub chain: ChainSettings,
}

/// What the routes and workers of NFTs work with.
pub struct Nfts {
    pub is_on: bool,
    pub store: Arc<dyn MetadataStore>,
    /// The documents that this service serves; none when they are in IPFS.
    pub local: Option<LocalStore>,
    pub comments: CommentSource,
    /// The chain of the tokens; none where metadata is pinned and no token is made.
    pub chain: Option<Chain>,
}

impl Nfts {
    /// What the settings describe. It makes no call yet.
    pub fn open(app: &App, settings: &NftSettings) -> anyhow::Result<Arc<Self>> {
        let local =
            (settings.store.nft_store == StoreKind::Local).then(|| LocalStore::open(&settings.store)).transpose()?;
        Ok(Arc::new(Self {
            is_on: settings.minting == Switch::On,
            store: open(&settings.store, &app.http)?,
            local,
            comments: CommentSource::new(app),
            chain: settings.chain.open(&app.http)?,
        }))
    }
}
