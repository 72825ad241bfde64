//! What only this service has and several of its features use: passwords, access tokens, cached verdicts. It knows no
//! feature; main puts it together.
pub mod access_tokens;
pub mod passwords;
pub mod verdicts;

use std::ops::Deref;
use std::sync::Arc;

use axum::extract::FromRef;

use crate::app::access_tokens::{AccessTokens, TokenSettings};
use crate::app::passwords::Passwords;
use crate::app::verdicts::VerdictCache;
use crate::core::app;
use crate::core::ground::settings::Environment;

/// The running service, as its handlers have it.
#[derive(Clone)]
pub struct App(Arc<AuthState>);

/// What the service consists of beside what every service has.
pub struct AuthState {
    core: app::App,
    pub passwords: Passwords,
    pub tokens: AccessTokens,
    pub verdicts: VerdictCache,
    pub rules: AccountRules,
}

/// What the settings say about accounts.
#[derive(Clone, Debug, Default)]
pub struct AccountRules {
    /// The key of the address whose verification makes its person administrator, as long as there is none.
    pub first_admin: Option<String>,
    /// Whether a session is enough to change address and password, however old it is, as in the original.
    pub update_without_password: bool,
}

impl App {
    /// The service with these settings. Fails where they are not fit for production.
    pub fn new(core: &app::App, tokens: &TokenSettings, rules: AccountRules) -> anyhow::Result<Self> {
        tokens.check(core.settings.environment)?;
        anyhow::ensure!(
            !rules.update_without_password || core.settings.environment != Environment::Production,
            "UPDATE_WITHOUT_PASSWORD is not for production: whoever gets hold of a session could take the account"
        );
        Ok(Self(Arc::new(AuthState {
            core: core.clone(),
            passwords: Passwords::new()?,
            tokens: AccessTokens::new(tokens)?,
            verdicts: VerdictCache::new(core.commits.subscribe()),
            rules,
        })))
    }
}

impl Deref for App {
    type Target = AuthState;

    fn deref(&self) -> &AuthState {
        &self.0
    }
}

impl Deref for AuthState {
    type Target = app::App;

    fn deref(&self) -> &app::App {
        &self.core
    }
}

impl FromRef<App> for app::App {
    fn from_ref(app: &App) -> Self {
        app.core.clone()
    }
}
