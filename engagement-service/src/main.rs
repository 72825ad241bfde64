//! The engagement service: the activity of each user, and an engagement score from it.
mod blocks;
mod comments;
mod core;
mod follows;
mod joined;
mod notifications;
mod people;
mod personal_data;
mod posts;
mod profiles;
mod reactions;
mod settings;
mod streams;
mod system_messages;
mod token_check;

#[cfg(test)]
mod matrix;

use clap::{Args, FromArgMatches};

use crate::core::app::App;
use crate::core::serve::{self, Features, Service};
use crate::notifications::schedulers::Dispatcher;
use crate::settings::Settings;
use crate::streams::schedulers::Announcer;
use crate::system_messages::schedulers::MessageWriter;

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
    limits: &[
        profiles::READ_PROFILE_LIMIT,
        notifications::READ_NOTIFICATIONS_LIMIT,
        notifications::CHANGE_NOTIFICATIONS_LIMIT,
        streams::OPEN_STREAM_LIMIT,
    ],
    personal_data: personal_data::PERSONAL_DATA,
    erasure: personal_data::ERASURE,
    settings: Settings::augment_args,
    authenticator: token_check::authenticator,
    features: |app, arguments| {
        let settings = Settings::from_arg_matches(arguments)?;
        Ok(Features {
            routes: profiles::router()
                .merge(notifications::router())
                .merge(streams::router(app, settings.stream_heartbeat()))
                .with_state(app.clone()),
            root: system_messages::internal().with_state(app.clone()),
            // The order is that of locks: profiles, then the counts of posts, then readers of notifications.
            subscriptions: joined::joined(vec![
                profiles::events::consumers::subscriptions(),
                people::events::consumers::subscriptions(),
                follows::events::consumers::subscriptions(),
                blocks::events::subscriptions(),
                posts::events::consumers::subscriptions(),
                comments::events::consumers::subscriptions(),
                reactions::events::consumers::subscriptions(),
                // The last: what they follow from is in the read model then.
                notifications::events::consumers::subscriptions(),
            ]),
            jobs: vec![profiles::schedulers::job(app, settings.engagement_cron), notifications::schedulers::job(app)],
            background: Some(Box::new(start)),
        })
    },
};

/// Starts what the service does in the background beside events and jobs.
fn start(app: &App) {
    app.start_after_commits("dispatcher of notifications", Dispatcher::new(app, Vec::new()));
    app.start_after_commits("announcer for streams", Announcer(app.clone()));
    app.start_after_commits("system messages", MessageWriter(app.clone()));
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    serve::run(&SERVICE, &SERVICE.arguments()?).await
}
