//! The moderation service: reads posts and comments, and has those deleted that speak against themselves.
mod core;
mod moderations;
mod people;
mod settings;

#[cfg(test)]
mod matrix;

use std::sync::Arc;

use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa_axum::router::OpenApiRouter;

use crate::core::{App, Service, telemetry};
use crate::moderations::services::{self, Analyser};
use crate::settings::Settings;

static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!();

/// What only this service has.
pub struct Resources {
    /// What reads the texts.
    pub analyser: Arc<dyn Analyser>,
}

impl Resources {
    /// What the settings say.
    pub fn new(settings: &Settings) -> anyhow::Result<Self> {
        Ok(Self { analyser: services::analyser(&settings.analysis) })
    }

    /// Starts what only this service does in the background.
    pub fn start(&self, _: &App) {}

    /// What follows in this process from a commit: nothing.
    pub fn committed(&self) {}
}

static SERVICE: Service = Service {
    name: "moderation-service",
    description: "Reads posts and comments, and has those deleted that speak against themselves.",
    schema: "moderation",
    group: "moderation_group",
    tells: &[
        moderations::events::POST_DELETE_REQUESTED,
        moderations::events::COMMENT_DELETE_REQUESTED,
        people::events::USER_ERASED,
    ],
    migrations: &MIGRATIONS,
    routes: moderations::router,
    root: OpenApiRouter::new,
    scheme: || SecurityScheme::Http(HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("JWT").build()),
    limits: &[moderations::READING],
    holdings: people::HOLDINGS,
    erasing: people::ERASING,
    listens: || [moderations::events::consumers::listens(), people::events::consumers::listens()].concat(),
    jobs: |_| Vec::new(),
};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let settings: Settings = core::settings::read()?;
    if let Some(question) = settings.base.check {
        return core::health::ask(settings.base.host, settings.port, question).await;
    }
    telemetry::start(&SERVICE, &settings.base)?;
    let port = settings.port;
    let app = App::new(&SERVICE, settings, telemetry::meters::start()?)?;
    core::serve(app, port).await
}
