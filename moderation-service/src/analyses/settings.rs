//! The settings of the analysis.
use clap::Args;

/// What contents are compared with, and how fast all of them are read again.
#[derive(Args, Clone, Debug)]
pub struct AnalysisSettings {
    /// How many hours back near-duplicates of a text are looked for
    #[arg(long, env = "MODERATION_DUPLICATE_WINDOW", default_value_t = 24, value_parser = clap::value_parser!(u32).range(1..=720))]
    pub moderation_duplicate_window: u32,

    /// How many contents a second are read again at most, after `moderation-service reanalyse`
    #[arg(long, env = "MODERATION_REANALYSIS_RATE", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub moderation_reanalysis_rate: u32,
}

impl AnalysisSettings {
    /// The window of near-duplicates, in hours.
    pub fn window(&self) -> f64 {
        f64::from(self.moderation_duplicate_window)
    }
}
