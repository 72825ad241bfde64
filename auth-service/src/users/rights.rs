//! Rights as types: a route that takes one of these refuses a caller without it. A moderator who is muted still decides.
use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::request::Parts;
use uuid::Uuid;

use crate::app::App;
use crate::core::api::errors::Error;
use crate::core::app::identity::Role;
use crate::core::doors::callers::EvenMuted;

/// A person who may decide about others.
pub struct Moderator {
    pub id: Uuid,
}

/// A person who may give and take roles, too.
pub struct Admin {
    pub id: Uuid,
}

/// The caller, when their role is that one or one above.
async fn at_least(role: Role, parts: &mut Parts, app: &App, refusal: &'static str) -> Result<Uuid, Error> {
    let EvenMuted(user) = EvenMuted::from_request_parts(parts, app).await?;
    if user.role < role { Err(Error::Refused(StatusCode::FORBIDDEN, refusal)) } else { Ok(user.id) }
}

impl FromRequestParts<App> for Moderator {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Error> {
        let id = at_least(Role::Moderator, parts, app, "Only moderators can do this").await?;
        Ok(Self { id })
    }
}

impl FromRequestParts<App> for Admin {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Error> {
        let id = at_least(Role::Admin, parts, app, "Only administrators can do this").await?;
        Ok(Self { id })
    }
}
