//! The engagement service: the activity of each user, and an engagement score from it.
mod backfill;
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
mod token_check;

#[cfg(test)]
mod matrix;

use clap::{Args, FromArgMatches};

use crate::backfill::schedulers::Backfill;
use crate::core::ground::settings::Base;
use crate::core::ground::telemetry;
use crate::core::serve::{self, Features, Service};
use crate::settings::{Command, Settings};

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
    limits: &[profiles::READ_PROFILE_LIMIT],
    personal_data: personal_data::PERSONAL_DATA,
    erasure: personal_data::ERASURE,
    settings: Settings::augment_args,
    authenticator: token_check::authenticator,
    features: |app, arguments| {
        let settings = Settings::from_arg_matches(arguments)?;
        Ok(Features {
            routes: profiles::router().with_state(app.clone()),
            // The order is that of locks: profiles, then the counts of posts.
            subscriptions: joined::joined(vec![
                profiles::events::consumers::subscriptions(),
                people::events::consumers::subscriptions(),
                follows::events::consumers::subscriptions(),
                blocks::events::subscriptions(),
                posts::events::consumers::subscriptions(),
                comments::events::consumers::subscriptions(),
                reactions::events::consumers::subscriptions(),
                backfill::events::subscriptions(),
            ]),
            root: backfill::internal().with_state(app.clone()),
            background: Some(Box::new(|app| app.start("backfill", Backfill::new(app)))),
            jobs: vec![profiles::schedulers::job(app, settings.engagement_cron)],
        })
    },
};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = SERVICE.arguments()?;
    match Settings::from_arg_matches(&arguments)?.command {
        None => serve::run(&SERVICE, &arguments).await,
        Some(Command::Rebuild) => {
            telemetry::start(SERVICE.name, &Base::from_arg_matches(&arguments)?)?;
            backfill::commands::rebuild(&SERVICE.open(&arguments, telemetry::meters::start()?)?).await
        }
    }
}
