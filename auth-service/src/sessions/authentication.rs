//! How this service finds out who calls: by the access token, in the header or in a cookie, and the session that it names.
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use clap::{ArgMatches, FromArgMatches};
use futures::FutureExt;
use futures::future::BoxFuture;
use sqlx::PgPool;

use super::cookies::{self, ACCESS_COOKIE};
use super::introspection::find_holder;
use crate::app::App;
use crate::app::access_tokens::{AccessTokens, REFUSAL, TokenSettings};
use crate::core::api::errors::{Error, NOT_AUTHENTICATED};
use crate::core::app::identity::{Authenticate, User, bearer};
use crate::core::ground::settings::{Base, Environment};

/// Authenticates by the sessions of this service. It remembers nothing: one query says whether a session goes on.
struct SessionAuthenticator {
    tokens: AccessTokens,
    environment: Environment,
    db: PgPool,
}

/// What authenticates under these settings.
pub fn authenticator(arguments: &ArgMatches, db: &PgPool) -> anyhow::Result<Arc<dyn Authenticate>> {
    let tokens = AccessTokens::new(&TokenSettings::from_arg_matches(arguments)?)?;
    let environment = Base::from_arg_matches(arguments)?.environment;
    Ok(Arc::new(SessionAuthenticator { tokens, environment, db: db.clone() }))
}

impl Authenticate for SessionAuthenticator {
    fn authenticate<'a>(&'a self, request: &'a Parts) -> BoxFuture<'a, Result<User, Error>> {
        async {
            let token = presented(request, &self.tokens.settings, self.environment)?;
            let claims = self.tokens.claims(&token)?;
            let account = find_holder(&self.db, &claims).await?.ok_or(REFUSAL)?;
            let (session, expires_at) = (claims.session, claims.expires_at);
            Ok(User { id: account.id, role: account.role, status: account.status, session, expires_at })
        }
        .boxed()
    }
}

fn presented(request: &Parts, settings: &TokenSettings, environment: Environment) -> Result<String, Error> {
    match bearer(&request.headers) {
        Some(token) => Ok(token.to_owned()),
        None => cookies::read(request, settings, environment, ACCESS_COOKIE)?.ok_or(NOT_AUTHENTICATED),
    }
}

/// The access token of a request, not yet checked.
pub struct PresentedToken(pub String);

impl FromRequestParts<App> for PresentedToken {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Error> {
        presented(parts, &app.tokens.settings, app.settings.environment).map(Self)
    }
}
