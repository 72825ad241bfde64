//! The moderation service: analyses posts and comments, and requests the deletion of content that breaks the rules.
mod core;
mod moderations;
mod personal_data;
mod settings;
mod token_check;

#[cfg(test)]
mod matrix;

use std::sync::Arc;

use clap::{Args, FromArgMatches};

use crate::core::serve::{self, Features, Service};
use crate::moderations::lexicon::Lexicon;
use crate::moderations::services::{Analyser, Analysis, Implementation, Off};
use crate::settings::Settings;

static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!();

static SERVICE: Service = Service {
    name: "moderation-service",
    description: "Analyses posts and comments, and requests the deletion of content that breaks the rules.",
    port: 8003,
    schema: "moderation",
    group: "moderation_group",
    publishes: &[
        moderations::events::POST_DELETE_REQUESTED,
        moderations::events::COMMENT_DELETE_REQUESTED,
        personal_data::USER_ERASED,
    ],
    migrations: &MIGRATIONS,
    scheme: token_check::scheme,
    limits: &[moderations::READ_MODERATIONS_LIMIT],
    personal_data: personal_data::PERSONAL_DATA,
    erasure: personal_data::ERASURE,
    settings: Settings::augment_args,
    authenticator: token_check::authenticator,
    features: |app, arguments| {
        let analyser = analyser(&Settings::from_arg_matches(arguments)?.analysis);
        Ok(Features {
            routes: moderations::router().with_state(app.clone()),
            subscriptions: moderations::events::consumers::subscriptions(&analyser),
            ..Features::default()
        })
    },
};

/// The analyser that the settings name.
fn analyser(settings: &Analysis) -> Arc<dyn Analyser> {
    match settings.analyser {
        Implementation::Rustrict => Arc::new(Lexicon::new(settings)),
        Implementation::Off => Arc::new(Off),
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    serve::run(&SERVICE, &SERVICE.arguments()?).await
}
