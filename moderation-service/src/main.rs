//! The moderation service: analyses posts and comments, takes reports, and lets people decide about content that breaks the rules.
mod analyses;
mod appeals;
mod contents;
mod core;
mod decisions;
mod disguises;
mod expiry;
mod explanations;
mod ledger;
mod moderations;
mod personal_data;
mod perspective;
mod pictures;
mod policies;
mod queue;
mod read_model;
mod reports;
mod schedules;
mod scopes;
mod settings;
mod shadow;
mod signals;
mod stats;
mod strikes;
mod subjects;
mod text_model;
mod token_check;
#[cfg(any(test, feature = "train"))]
mod training;

#[cfg(test)]
mod matrix;

use std::path::Path;
use std::sync::Arc;

use anyhow::ensure;
use axum::Extension;
use clap::{Args, Command, FromArgMatches};

use crate::analyses::commands::ReanalyseOptions;
use crate::analyses::reading::{AnalysisReader, Pipeline};
use crate::analyses::schedulers::Reanalyser;
use crate::analyses::scoring::NO_MODEL;
use crate::core::app::App;
use crate::core::ground::settings::Base;
use crate::core::ground::telemetry;
use crate::core::serve::{self, Features, Service};
use crate::expiry::schedulers::{Timer, TimerLag};
use crate::explanations::schedulers::{Explainer, ExplanationCounter};
use crate::moderations::lexicon::Lexicon;
use crate::moderations::services::{Analyser, Analysis, Implementation, Off};
use crate::perspective::export::{self, ExportSuggestions};
use crate::perspective::keys::Keys;
use crate::perspective::reader::TextReader;
use crate::perspective::texts::{self, TextAnalysis};
use crate::pictures::nudity::network::NudityModel;
use crate::pictures::nudity::schedulers::NudityReader;
use crate::pictures::schedulers::PictureJudge;
use crate::policies::schedulers::PolicyReader;
use crate::policies::services::CurrentPolicies;
use crate::queue::closing::schedulers::ReportCloser;
use crate::queue::schedulers::QueueGauges;
use crate::schedules::schedulers::ScheduledDecider;
use crate::settings::Settings;
use crate::shadow::schedulers::ShadowReader;
use crate::stats::registry::LoadedModels;
use crate::text_model::analyse::{self, Analyse};
use crate::text_model::mini_lm::MiniLm;
use crate::text_model::turns::Turns;
use crate::text_model::{TextModel, shipped};

/// The migrations of a later release are no fault: while that one is rolled out, or back, processes of this one start on its tables.
static MIGRATIONS: sqlx::migrate::Migrator = {
    let mut migrations = sqlx::migrate!();
    migrations.ignore_missing = true;
    // `core::ground::database` locks them itself.
    migrations.locking = false;
    migrations
};

static SERVICE: Service = Service {
    name: "moderation-service",
    description: "Analyses posts and comments, and requests the deletion of content that breaks the rules.",
    port: 8003,
    schema: "moderation",
    group: "moderation_group",
    publishes: &[
        decisions::events::POST_DELETE_REQUESTED,
        decisions::events::COMMENT_DELETE_REQUESTED,
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
        schedules::SCHEDULES_LIMIT,
        scopes::SCOPES_LIMIT,
        stats::STATS_LIMIT,
        stats::TRANSPARENCY_LIMIT,
        ledger::VERIFY_LIMIT,
        decisions::READ_STATEMENTS_LIMIT,
        decisions::DECIDE_LIMIT,
        decisions::READ_DECISIONS_LIMIT,
        appeals::APPEAL_LIMIT,
        appeals::TOKEN_APPEAL_LIMIT,
        appeals::READ_APPEALS_LIMIT,
        signals::DOMAINS_LIMIT,
        policies::READ_POLICIES_LIMIT,
        policies::WRITE_POLICIES_LIMIT,
        pictures::BLOCKED_PICTURES_LIMIT,
        analyses::READ_ANALYSES_LIMIT,
        perspective::ANALYZE_LIMIT,
        perspective::SUGGEST_LIMIT,
    ],
    personal_data: personal_data::PERSONAL_DATA,
    erasure: personal_data::ERASURE,
    settings: |command| with_tools(Settings::augment_args(command)),
    authenticator: token_check::authenticator,
    features: |app, arguments| {
        let settings = Settings::from_arg_matches(arguments)?;
        let image = settings.nudity.moderation_image_model.as_deref().map(NudityModel::open).transpose()?.map(Arc::new);
        let file = settings.moderation_model.as_deref();
        if file == Some(Path::new("off")) {
            ensure!(settings.shadow.moderation_shadow_model.is_none(), "a model in shadow needs one beside it");
            return features(app, &settings, Models { image, ..Models::default() });
        }
        let text = shipped::open(file)?;
        let shadow = settings.shadow.moderation_shadow_model.as_deref().map(MiniLm::open).transpose()?;
        let is_other = shadow.as_ref().is_none_or(|shadow| shadow.version() != text.version());
        ensure!(is_other, "MODERATION_SHADOW_MODEL is the model that reads already");
        let shadow = shadow.map(|shadow| Arc::new(shadow) as Arc<dyn TextModel>);
        features(app, &settings, Models { text: Some(Arc::new(text)), shadow, image })
    },
};

/// The models that are loaded.
#[derive(Default)]
struct Models {
    /// What texts are judged by; none: the word lists decide alone.
    text: Option<Arc<dyn TextModel>>,
    /// What reads beside it, without consequences.
    shadow: Option<Arc<dyn TextModel>>,
    /// What looks at pictures; none: they are compared with the blocklist alone.
    image: Option<Arc<NudityModel>>,
}

/// What the service does with these models.
fn features(app: &App, settings: &Settings, models: Models) -> anyhow::Result<Features> {
    let Models { text: model, shadow, image } = models;
    metrics::gauge!("text_model_loaded").set(u8::from(model.is_some()));
    if let Some(model) = &model {
        tracing::info!(version = model.version(), "the text model is loaded");
    } else {
        tracing::warn!("the text model is off (MODERATION_MODEL): the word lists decide alone");
    }
    metrics::gauge!("image_model_loaded").set(u8::from(image.is_some()));
    let image_version = image.as_ref().map(|image| image.version().to_owned());
    if let Some(version) = &image_version {
        tracing::info!(version, "the image model is loaded");
    } else {
        tracing::info!(
            "no image model looks at pictures (MODERATION_IMAGE_MODEL): they are compared with the blocklist alone"
        );
    }
    let nudity = image.map(|image| NudityReader::new(app, settings.pictures, image)).transpose()?;
    let text_file = settings.moderation_model.as_deref();
    let shadow_file = settings.shadow.moderation_shadow_model.as_deref();
    let loaded = LoadedModels::new((model.as_deref(), text_file), (shadow.as_deref(), shadow_file), image_version);
    // What explains decisions waits for what decides.
    let turns = Turns::default();
    let patient = model.clone().map(|model| turns.after(model));
    let model = model.map(|model| turns.first(model));
    let model_version = model.as_ref().map_or(NO_MODEL, |model| model.version()).to_owned();
    let pipeline = Pipeline {
        reader: AnalysisReader::new(model.clone(), analyser(&settings.analysis)),
        settings: settings.analyses.clone(),
    };
    let reader = Arc::new(TextReader::new(model, std::thread::available_parallelism()?.get())?);
    let policies = Arc::new(CurrentPolicies::default());
    let keys = Keys::new(&settings.perspective.perspective_keys, app.settings.environment)?;
    let routes = moderations::router()
        .merge(ledger::router())
        .merge(strikes::router())
        .merge(decisions::router())
        .merge(appeals::router())
        .merge(queue::router())
        .merge(scopes::router())
        .merge(schedules::router())
        .layer(Extension(settings.ladder.clone()))
        .merge(reports::router(settings.reports.clone()))
        .merge(stats::router(settings.stats.public_log, loaded))
        .merge(signals::router())
        .merge(policies::router())
        .merge(pictures::router(settings.pictures))
        .merge(analyses::router())
        .merge(texts::router(TextAnalysis {
            reader: reader.clone(),
            alone: pipeline.reader.clone(),
            policies: policies.clone(),
        }));
    let mut subscriptions = analyses::events::consumers::subscriptions(&app.db, &pipeline);
    subscriptions.extend(signals::events::consumers::subscriptions());
    subscriptions.extend(pictures::events::consumers::subscriptions(settings.pictures));
    let (removal, pictures, sample) = (settings.removal, settings.pictures, settings.shadow.moderation_shadow_sample);
    let ladder = settings.ladder.clone();
    if let Some(shadow) = &shadow {
        tracing::info!(version = shadow.version(), sample, "a second text model reads in shadow");
    }
    Ok(Features {
        routes: routes.with_state(app.clone()),
        root: perspective::root(keys, settings.perspective.perspective_url.clone(), &reader)
            .merge(read_model::internal())
            .with_state(app.clone()),
        subscriptions,
        jobs: vec![
            queue::schedulers::job(app),
            stats::schedulers::job(app),
            signals::schedulers::fingerprints_job(app, settings.analyses.window()),
            policies::schedulers::hits_job(app),
            perspective::schedulers::job(app),
        ],
        background: Some(Box::new(move |app| {
            app.start_after_commits("reports", ReportCloser(app.clone()));
            app.start("length of the queue", QueueGauges(app.clone()));
            app.start_after_commits("timer", Timer { app: app.clone(), removal });
            app.start_after_commits("scheduled decisions", ScheduledDecider { app: app.clone(), ladder });
            app.start("lag of the timer", TimerLag(app.clone()));
            app.start_after_commits("pictures", PictureJudge { app: app.clone(), settings: pictures });
            if let Some(reader) = nudity {
                app.start_after_commits("nudity", reader);
            }
            app.start_after_commits("explanations", Explainer { app: app.clone(), model: patient });
            app.start("explanations that wait", ExplanationCounter { app: app.clone(), model_version });
            app.start("reanalysis", Reanalyser::new(app, pipeline));
            if let Some(model) = shadow {
                app.start("the model in shadow", ShadowReader { app: app.clone(), model, sample });
            }
            app.start("policies", PolicyReader { app: app.clone(), current: policies });
        })),
    })
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
    let labels =
        Command::new("export-labels").about("Writes what moderators decided, as rows that a training learns from");
    let suggestions =
        Command::new("export-suggestions").about("Writes suggested scores, as rows that a training learns from");
    let reanalyse = Command::new("reanalyse").about("Lets the running service read all contents again, then exits");
    let command = command
        .subcommand(Analyse::augment_args(analyse))
        .subcommand(labels)
        .subcommand(ExportSuggestions::augment_args(suggestions))
        .subcommand(ReanalyseOptions::augment_args(reanalyse))
        .subcommand_negates_reqs(true);
    #[cfg(any(test, feature = "train"))]
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
        Some(("reanalyse", options)) => {
            telemetry::start(SERVICE.name, &Base::from_arg_matches(&arguments)?)?;
            let app = SERVICE.open(&arguments, telemetry::meters::start()?)?;
            analyses::commands::reanalyse(&app, ReanalyseOptions::from_arg_matches(options)?).await
        }
        Some(("export-suggestions", arguments)) => {
            export::run(ExportSuggestions::from_arg_matches(arguments)?, SERVICE.schema).await
        }
        #[cfg(any(test, feature = "train"))]
        Some(("train", arguments)) => training::run(&training::Training::from_arg_matches(arguments)?),
        _ => serve::run(&SERVICE, &arguments).await,
    }
}
