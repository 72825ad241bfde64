//! Everything that the interaction service can be told from outside.
use clap::Parser;

use crate::core::security::Access;
use crate::core::settings::Base;

/// Comments, reactions, views, and the NFT records of comments.
#[derive(Parser, Clone, Debug)]
#[command(name = "interaction-service", version)]
pub struct Settings {
    /// Port to listen on
    #[arg(long, env = "PORT", default_value_t = 8002)]
    pub port: u16,

    /// The post service, as a URL without a path
    #[arg(long, env = "POST_SERVICE_URL", default_value = "http://127.0.0.1:8001")]
    pub post_service_url: reqwest::Url,

    #[command(flatten)]
    pub base: Base,

    #[command(flatten)]
    pub security: Access,
}
