//! The moderation service: analyses posts and comments, and requests the deletion of content that breaks the rules.
mod core;
mod moderations;
mod personal_data;
mod perspective;
mod settings;
mod text_model;
mod token_check;
#[cfg(feature = "train")]
mod training;

#[cfg(test)]
mod matrix;

use std::path::Path;
use std::sync::Arc;

use clap::{Args, Command, FromArgMatches};

use crate::core::serve::{self, Features, Service};
use crate::moderations::lexicon::Lexicon;
use crate::moderations::services::{Analyser, Analysis, Implementation, Off};
use crate::perspective::PerspectiveSettings;
use crate::perspective::export::{self, ExportSuggestions};
use crate::perspective::keys::Keys;
use crate::perspective::reader::TextReader;
use crate::perspective::texts::{self, TextAnalysis};
use crate::settings::Settings;
use crate::text_model::TextModel;
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
        personal_data::USER_ERASED,
    ],
    migrations: &MIGRATIONS,
    scheme: token_check::scheme,
    limits: &[moderations::READ_MODERATIONS_LIMIT, perspective::ANALYZE_LIMIT, perspective::SUGGEST_LIMIT],
    personal_data: personal_data::PERSONAL_DATA,
    erasure: personal_data::ERASURE,
    settings: |command| with_tools(Settings::augment_args(command)),
    authenticator: token_check::authenticator,
    features: |app, arguments| {
        let settings = Settings::from_arg_matches(arguments)?;
        let analyser = analyser(&settings.analysis);
        let reader = Arc::new(reader(settings.moderation_model.as_deref())?);
        let analysis = TextAnalysis { reader: reader.clone(), analyser: analyser.clone() };
        let PerspectiveSettings { perspective_keys, perspective_url } = settings.perspective;
        let keys = Keys::new(&perspective_keys, app.settings.environment)?;
        Ok(Features {
            routes: moderations::router().merge(texts::router(analysis)).with_state(app.clone()),
            root: perspective::root(keys, perspective_url, &reader).with_state(app.clone()),
            jobs: vec![perspective::schedulers::job(app)],
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

/// The way to the text model of a file; without a file it leads nowhere, and what needs the model says so.
fn reader(file: Option<&Path>) -> anyhow::Result<TextReader> {
    let open = |file: &Path| -> anyhow::Result<Arc<dyn TextModel>> { Ok(Arc::new(MiniLm::open(file)?)) };
    TextReader::new(file.map(open).transpose()?, std::thread::available_parallelism()?.get())
}

/// Adds the commands beside the service itself, which need none of its settings.
fn with_tools(command: Command) -> Command {
    let analyse = Command::new("analyse").about("Writes what the text model says about each line of standard input");
    let export =
        Command::new("export-suggestions").about("Writes suggested scores as rows that a training learns from");
    let command = command.subcommand(Analyse::augment_args(analyse)).subcommand_negates_reqs(true);
    let command = command.subcommand(ExportSuggestions::augment_args(export));
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
        Some(("export-suggestions", arguments)) => {
            export::run(ExportSuggestions::from_arg_matches(arguments)?, SERVICE.schema).await
        }
        #[cfg(feature = "train")]
        Some(("train", arguments)) => training::run(&training::Training::from_arg_matches(arguments)?),
        _ => serve::run(&SERVICE, &arguments).await,
    }
}
