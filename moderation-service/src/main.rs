//! The moderation service: analyses posts and comments, and requests the deletion of content that breaks the rules.
mod appeals;
mod core;
mod decisions;
mod expiry;
mod ledger;
mod moderations;
mod personal_data;
mod queue;
mod reports;
mod settings;
mod stats;
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

use crate::core::ground::telemetry;
use crate::core::serve::{self, Features, Service};
use crate::expiry::schedulers::Timer;
use crate::moderations::lexicon::Lexicon;
use crate::moderations::services::{Analyser, Analysis, Implementation, Off};
use crate::queue::closing::schedulers::ReportCloser;
use crate::queue::schedulers::QueueGauges;
use crate::settings::Settings;
use crate::text_model::analyse::{self, Analyse};

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
        reports::REPORT_LIMIT,
        reports::LIST_REPORTS_LIMIT,
        reports::REPORTER_LIMIT,
        queue::READ_QUEUE_LIMIT,
        queue::WORK_QUEUE_LIMIT,
        queue::BULK_LIMIT,
        stats::STATS_LIMIT,
        stats::TRANSPARENCY_LIMIT,
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
        let analyser = analyser(&settings.analysis);
        let routes = moderations::router()
            .merge(ledger::router())
            .merge(strikes::router())
            .merge(decisions::router())
            .merge(appeals::router())
            .merge(queue::router())
            .layer(Extension(settings.ladder))
            .merge(reports::router(settings.reports))
            .merge(stats::router(settings.stats.public_log));
        let removal = settings.removal;
        Ok(Features {
            routes: routes.with_state(app.clone()),
            subscriptions: moderations::events::consumers::subscriptions(&analyser),
            jobs: vec![queue::schedulers::job(app), stats::schedulers::job(app)],
            background: Some(Box::new(move |app| {
                app.start_after_commits("reports", ReportCloser(app.clone()));
                app.start("length of the queue", QueueGauges(app.clone()));
                app.start_after_commits("timer", Timer { app: app.clone(), removal });
            })),
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

/// Adds the commands beside the service itself, which need none of its settings.
fn with_tools(command: Command) -> Command {
    let analyse = Command::new("analyse").about("Writes what the text model says about each line of standard input");
    let labels =
        Command::new("export-labels").about("Writes what moderators decided to standard output, as rows to train with");
    let command = command.subcommand(Analyse::augment_args(analyse)).subcommand(labels).subcommand_negates_reqs(true);
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
        Some(("export-labels", _)) => {
            let app = SERVICE.open(&arguments, telemetry::meters::start()?)?;
            stats::labels::export(&app, std::io::stdout().lock()).await.map(drop)
        }
        #[cfg(feature = "train")]
        Some(("train", arguments)) => training::run(&training::Training::from_arg_matches(arguments)?),
        _ => serve::run(&SERVICE, &arguments).await,
    }
}
