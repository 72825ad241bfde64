//! The settings of the post service beside those of every service.
use clap::{Args, Subcommand};

use crate::media::library::MediaSettings;
use crate::nfts::chain::commands::Deployment;
use crate::nfts::state::NftSettings;
use crate::pre_publish::PrePublishSettings;
use crate::quotas::QuotaSettings;
use crate::token_check::TokenCheck;

/// The settings that only this service has.
#[derive(Args, Clone, Debug)]
pub struct Settings {
    #[command(flatten)]
    pub token_check: TokenCheck,

    #[command(flatten)]
    pub quota: QuotaSettings,

    #[command(flatten)]
    pub media: MediaSettings,

    #[command(flatten)]
    pub pre_publish: PrePublishSettings,

    #[command(flatten)]
    pub nfts: NftSettings,

    #[command(subcommand)]
    pub command: Option<Command>,
}

/// What is done instead of serving.
#[derive(Subcommand, Clone, Debug)]
pub enum Command {
    /// Deploy the contract of NFTs on the chain of the settings, and print its address
    DeployContract(Deployment),
}
