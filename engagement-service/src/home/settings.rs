//! The setting of home feeds.

/// How much is mixed into home feeds.
#[derive(clap::Args, Clone, Copy, Debug)]
pub struct HomeSettings {
    /// Posts of a home feed behind each of which a recommended one is shown, marked as such, 1 to 200; 0: none are
    #[arg(long, env = "FEED_RECOMMENDATIONS_EVERY", default_value_t = 0, value_parser = clap::value_parser!(u8).range(0..=200))]
    pub feed_recommendations_every: u8,
}
