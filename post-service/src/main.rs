//! The post service: posts, what is counted on them, and their NFT records.
mod core;
mod people;
mod posts;
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
    name: "post-service",
    description: "Posts, what is counted on them, and their NFT records.",
    schema: "post",
    group: "post_group",
    tells: &[
        posts::events::POST_CREATED,
        posts::events::POST_UPDATED,
        posts::events::POST_DELETED,
        posts::events::POST_DELETE_COMPLETED,
        people::events::USER_ERASED,
    ],
    migrations: &MIGRATIONS,
    routes: posts::router,
    root: OpenApiRouter::new,
    scheme: || SecurityScheme::Http(HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("JWT").build()),
    limits: &[posts::WRITING],
    holdings: people::HOLDINGS,
    erasing: people::ERASING,
    listens: || [posts::events::consumers::listens(), people::events::consumers::listens()].concat(),
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
