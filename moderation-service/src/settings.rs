//! The settings of the moderation service beside those of every service.
use clap::Args;

use crate::expiry::Removal;
use crate::moderations::services::Analysis;
use crate::reports::services::ReportSettings;
use crate::stats::services::StatsSettings;
use crate::strikes::services::Ladder;
use crate::token_check::TokenCheck;

/// The settings that only this service has.
#[derive(Args, Clone, Debug)]
pub struct Settings {
    #[command(flatten)]
    pub token_check: TokenCheck,

    #[command(flatten)]
    pub analysis: Analysis,

    #[command(flatten)]
    pub reports: ReportSettings,

    #[command(flatten)]
    pub stats: StatsSettings,

    #[command(flatten)]
    pub ladder: Ladder,

    #[command(flatten)]
    pub removal: Removal,
}
