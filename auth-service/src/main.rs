//! The auth service: people, their connections, and the tokens by which all services know them.
mod accounts;
mod app;
mod auth;
mod connections;
mod core;
mod directory;
mod graph_view;
mod linked_accounts;
mod mails;
mod names;
mod personal_data;
mod pictures;
mod profiles;
mod read_model;
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

use clap::{Args, FromArgMatches};
use utoipa::openapi::security::{Flow, OAuth2, Password, Scopes, SecurityScheme};
use utoipa_axum::router::OpenApiRouter;

use crate::accounts::schedulers::AddressWorker;
use crate::app::App;
use crate::auth::schedulers::ResetWorker;
use crate::core::ground::settings::Base;
use crate::core::ground::telemetry;
use crate::core::serve::{self, Features, Service};
use crate::directory::schedulers::HashWriter;
use crate::graph_view::schedulers::GraphListener;
use crate::linked_accounts::providers::Providers;
use crate::linked_accounts::schedulers::RevocationWorker;
use crate::mails::schedulers::MailSender;
use crate::mails::services::MailTransport;
use crate::names::schedulers::NameFolder;
use crate::personal_data::schedulers::ErasureWatch;
use crate::sessions::introspection;
use crate::settings::{Command, Settings};

/// The migrations of a later release are no fault: while that one is rolled out, or back, processes of this one start on its tables.
static MIGRATIONS: sqlx::migrate::Migrator = {
    let mut migrations = sqlx::migrate!();
    migrations.ignore_missing = true;
    // `core::ground::database` locks them itself.
    migrations.locking = false;
    migrations
};

/// Events of other replicas after which verify-token may have another answer.
const INVALIDATING_STREAMS: [&str; 5] = [
    sessions::events::SESSION_REVOKED,
    profiles::events::USER_UPDATED,
    accounts::events::USER_DELETED,
    connections::events::USER_CONNECTED,
    connections::events::USER_DISCONNECTED,
];

static SERVICE: Service = Service {
    name: "auth-service",
    description: "People, their connections, and the tokens by which all services know them.",
    port: 8000,
    schema: "auth",
    group: "auth_group",
    publishes: &[
        accounts::events::USER_REGISTERED,
        accounts::events::USER_DELETED,
        accounts::events::LINKED_ACCOUNT_CHANGED,
        profiles::events::USER_UPDATED,
        connections::events::USER_CONNECTED,
        connections::events::USER_DISCONNECTED,
        connections::events::USER_BLOCKED,
        connections::events::USER_UNBLOCKED,
        sessions::events::SESSION_REVOKED,
    ],
    migrations: &MIGRATIONS,
    scheme: || {
        let password = Password::new("/api/v1/auth/token", Scopes::new());
        SecurityScheme::OAuth2(OAuth2::new([Flow::Password(password)]))
    },
    limits: &[
        auth::SIGN_IN_LIMIT,
        accounts::ACCOUNT_LIMIT,
        auth::SIGN_UP_LIMIT,
        auth::FORGOT_PASSWORD_LIMIT,
        accounts::RESET_LIMIT,
        accounts::UPDATE_LIMIT,
        auth::NEW_PASSWORD_LIMIT,
        mails::MAILBOX_LIMIT,
        mails::NOTICE_LIMIT,
        mails::NOTIFICATION_LIMIT,
        connections::CONNECT_LIMIT,
        personal_data::EXPORT_LIMIT,
        search::SEARCH_LIMIT,
        linked_accounts::PROVIDER_SIGN_IN_LIMIT,
        linked_accounts::LINK_LIMIT,
    ],
    personal_data: personal_data::PERSONAL_DATA,
    erasure: personal_data::ERASURE,
    settings: Settings::augment_args,
    authenticator: sessions::authentication::authenticator,
    features: |app, arguments| {
        let settings = Settings::from_arg_matches(arguments)?;
        let providers = Providers::new(&settings.linked, &settings.tokens, app.settings.environment)?;
        let transport = MailTransport::new(&settings.mails)?;
        let app = App::new(app, &settings.tokens, settings.rules())?;
        Ok(features(&app, transport, Arc::new(providers), settings.internal_port))
    },
};

/// What the service does, with a port for the graph view where there is one.
fn features(app: &App, transport: MailTransport, providers: Arc<Providers>, internal_port: Option<u16>) -> Features {
    let (transport, running) = (Arc::new(transport), app.clone());
    Features {
        routes: routes().merge(linked_accounts::router(providers.clone())).with_state(app.clone()),
        root: sessions::root()
            .merge(personal_data::internal())
            .merge(read_model::internal())
            .merge(linked_accounts::internal(providers.clone()))
            .with_state(app.clone()),
        subscriptions: [
            personal_data::events::consumers::subscriptions(),
            mails::events::consumers::subscriptions(),
            roles::standings::events::consumers::subscriptions(),
            pictures::events::consumers::subscriptions(),
        ]
        .concat(),
        jobs: vec![
            mails::schedulers::sweep(app),
            sessions::schedulers::job(app),
            roles::schedulers::job(app),
            accounts::schedulers::sweep(app),
            linked_accounts::schedulers::sweep(app, providers.clone()),
        ],
        background: Some(Box::new(move |app| {
            app.start_after_commits("user details", HashWriter::new(app));
            app.start_after_commits("mails", MailSender::new(app, transport));
            app.start_after_commits("password resets", ResetWorker::new(app));
            app.start_after_commits("token revocations", RevocationWorker::new(app, providers));
            app.start("addresses", AddressWorker::new(app));
            app.start("erasure watch", ErasureWatch::new(app));
            app.start("folded names", NameFolder::new(app));
            if let Some(port) = internal_port {
                app.start("listener of the graph view", GraphListener::new(app, port));
            }
            for stream in INVALIDATING_STREAMS {
                app.start(format!("follower of {stream}"), introspection::follower(&running, stream));
            }
        })),
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

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = SERVICE.arguments()?;
    match Settings::from_arg_matches(&arguments)?.command {
        None => serve::run(&SERVICE, &arguments).await,
        Some(Command::Grant { account, role }) => {
            let base = Base::from_arg_matches(&arguments)?;
            telemetry::start(SERVICE.name, &base)?;
            let app = SERVICE.open(&arguments, telemetry::meters::start()?)?;
            roles::commands::grant(&app, &account, role).await
        }
    }
}
