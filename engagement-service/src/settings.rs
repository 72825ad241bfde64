//! The settings of the engagement service beside those of every service.
use std::time::Duration;

use clap::{Args, Subcommand};
use tokio_cron_scheduler::Job;
use tonic::transport::Endpoint;

use crate::backfill::graph::parse_address;
use crate::feeds::settings::FeedSettings;
use crate::home::settings::HomeSettings;
use crate::post_recommendations::settings::RecommendationSettings;
use crate::push::channels::PushSettings;
use crate::taste::settings::TasteSettings;
use crate::token_check::TokenCheck;
use crate::unsubscribe::services::LinkSettings;

/// The settings that only this service has.
#[derive(Args, Clone, Debug)]
pub struct Settings {
    /// When scores are brought up to date with the calendar: second, minute, hour, day of month, month, day of week
    /// (UTC). The 30 days move at midnight; every hour, so that a service that was down then is not late for a day
    #[arg(long, env = "ENGAGEMENT_CRON", default_value = "0 5 * * * *", value_parser = schedule)]
    pub engagement_cron: String,

    /// When everyone's recommended people are computed anew, a batch at a time: in the format of `ENGAGEMENT_CRON`
    #[arg(long, env = "RECOMMENDED_PEOPLE_CRON", default_value = "0 40 2 * * *", value_parser = schedule)]
    pub recommended_people_cron: String,

    /// Seconds between two signs of life on a stream of notifications, from 1 to 60, of which more than 30 are as 30. Its token is
    /// checked three times as often, and every five seconds at least, so that a stream ends within ten seconds of its session
    #[arg(long, env = "STREAM_HEARTBEAT", default_value_t = 15, value_parser = clap::value_parser!(u64).range(1..=60))]
    pub stream_heartbeat: u64,

    /// When a pass over the posts of the last 30 days begins that finds similar ones, for recommendations: a schedule as above. One
    /// that is under way goes on
    #[arg(long, env = "SIMILAR_POSTS_CRON", default_value = "0 20 * * * *", value_parser = schedule)]
    pub similar_posts_cron: String,

    /// When a round begins that notifies people of posts that they may like and of people they may know: a schedule as above. Each has one
    /// digest of both a week at most, however often a round begins
    #[arg(long, env = "POST_DIGEST_CRON", default_value = "0 0 0 * * Mon", value_parser = schedule)]
    pub post_digest_cron: String,

    /// Where the auth service streams connections by gRPC, for a rebuild: its `INTERNAL_PORT` as <http://host:port>. Without it
    /// they are read by its routes, as all else is
    #[arg(long, env = "GRAPH_VIEW_URL", value_parser = parse_address)]
    pub graph_view_url: Option<Endpoint>,

    #[command(flatten)]
    pub post_recommendations: RecommendationSettings,

    #[command(flatten)]
    pub feeds: FeedSettings,

    #[command(flatten)]
    pub home: HomeSettings,

    #[command(flatten)]
    pub push: PushSettings,

    #[command(flatten)]
    pub taste: TasteSettings,

    #[command(flatten)]
    pub links: LinkSettings,

    #[command(flatten)]
    pub token_check: TokenCheck,

    #[command(subcommand)]
    pub command: Option<Command>,
}

/// What is done instead of serving.
#[derive(Subcommand, Clone, Debug)]
pub enum Command {
    /// Fill the read model anew from the other services; the running replicas do it, or the next one that starts
    Rebuild,
    /// Save what people listen to from standard input, a line of JSON for each, where no linked account says it
    ImportTastes,
}

impl Settings {
    /// The time between two signs of life on a stream.
    pub fn stream_heartbeat(&self) -> Duration {
        Duration::from_secs(self.stream_heartbeat.min(30))
    }
}

/// Validates a cron schedule, so that an invalid one is refused at the start and not when the job is due.
fn schedule(text: &str) -> Result<String, String> {
    Job::new(text, |_, _| {}).map(|_| text.to_owned()).map_err(|cause| cause.to_string())
}
