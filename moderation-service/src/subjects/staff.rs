//! The callers that may moderate, as extractors: a handler that takes one is closed to all others.
use axum::extract::{FromRef, FromRequestParts};
use axum::http::StatusCode;
use axum::http::request::Parts;

use crate::core::api::errors::Error;
use crate::core::app::App;
use crate::core::app::identity::{Role, User};

/// A moderator or an administrator.
pub struct Moderator(pub User);

/// An administrator.
pub struct Admin(pub User);

impl<S: Send + Sync> FromRequestParts<S> for Moderator
where
    App: FromRef<S>,
{
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Error> {
        at_least(Role::Moderator, "Only moderators can do this", parts, state).await.map(Self)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Admin
where
    App: FromRef<S>,
{
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Error> {
        at_least(Role::Admin, "Only administrators can do this", parts, state).await.map(Self)
    }
}

async fn at_least<S: Send + Sync>(
    role: Role,
    refusal: &'static str,
    parts: &mut Parts,
    state: &S,
) -> Result<User, Error>
where
    App: FromRef<S>,
{
    let user = User::from_request_parts(parts, state).await?;
    if user.role >= role { Ok(user) } else { Err(Error::Refused(StatusCode::FORBIDDEN, refusal)) }
}
