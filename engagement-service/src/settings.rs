//! Everything that the engagement service can be told from outside.
use clap::Parser;
use tokio_cron_scheduler::Job;

use crate::core::security::Access;
use crate::core::settings::Base;

/// Activity profiles: what people did, and how engaged that makes them.
#[derive(Parser, Clone, Debug)]
#[command(name = "engagement-service", version)]
pub struct Settings {
    /// Port to listen on
    #[arg(long, env = "PORT", default_value_t = 8004)]
    pub port: u16,

    /// When scores are brought up to date with the calendar: second, minute, hour, day of month, month, day of week
    /// (UTC). The 30 days move at midnight; every hour, so that a service that was down then is not late for a day
    #[arg(long, env = "ENGAGEMENT_CRON", default_value = "0 5 * * * *", value_parser = schedule)]
    pub engagement_cron: String,

    #[command(flatten)]
    pub base: Base,

    #[command(flatten)]
    pub security: Access,
}

/// A schedule that the clock can follow; what it cannot is refused at the start and not at the first stroke.
fn schedule(text: &str) -> Result<String, String> {
    Job::new(text, |_, _| {}).map(|_| text.to_owned()).map_err(|cause| cause.to_string())
}
