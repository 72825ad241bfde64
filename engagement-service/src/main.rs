//! The engagement service: what people did, and how engaged that makes them.
mod core;
mod people;
mod profiles;
mod settings;

#[cfg(test)]
mod matrix;

use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa_axum::router::OpenApiRouter;

use crate::core::{App, Service, telemetry};
use crate::settings::Settings;

static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!();

/// What only this service has: nothing yet.
pub struct Resources;

impl Resources {
    /// What the settings say.
    pub fn new(_: &Settings) -> anyhow::Result<Self> {
        Ok(Self)
    }

    /// Starts what only this service does in the background.
    pub fn start(&self, _: &App) {}

    /// What follows in this process from a commit: nothing.
    pub fn committed(&self) {}
}

static SERVICE: Service = Service {
    name: "engagement-service",
    description: "What people did, and how engaged that makes them.",
    schema: "engagement",
    group: "engagement_group",
    tells: &[profiles::events::LEVEL_CHANGED, people::events::USER_ERASED],
    migrations: &MIGRATIONS,
    routes: profiles::router,
    root: OpenApiRouter::new,
    scheme: || SecurityScheme::Http(HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("JWT").build()),
    limits: &[profiles::READING],
    holdings: people::HOLDINGS,
    erasing: people::ERASING,
    listens: || [profiles::events::consumers::listens(), people::events::consumers::listens()].concat(),
    jobs: profiles::schedulers::jobs,
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
