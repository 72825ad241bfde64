//! The settings of the engagement service beside those of every service.
use clap::Args;
use tokio_cron_scheduler::Job;

use crate::feeds::settings::FeedSettings;
use crate::token_check::TokenCheck;

/// The settings that only this service has.
#[derive(Args, Clone, Debug)]
pub struct Settings {
    /// When scores are brought up to date with the calendar: second, minute, hour, day of month, month, day of week
    /// (UTC). The 30 days move at midnight; every hour, so that a service that was down then is not late for a day
    #[arg(long, env = "ENGAGEMENT_CRON", default_value = "0 5 * * * *", value_parser = schedule)]
    pub engagement_cron: String,

    #[command(flatten)]
    pub feeds: FeedSettings,

    #[command(flatten)]
    pub token_check: TokenCheck,
}

/// Validates a cron schedule, so that an invalid one is refused at the start and not when the job is due.
fn schedule(text: &str) -> Result<String, String> {
    Job::new(text, |_, _| {}).map(|_| text.to_owned()).map_err(|cause| cause.to_string())
}
