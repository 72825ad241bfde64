//! The settings of the interaction service beside those of every service.
use clap::Args;

use crate::post_service::PostServiceSettings;
use crate::post_views::ViewWindow;
use crate::pre_publish::PrePublishSettings;
use crate::quotas::QuotaSettings;
use crate::reactions::partitions::PartitionSize;
use crate::token_check::TokenCheck;

/// The settings that only this service has.
#[derive(Args, Clone, Debug)]
pub struct Settings {
    #[command(flatten)]
    pub post_service: PostServiceSettings,

    #[command(flatten)]
    pub token_check: TokenCheck,

    #[command(flatten)]
    pub quota: QuotaSettings,

    #[command(flatten)]
    pub pre_publish: PrePublishSettings,

    #[command(flatten)]
    pub views: ViewWindow,

    #[command(flatten)]
    pub partitions: PartitionSize,
}
