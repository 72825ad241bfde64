//! Everything that the post service can be told from outside.
use clap::Parser;

use crate::core::security::Access;
use crate::core::settings::Base;

/// Posts, their search and their NFT records.
#[derive(Parser, Clone, Debug)]
#[command(name = "post-service", version)]
pub struct Settings {
    /// Port to listen on
    #[arg(long, env = "PORT", default_value_t = 8001)]
    pub port: u16,

    #[command(flatten)]
    pub base: Base,

    #[command(flatten)]
    pub security: Access,
}
