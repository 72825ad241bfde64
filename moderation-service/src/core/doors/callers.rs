//! The callers of routes, as extractors: a person by their token, and the platform's own operators by the service token.
use axum::extract::{FromRef, FromRequestParts};
use axum::http::request::Parts;
use axum::http::{Method, StatusCode};
use secrecy::ExposeSecret;
use serde::Deserialize;
use subtle::ConstantTimeEq;
use uuid::Uuid;

use crate::core::api::errors::{Error, NOT_AUTHENTICATED};
use crate::core::app::App;
use crate::core::app::identity::{Status, User, bearer};
use crate::core::events::follower::Follower;
use crate::core::ground::replica;
use crate::core::ground::telemetry::trace;

/// A person who calls, muted or not: for what a muted person may write, such as a new password or an appeal.
pub struct EvenMuted(pub User);

impl<S: Send + Sync> FromRequestParts<S> for EvenMuted
where
    App: FromRef<S>,
{
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Error> {
        // What was found out for a limit or a key holds for the handler of the same request.
        if let Some(user) = parts.extensions.get::<User>() {
            return Ok(Self(user.clone()));
        }
        let user = App::from_ref(state).authenticator.authenticate(parts).await?;
        trace::record_caller(user.id, &format!("{:?}", user.role));
        replica::record_caller(user.id);
        parts.extensions.insert(user.clone());
        Ok(Self(user))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for User
where
    App: FromRef<S>,
{
    type Rejection = Error;

    /// Refuses a muted person who writes here and not in the handlers, so that a route which forgets it cannot be written.
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Error> {
        let EvenMuted(user) = EvenMuted::from_request_parts(parts, state).await?;
        let writes = matches!(parts.method, Method::POST | Method::PUT | Method::PATCH);
        let refused = writes && user.status == Status::Muted;
        if refused { Err(Error::Refused(StatusCode::FORBIDDEN, "Muted users cannot write")) } else { Ok(user) }
    }
}

/// Whether a token is the service token, compared in constant time; where none is set, no token is.
pub fn is_service_token(app: &App, given: &str) -> bool {
    app.settings.service_token.as_ref().is_some_and(|own| own.expose_secret().as_bytes().ct_eq(given.as_bytes()).into())
}

/// An operator, or another service of the platform: any caller that has the service token.
pub struct Operator;

impl<S: Send + Sync> FromRequestParts<S> for Operator
where
    App: FromRef<S>,
{
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Error> {
        let given = bearer(&parts.headers).ok_or(NOT_AUTHENTICATED)?;
        let knows = is_service_token(&App::from_ref(state), given);
        if knows { Ok(Self) } else { Err(Error::Refused(StatusCode::FORBIDDEN, "Not an operator")) }
    }
}

/// What is read of an event about a person: an account's own id, or the person whose session ended.
#[derive(Deserialize)]
struct AboutPerson {
    user_id: Option<Uuid>,
    id: Option<Uuid>,
}

/// Follows a stream whose events make verdicts about tokens untrue. What a replica may have missed clears them all.
pub fn verdict_follower(app: &App, stream: &'static str) -> Follower {
    let authenticator = app.authenticator.clone();
    Follower::new(app, stream, move |message| {
        let Some(message) = message else { return authenticator.forget(None) };
        let about: AboutPerson = serde_json::from_str(message)?;
        about.user_id.or(about.id).map_or(Ok(()), |person| authenticator.forget(Some(person)))
    })
}
