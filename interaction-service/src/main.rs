//! The interaction service: comments, reactions, views, and the NFT records of comments.
mod comments;
mod core;
mod people;
mod post_views;
mod posts;
mod reactions;
mod settings;

#[cfg(test)]
mod matrix;

use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa_axum::router::OpenApiRouter;

use crate::core::{App, Service, telemetry};
use crate::posts::client::PostService;
use crate::settings::Settings;

static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!();

/// What only this service has: its connections to the post service.
pub struct Resources {
    pub posts: PostService,
}

impl Resources {
    /// What the settings say.
    pub fn new(settings: &Settings) -> anyhow::Result<Self> {
        Ok(Self { posts: PostService::new(&settings.post_service_url)? })
    }

    /// Starts what only this service does in the background: nothing.
    pub fn start(&self, _: &App) {}

    /// What follows in this process from a commit: nothing.
    pub fn committed(&self) {}
}

fn routes() -> OpenApiRouter<App> {
    comments::router().merge(post_views::router()).merge(reactions::router())
}

static SERVICE: Service = Service {
    name: "interaction-service",
    description: "Comments, reactions, views, and the NFT records of comments.",
    schema: "interaction",
    group: "interaction_group",
    tells: &[
        comments::events::COMMENT_CREATED,
        comments::events::COMMENT_UPDATED,
        comments::events::COMMENT_DELETED,
        comments::events::COMMENT_DELETE_COMPLETED,
        reactions::events::REACTION_CREATED,
        reactions::events::REACTION_DELETED,
        post_views::events::POST_VIEWED,
        people::events::USER_ERASED,
    ],
    migrations: &MIGRATIONS,
    routes,
    root: OpenApiRouter::new,
    scheme: || SecurityScheme::Http(HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("JWT").build()),
    limits: &[comments::COMMENTING, reactions::REACTING],
    holdings: people::HOLDINGS,
    erasing: people::ERASING,
    listens: || {
        let (posts, comments) = (posts::events::consumers::listens(), comments::events::consumers::listens());
        [posts, comments, people::events::consumers::listens()].concat()
    },
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
