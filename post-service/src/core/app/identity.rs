//! The caller of a request, as the auth service knows them, and the authenticator that finds out.
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use chrono::{DateTime, Utc};
use clap::ValueEnum;
use futures::future::BoxFuture;
use serde::{Deserialize, Serialize};
use sqlx::Type;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::core::api::errors::Error;

/// What a person may do beyond their own things; each may do what the one before may.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Serialize, Deserialize, ValueEnum, Type, ToSchema)]
#[serde(rename_all = "UPPERCASE")]
#[clap(rename_all = "UPPER")]
#[sqlx(type_name = "text", rename_all = "UPPERCASE")]
pub enum Role {
    #[default]
    User,
    /// Mutes, bans and deletes what others wrote
    Moderator,
    /// Gives and takes roles, too
    Admin,
}

/// What a person may do here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, Type, ToSchema)]
#[serde(rename_all = "UPPERCASE")]
#[sqlx(type_name = "text", rename_all = "UPPERCASE")]
pub enum Status {
    /// Their address was verified
    #[default]
    Active,
    /// Their address was never verified
    Inactive,
    /// Moderation has silenced them
    Muted,
    /// Moderation has shut them out
    Banned,
}

/// The person who calls. An auth service of the original names neither role nor session.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct User {
    pub id: Uuid,
    #[serde(default)]
    pub role: Role,
    #[serde(default)]
    pub status: Status,
    #[serde(default, rename = "session_id")]
    pub session: Option<Uuid>,
    /// The end of the token, where it has one.
    #[serde(default)]
    pub expires_at: Option<DateTime<Utc>>,
}

/// Finds out who calls: in the auth service by its own sessions, elsewhere by asking the auth service.
pub trait Authenticate: Send + Sync + 'static {
    /// The person whose token a request carries; an error refuses the request.
    fn authenticate<'a>(&'a self, request: &'a Parts) -> BoxFuture<'a, Result<User, Error>>;

    /// The streams whose events make what is remembered about a person untrue.
    fn invalidating_streams(&self) -> &'static [&'static str] {
        &[]
    }

    /// Forgets what is remembered about a person, or, without one, about all.
    fn forget(&self, _person: Option<Uuid>) -> anyhow::Result<()> {
        Ok(())
    }
}

/// The token of an `Authorization: Bearer …` header; the scheme in any case. Without anything behind the scheme it is an
/// empty token, which is refused as an invalid one, as in the original.
pub fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ').unwrap_or((value, ""));
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}
