//! The settings of the moderation service beside those of every service.
use std::path::PathBuf;

use clap::Args;

use crate::analyses::settings::AnalysisSettings;
use crate::expiry::Removal;
use crate::moderations::services::Analysis;
use crate::perspective::PerspectiveSettings;
use crate::pictures::nudity::services::NuditySettings;
use crate::pictures::services::PictureSettings;
use crate::reports::services::ReportSettings;
use crate::shadow::services::ShadowSettings;
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
    pub analyses: AnalysisSettings,

    /// The file of another text model than the shipped one; `off`: none, so that the word lists decide alone
    #[arg(long, env = "MODERATION_MODEL")]
    pub moderation_model: Option<PathBuf>,

    #[command(flatten)]
    pub shadow: ShadowSettings,

    #[command(flatten)]
    pub pictures: PictureSettings,

    #[command(flatten)]
    pub nudity: NuditySettings,

    #[command(flatten)]
    pub ladder: Ladder,

    #[command(flatten)]
    pub removal: Removal,

    #[command(flatten)]
    pub perspective: PerspectiveSettings,
}
