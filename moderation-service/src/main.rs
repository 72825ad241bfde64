//! The moderation service: analyses posts and comments, and requests the deletion of content that breaks the rules.
mod analyses;
mod appeals;
mod contents;
mod core;
mod decisions;
mod expiry;
mod ledger;
mod moderations;
mod personal_data;
mod policies;
mod settings;
mod signals;
mod strikes;
mod subjects;
mod text_model;
mod token_check;
#[cfg(feature = "train")]
mod training;

#[cfg(test)]
mod matrix;

use std::sync::Arc;

use axum::Extension;
use clap::{Args, Command, FromArgMatches};

use crate::analyses::reading::{Pipeline, TextReader};
use crate::analyses::schedulers::Reanalyser;
use crate::analyses::scoring::{FileModel, TextScores};
use crate::core::app::App;
use crate::core::ground::settings::Base;
use crate::core::ground::telemetry;
use crate::core::serve::{self, Features, Service};
use crate::expiry::schedulers::Timer;
use crate::moderations::lexicon::Lexicon;
use crate::moderations::services::{Analyser, Analysis, Implementation, Off};
use crate::settings::Settings;
use crate::text_model::analyse::{self, Analyse};
use crate::text_model::mini_lm::MiniLm;

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
        ledger::events::MODERATION_DECIDED,
        ledger::events::CONTENT_LABELLED,
        ledger::events::USER_STATUS_CHANGED,
        decisions::events::MODERATION_NOTICE,
        personal_data::USER_ERASED,
    ],
    migrations: &MIGRATIONS,
    scheme: token_check::scheme,
    limits: &[
        moderations::READ_MODERATIONS_LIMIT,
        signals::DOMAINS_LIMIT,
        policies::READ_POLICIES_LIMIT,
        policies::WRITE_POLICIES_LIMIT,
        analyses::READ_ANALYSES_LIMIT,
        ledger::VERIFY_LIMIT,
        decisions::READ_STATEMENTS_LIMIT,
        decisions::DECIDE_LIMIT,
        decisions::READ_DECISIONS_LIMIT,
        appeals::APPEAL_LIMIT,
        appeals::READ_APPEALS_LIMIT,
    ],
    personal_data: personal_data::PERSONAL_DATA,
    erasure: personal_data::ERASURE,
    settings: |command| with_tools(Settings::augment_args(command)),
    authenticator: token_check::authenticator,
    features: |app, arguments| {
        let settings = Settings::from_arg_matches(arguments)?;
        let model = text_model(&settings)?;
        Ok(features(app, &settings, model))
    },
};

/// The text model of the settings; none without a file, and then the word lists decide.
fn text_model(settings: &Settings) -> anyhow::Result<Option<Arc<dyn TextScores>>> {
    let Some(file) = &settings.moderation_model else { return Ok(None) };
    let model: Arc<dyn TextScores> = Arc::new(FileModel(MiniLm::open(file)?));
    Ok(Some(model))
}

/// What the service does, with a text model or without.
fn features(app: &App, settings: &Settings, model: Option<Arc<dyn TextScores>>) -> Features {
    metrics::gauge!("text_model_loaded").set(u8::from(model.is_some()));
    if let Some(model) = &model {
        tracing::info!(version = model.version(), "the text model is loaded");
    } else {
        tracing::warn!("no text model is loaded (MODERATION_MODEL): the word lists decide alone");
    }
    let reader = TextReader { model, words: analyser(&settings.analysis) };
    let pipeline = Pipeline { reader, settings: settings.analyses.clone() };
    let (ladder, removal) = (settings.ladder.clone(), settings.removal);
    let routes = moderations::router()
        .merge(ledger::router())
        .merge(strikes::router())
        .merge(decisions::router())
        .merge(appeals::router())
        .merge(signals::router())
        .merge(policies::router())
        .merge(analyses::router())
        .layer(Extension(ladder));
    let mut subscriptions = analyses::events::consumers::subscriptions(&pipeline);
    subscriptions.extend(signals::events::consumers::subscriptions());
    Features {
        routes: routes.with_state(app.clone()),
        subscriptions,
        jobs: vec![
            signals::schedulers::fingerprints_job(app, settings.analyses.window()),
            policies::schedulers::hits_job(app),
        ],
        background: Some(Box::new(move |app| {
            app.start_after_commits("timer", Timer { app: app.clone(), removal });
            app.start("reanalysis", Reanalyser::new(app, pipeline));
        })),
        ..Features::default()
    }
}

/// The analyser that the settings name.
fn analyser(settings: &Analysis) -> Arc<dyn Analyser> {
    match settings.analyser {
        Implementation::Rustrict => Arc::new(Lexicon::new(settings)),
        Implementation::Off => Arc::new(Off),
    }
}

/// Adds the commands beside the service itself, which need none of its settings.
fn with_tools(command: Command) -> Command {
    let analyse = Command::new("analyse").about("Writes what the text model says about each line of standard input");
    let reanalyse = Command::new("reanalyse").about("Lets the running service read all contents again, then exits");
    let command = command.subcommand(Analyse::augment_args(analyse)).subcommand_negates_reqs(true);
    let command = command.subcommand(reanalyse);
    #[cfg(feature = "train")]
    let command = command.subcommand(training::Training::augment_args(
        Command::new("train").about("Fine-tunes a base model and writes the file of the text model"),
    ));
    command
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = SERVICE.arguments()?;
    match arguments.subcommand() {
        Some(("analyse", arguments)) => analyse::run(&Analyse::from_arg_matches(arguments)?).await,
        Some(("reanalyse", _)) => {
            telemetry::start(SERVICE.name, &Base::from_arg_matches(&arguments)?)?;
            analyses::commands::reanalyse(&SERVICE.open(&arguments, telemetry::meters::start()?)?).await
        }
        #[cfg(feature = "train")]
        Some(("train", arguments)) => training::run(&training::Training::from_arg_matches(arguments)?),
        _ => serve::run(&SERVICE, &arguments).await,
    }
}
