//! What the routes and workers of pictures work with: the store, the addresses, the limits; and the settings of them.
use std::sync::Arc;

use clap::Args;
use rand::RngExt;
use secrecy::{ExposeSecret, SecretString};

use super::grants::MediaUrls;
use super::store::{Store, StoreSettings};
use crate::core::ground::settings::Base;

/// The settings of pictures.
#[derive(Args, Clone, Debug)]
pub struct MediaSettings {
    #[command(flatten)]
    pub store: StoreSettings,

    /// Bytes of one picture at most
    #[arg(long, env = "MEDIA_MAX_BYTES", default_value_t = 10 * 1024 * 1024, value_parser = clap::value_parser!(u64).range(1_024..=104_857_600))]
    pub media_max_bytes: u64,

    /// Bytes that a person may have uploaded and not deleted
    #[arg(long, env = "MEDIA_QUOTA_BYTES", default_value_t = 1024 * 1024 * 1024, value_parser = clap::value_parser!(i64).range(1..))]
    pub media_quota_bytes: i64,

    /// From which the key that signs addresses of pictures is derived; `SERVICE_TOKEN` when it is not given
    #[arg(long, env = "MEDIA_SECRET", hide_env_values = true)]
    pub media_secret: Option<SecretString>,

    /// What is put before the paths of pictures: <https://pictures.example>; empty: they have the origin of the API
    #[arg(long, env = "MEDIA_URL", default_value = "")]
    pub media_url: String,
}

/// What is needed to work with pictures.
pub struct MediaLibrary {
    pub store: Store,
    pub urls: MediaUrls,
    pub max_bytes: u64,
    pub quota_bytes: i64,
}

impl MediaLibrary {
    /// The library that the settings describe.
    pub fn open(settings: &MediaSettings, base: &Base) -> anyhow::Result<Arc<Self>> {
        if let Some(secret) = &settings.media_secret {
            base.environment.check_secret("MEDIA_SECRET", secret.expose_secret())?;
        }
        let secret = settings.media_secret.as_ref().or(base.service_token.as_ref());
        let urls = if let Some(secret) = secret {
            MediaUrls::new(&settings.media_url, secret)?
        } else {
            tracing::info!("without MEDIA_SECRET and SERVICE_TOKEN, addresses of pictures end with this process");
            let random: [u8; 16] = rand::rng().random();
            MediaUrls::new(&settings.media_url, &format!("{random:?}").into())?
        };
        let (max_bytes, quota_bytes) = (settings.media_max_bytes, settings.media_quota_bytes);
        Ok(Arc::new(Self { store: Store::open(&settings.store)?, urls, max_bytes, quota_bytes }))
    }
}
