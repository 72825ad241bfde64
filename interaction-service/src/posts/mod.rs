//! Posts as this service stores them: who may see them, and whether they still exist.
pub mod events;
pub mod lookup;
pub mod models;
pub mod schemas;

#[cfg(test)]
pub mod testing;
#[cfg(test)]
mod tests;

use axum::http::StatusCode;

use crate::core::api::errors::Error;

/// The answer about a post that does not exist, and about one that the caller may not see: both look the same.
pub const NOT_FOUND: Error = Error::Refused(StatusCode::NOT_FOUND, "Post not found");

/// Who may comment on a post beside its author.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize, sqlx::Type, utoipa::ToSchema,
)]
#[serde(rename_all = "UPPERCASE")]
#[sqlx(type_name = "text", rename_all = "UPPERCASE")]
pub enum Commenters {
    /// All who see it
    #[default]
    Everyone,
    /// The users that the author is connected to
    Connections,
    /// Its author alone
    Nobody,
    /// None at all: moderation has closed it
    Locked,
}

impl Commenters {
    /// Its word in the API and in the database.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Everyone => "EVERYONE",
            Self::Connections => "CONNECTIONS",
            Self::Nobody => "NOBODY",
            Self::Locked => "LOCKED",
        }
    }

    /// Whether all who see the post may comment on it.
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde asks for")]
    pub fn is_everyone(&self) -> bool {
        *self == Self::Everyone
    }
}

/// The status of a post, which decides who sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, sqlx::Type, utoipa::ToSchema)]
#[serde(rename_all = "UPPERCASE")]
#[sqlx(type_name = "text", rename_all = "UPPERCASE")]
pub enum Status {
    /// Seen by its author, who is still writing
    Draft,
    /// Seen by all users
    Posted,
    /// Seen by its author, who withdrew it
    Archived,
}

impl Status {
    /// Its word in the API and in the database.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Draft => "DRAFT",
            Self::Posted => "POSTED",
            Self::Archived => "ARCHIVED",
        }
    }
}
