//! The engagement service: the activity of each user, and an engagement score from it.
mod blocks;
mod comments;
mod core;
mod digests;
mod follows;
mod joined;
mod notifications;
mod people;
mod personal_data;
mod posts;
mod preferences;
mod profiles;
mod reactions;
mod settings;
mod token_check;
mod unsubscribe;

#[cfg(test)]
mod matrix;

use clap::{Args, FromArgMatches};

use crate::core::serve::{self, Features, Service};
use crate::settings::Settings;
use crate::unsubscribe::services::{LinkState, UnsubscribeLinks};

static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!();

static SERVICE: Service = Service {
    name: "engagement-service",
    description: "The activity of each user, and an engagement score from it.",
    port: 8004,
    schema: "engagement",
    group: "engagement_group",
    publishes: &[profiles::events::LEVEL_CHANGED, personal_data::USER_ERASED, digests::events::MAIL_REQUESTED],
    migrations: &MIGRATIONS,
    scheme: token_check::scheme,
    limits: &[profiles::READ_PROFILE_LIMIT, preferences::PREFERENCES_LIMIT, unsubscribe::UNSUBSCRIBE_LIMIT],
    personal_data: personal_data::PERSONAL_DATA,
    erasure: personal_data::ERASURE,
    settings: Settings::augment_args,
    authenticator: token_check::authenticator,
    features: |app, arguments| {
        let settings = Settings::from_arg_matches(arguments)?;
        let links = UnsubscribeLinks::new(&settings.links, app.settings.environment)?;
        Ok(Features {
            routes: profiles::router()
                .merge(preferences::router())
                .with_state(app.clone())
                .merge(unsubscribe::router().with_state(LinkState { app: app.clone(), links: links.clone() })),
            // The order is that of locks: profiles, then the counts of posts.
            subscriptions: joined::joined(vec![
                profiles::events::consumers::subscriptions(),
                people::events::consumers::subscriptions(),
                follows::events::consumers::subscriptions(),
                blocks::events::subscriptions(),
                posts::events::consumers::subscriptions(),
                comments::events::consumers::subscriptions(),
                reactions::events::consumers::subscriptions(),
            ]),
            jobs: vec![profiles::schedulers::job(app, settings.engagement_cron), digests::schedulers::job(app, links)],
            ..Features::default()
        })
    },
};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    serve::run(&SERVICE, &SERVICE.arguments()?).await
}
