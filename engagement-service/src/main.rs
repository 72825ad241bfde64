//! The engagement service: the activity of each user, and an engagement score from it.
mod blocks;
mod comments;
mod core;
mod feeds;
mod follows;
mod joined;
mod mutes;
mod notifications;
mod people;
mod personal_data;
mod posts;
mod profiles;
mod reactions;
mod settings;
mod token_check;

#[cfg(test)]
mod matrix;

use clap::{Args, FromArgMatches};

use crate::core::serve::{self, Features, Service};
use crate::feeds::Feeds;
use crate::feeds::explore::schedulers::EditionWorker;
use crate::feeds::fan_out::schedulers::{FeedBacklogGauges, FeedWorker};
use crate::settings::Settings;

static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!();

static SERVICE: Service = Service {
    name: "engagement-service",
    description: "The activity of each user, and an engagement score from it.",
    port: 8004,
    schema: "engagement",
    group: "engagement_group",
    publishes: &[profiles::events::LEVEL_CHANGED, personal_data::USER_ERASED],
    migrations: &MIGRATIONS,
    scheme: token_check::scheme,
    limits: &[profiles::READ_PROFILE_LIMIT, feeds::READ_FEED_LIMIT, mutes::MUTE_LIMIT, mutes::LIST_MUTES_LIMIT],
    personal_data: personal_data::PERSONAL_DATA,
    erasure: personal_data::ERASURE,
    settings: Settings::augment_args,
    authenticator: token_check::authenticator,
    features: |app, arguments| {
        let settings = Settings::from_arg_matches(arguments)?;
        let feeds = Feeds::open(app, settings.feeds)?;
        let routes = profiles::router().merge(mutes::router()).with_state(app.clone());
        Ok(Features {
            routes: routes.merge(feeds::router().with_state(feeds.clone())),
            // The order is that of locks: profiles, then the counts of posts, then the jobs of feeds.
            subscriptions: joined::joined(vec![
                profiles::events::consumers::subscriptions(),
                people::events::consumers::subscriptions(),
                follows::events::consumers::subscriptions(),
                blocks::events::subscriptions(),
                posts::events::consumers::subscriptions(),
                comments::events::consumers::subscriptions(),
                reactions::events::consumers::subscriptions(),
                feeds::events::consumers::subscriptions(),
            ]),
            jobs: vec![profiles::schedulers::job(app, settings.engagement_cron)],
            background: Some(Box::new(move |app| {
                app.start_after_commits("feeds", FeedWorker(feeds.clone()));
                app.start("backlog of feeds", FeedBacklogGauges(feeds));
                app.start("editions of explore", EditionWorker(app.clone()));
            })),
            ..Features::default()
        })
    },
};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    serve::run(&SERVICE, &SERVICE.arguments()?).await
}
