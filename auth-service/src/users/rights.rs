//! Rights as types: a route that takes one of these refuses a caller without it.
use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::request::Parts;
use uuid::Uuid;

use super::models::Account;
use super::{Role, Status};
use crate::core::App;
use crate::core::errors::Error;
use crate::core::security::{Claims, REFUSAL, User};

/// A person who may decide about others.
pub struct Moderator {
    pub id: Uuid,
}

/// A person who may give and take roles, too.
pub struct Admin {
    pub id: Uuid,
}

/// A person who may write what others read.
pub struct Unmuted(pub User);

async fn account(parts: &mut Parts, app: &App) -> Result<(User, Account), Error> {
    let claims = Claims::from_request_parts(parts, app).await?;
    let account = app.resources.holder(&app.db, &claims).await?.ok_or(REFUSAL)?;
    Ok((User { id: account.id, session: claims.session }, account))
}

fn forbidden(sentence: &'static str) -> Error {
    Error::Refused(StatusCode::FORBIDDEN, sentence)
}

impl FromRequestParts<App> for Moderator {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Error> {
        let (User { id, .. }, account) = account(parts, app).await?;
        if account.role < Role::Moderator {
            return Err(forbidden("Only moderators can do this"));
        }
        Ok(Self { id })
    }
}

impl FromRequestParts<App> for Admin {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Error> {
        let (User { id, .. }, account) = account(parts, app).await?;
        if account.role < Role::Admin {
            return Err(forbidden("Only administrators can do this"));
        }
        Ok(Self { id })
    }
}

impl FromRequestParts<App> for Unmuted {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Error> {
        let (user, account) = account(parts, app).await?;
        if account.status == Status::Muted {
            return Err(forbidden("Muted users cannot write"));
        }
        Ok(Self(user))
    }
}
