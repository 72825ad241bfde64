//! The auth service: people, their connections, and the tokens by which all services know them.
mod accounts;
mod app;
mod auth;
mod connections;
mod core;
mod directory;
mod mails;
mod personal_data;
mod profiles;
mod roles;
mod search;
mod sessions;
mod settings;
mod suggestions;
mod tokens;
mod users;

#[cfg(test)]
mod matrix;
#[cfg(test)]
mod testing;

use std::sync::Arc;

use utoipa::openapi::security::{Flow, OAuth2, Password, Scopes, SecurityScheme};
use utoipa_axum::router::OpenApiRouter;

use crate::auth::schedulers::ResetWorker;
use crate::core::{App, Service, telemetry, worker};
use crate::directory::schedulers::HashWriter;
use crate::mails::schedulers::MailSender;
use crate::mails::services::MailTransport;
use crate::sessions::introspection;
use crate::settings::{Command, Settings};

pub use crate::app::Resources;

static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!();

/// Events of other replicas after which verify-token may have another answer.
const INVALIDATING_STREAMS: [&str; 5] = [
    sessions::events::SESSION_REVOKED,
    profiles::events::USER_UPDATED,
    accounts::events::USER_DELETED,
    connections::events::USER_CONNECTED,
    connections::events::USER_DISCONNECTED,
];

impl Resources {
    /// What the settings say.
    pub fn new(settings: &Settings) -> anyhow::Result<Self> {
        settings.security.check(settings.base.environment)?;
        let transport = Arc::new(MailTransport::new(&settings.mails)?);
        Self::with_background(move |app| {
            app.tasks.spawn(worker::run(app.clone(), HashWriter::new(app)));
            app.tasks.spawn(worker::run(app.clone(), MailSender::new(app, transport.clone())));
            app.tasks.spawn(worker::run(app.clone(), ResetWorker::new(app)));
            introspection::start(app, &INVALIDATING_STREAMS);
        })
    }
}

fn routes() -> OpenApiRouter<App> {
    accounts::router()
        .merge(personal_data::router())
        .merge(profiles::router())
        .merge(connections::router())
        .merge(search::router())
        .merge(suggestions::router())
        .merge(auth::router())
        .merge(sessions::router())
        .merge(tokens::router())
        .merge(roles::router())
}

static SERVICE: Service = Service {
    name: "auth-service",
    description: "People, their connections, and the tokens by which all services know them.",
    schema: "auth",
    group: "auth_group",
    tells: &[
        accounts::events::USER_REGISTERED,
        accounts::events::USER_DELETED,
        profiles::events::USER_UPDATED,
        connections::events::USER_CONNECTED,
        connections::events::USER_DISCONNECTED,
        connections::events::USER_BLOCKED,
        connections::events::USER_UNBLOCKED,
        sessions::events::SESSION_REVOKED,
    ],
    migrations: &MIGRATIONS,
    routes,
    root: || sessions::root().merge(personal_data::internal()),
    scheme: || {
        let password = Password::new("/api/v1/auth/token", Scopes::new());
        SecurityScheme::OAuth2(OAuth2::new([Flow::Password(password)]))
    },
    limits: &[
        auth::SIGN_IN_LIMIT,
        auth::ACCOUNT_LIMIT,
        auth::SIGN_UP_LIMIT,
        auth::FORGOT_PASSWORD_LIMIT,
        auth::RESET_LIMIT,
        auth::NEW_PASSWORD_LIMIT,
        connections::CONNECT_LIMIT,
        personal_data::EXPORT_LIMIT,
        search::SEARCH_LIMIT,
    ],
    holdings: personal_data::HOLDINGS,
    erasing: personal_data::ERASING,
    listens: personal_data::events::consumers::listens,
    jobs: |_| vec![mails::schedulers::sweep(), sessions::schedulers::job(), roles::schedulers::job()],
};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let settings: Settings = core::settings::read()?;
    if let Some(question) = settings.base.check {
        return core::health::ask(settings.base.host, settings.port, question).await;
    }
    telemetry::start(&SERVICE, &settings.base)?;
    let (port, command) = (settings.port, settings.command.clone());
    let app = App::new(&SERVICE, settings, telemetry::meters::start()?)?;
    match command {
        None => core::serve(app, port).await,
        Some(Command::Grant { account, role }) => roles::commands::grant(&app, &account, role).await,
    }
}
