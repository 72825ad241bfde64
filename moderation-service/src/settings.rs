//! Everything that the moderation service can be told from outside.
use clap::Parser;

use crate::core::security::Access;
use crate::core::settings::Base;
use crate::moderations::services::Analysis;

/// Reads posts and comments, and has those deleted that speak against themselves.
#[derive(Parser, Clone, Debug)]
#[command(name = "moderation-service", version)]
pub struct Settings {
    /// Port to listen on
    #[arg(long, env = "PORT", default_value_t = 8003)]
    pub port: u16,

    #[command(flatten)]
    pub base: Base,

    #[command(flatten)]
    pub security: Access,

    #[command(flatten)]
    pub analysis: Analysis,
}
