//! The engagement service: the activity of each user, and an engagement score from it.
mod blocks;
mod comments;
mod core;
mod devices;
mod follows;
mod joined;
mod notifications;
mod people;
mod personal_data;
mod posts;
mod profiles;
mod push;
mod reactions;
mod settings;
mod token_check;

#[cfg(test)]
mod matrix;

use std::sync::Arc;

use axum::Extension;
use clap::{Args, FromArgMatches};

use crate::core::serve::{self, Features, Service};
use crate::push::channels::Channels;
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
    limits: &[
        profiles::READ_PROFILE_LIMIT,
        devices::DEVICE_CHANGE_LIMIT,
        devices::DEVICE_LIST_LIMIT,
        push::VAPID_KEY_LIMIT,
    ],
    personal_data: personal_data::PERSONAL_DATA,
    erasure: personal_data::ERASURE,
    settings: Settings::augment_args,
    authenticator: token_check::authenticator,
    features: |app, arguments| {
        let settings = Settings::from_arg_matches(arguments)?;
        let channels = Arc::new(Channels::new(&settings.push, app.settings.environment)?);
        let pushed = devices::router().merge(push::router()).layer(Extension(channels.clone()));
        Ok(Features {
            routes: profiles::router().merge(pushed).with_state(app.clone()),
            // The order is that of locks: profiles, then the counts of posts.
            subscriptions: joined::joined(vec![
                profiles::events::consumers::subscriptions(),
                people::events::consumers::subscriptions(),
                follows::events::consumers::subscriptions(),
                blocks::events::subscriptions(),
                posts::events::consumers::subscriptions(),
                comments::events::consumers::subscriptions(),
                reactions::events::consumers::subscriptions(),
                devices::events::consumers::subscriptions(),
            ]),
            jobs: vec![profiles::schedulers::job(app, settings.engagement_cron), push::schedulers::job(app)],
            background: Some(Box::new(move |app| push::schedulers::start(app, &channels))),
            ..Features::default()
        })
    },
};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    serve::run(&SERVICE, &SERVICE.arguments()?).await
}
