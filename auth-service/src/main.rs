//! The auth service: people, their connections, and the tokens by which all services know them.
mod accounts;
mod app;
mod auth;
mod blocks;
mod connections;
mod core;
mod directory;
mod mails;
mod people;
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

use sqlx::PgPool;
use tokio::sync::Notify;
use utoipa::openapi::security::{Flow, OAuth2, Password, Scopes, SecurityScheme};
use utoipa_axum::router::OpenApiRouter;

use crate::app::passwords::Passwords;
use crate::auth::schedulers::Resets;
use crate::auth::verdicts::{self, Verdicts};
use crate::core::security::{self, Claims};
use crate::core::{App, Service, telemetry, worker};
use crate::directory::schedulers::Writer;
use crate::mails::schedulers::Postman;
use crate::mails::services::Transport;
use crate::settings::{Command, Settings};
use crate::users::models::Account;

static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!();

/// What only this service has: bounded password hashing, verdicts about tokens, a way for mails, and what wakes its background work.
pub struct Resources {
    pub passwords: Passwords,
    pub verdicts: Verdicts,
    pub mails: Transport,
    pub details_due: Arc<Notify>,
    pub mails_due: Arc<Notify>,
    pub resets_due: Arc<Notify>,
}

impl Resources {
    /// What the settings say.
    pub fn new(settings: &Settings) -> anyhow::Result<Self> {
        settings.security.check(settings.base.environment)?;
        Ok(Self {
            passwords: Passwords::new()?,
            verdicts: Verdicts::new(),
            mails: Transport::new(&settings.mails)?,
            details_due: Arc::default(),
            mails_due: Arc::default(),
            resets_due: Arc::default(),
        })
    }

    /// Starts what only this service does in the background.
    pub fn start(&self, app: &App) {
        app.tasks.spawn(worker::run(app.clone(), Writer::new(app)));
        app.tasks.spawn(worker::run(app.clone(), Postman::new(app)));
        app.tasks.spawn(worker::run(app.clone(), Resets::new(app)));
        verdicts::start(app);
    }

    /// What follows in this process from a commit: whose token it is has to be looked up anew.
    pub fn committed(&self) {
        self.verdicts.forget();
    }

    /// Tells the background work that a commit may have left it something to do.
    pub fn wake(&self) {
        self.details_due.notify_one();
        self.mails_due.notify_one();
        self.resets_due.notify_one();
    }

    /// Whom the claims of a token are of, when they are still good: one query, since every request asks.
    pub async fn holder(&self, db: &PgPool, claims: &Claims) -> sqlx::Result<Option<Account>> {
        let held = Account::holding(db, claims.user, claims.session).await;
        security::count(match &held {
            Ok(Some(_)) => "valid",
            Ok(None) => "refused",
            Err(_) => "unreachable",
        });
        held
    }
}

fn routes() -> OpenApiRouter<App> {
    accounts::router()
        .merge(people::router())
        .merge(profiles::router())
        .merge(connections::router())
        .merge(blocks::router())
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
        blocks::events::USER_BLOCKED,
        blocks::events::USER_UNBLOCKED,
        sessions::events::SESSION_REVOKED,
    ],
    migrations: &MIGRATIONS,
    routes,
    root: || sessions::root().merge(people::internal()),
    scheme: || {
        let password = Password::new("/api/v1/auth/token", Scopes::new());
        SecurityScheme::OAuth2(OAuth2::new([Flow::Password(password)]))
    },
    limits: &[
        auth::SIGN_IN,
        auth::ACCOUNT,
        auth::SIGN_UP,
        auth::FORGOT_PASSWORD,
        auth::RESET,
        auth::NEW_PASSWORD,
        connections::CONNECTING,
        people::EXPORTING,
        search::SEARCHING,
    ],
    holdings: people::HOLDINGS,
    erasing: people::ERASING,
    listens: people::events::consumers::listens,
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
