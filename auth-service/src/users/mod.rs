//! Users: the rows of their accounts, roles, statuses and interests.
pub mod models;
pub mod rights;
pub mod schemas;

use axum::http::StatusCode;

use crate::core::errors::Error;

/// The answer to a person whose account was deleted while the request was under way.
pub const ACCOUNT_DELETED: Error = Error::Refused(StatusCode::UNAUTHORIZED, "Invalid username or password");

/// The answer about a user that does not exist, or not for the caller.
pub const USER_NOT_FOUND: Error = Error::Refused(StatusCode::NOT_FOUND, "User not found");

/// What a person may do here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, sqlx::Type, utoipa::ToSchema)]
#[serde(rename_all = "UPPERCASE")]
#[sqlx(type_name = "text", rename_all = "UPPERCASE")]
pub enum Status {
    /// Their address was verified
    Active,
    /// Their address was never verified
    Inactive,
    /// Moderation has silenced them
    Muted,
    /// Moderation has shut them out
    Banned,
}

impl Status {
    /// The word of the API.
    pub fn word(self) -> &'static str {
        match self {
            Self::Active => "ACTIVE",
            Self::Inactive => "INACTIVE",
            Self::Muted => "MUTED",
            Self::Banned => "BANNED",
        }
    }
}

/// What a person may do beyond their own things; each may do what the one before may.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, clap::ValueEnum, sqlx::Type, utoipa::ToSchema,
)]
#[serde(rename_all = "UPPERCASE")]
#[clap(rename_all = "UPPER")]
#[sqlx(type_name = "text", rename_all = "UPPERCASE")]
pub enum Role {
    User,
    /// Mutes, bans and deletes what others wrote
    Moderator,
    /// Gives and takes roles, too
    Admin,
}

impl Role {
    /// The words of the API, in the order of the roles.
    pub const WORDS: [&str; 3] = ["USER", "MODERATOR", "ADMIN"];

    /// The role of that word.
    pub fn of(word: &str) -> Option<Self> {
        [Self::User, Self::Moderator, Self::Admin].into_iter().find(|role| role.word() == word)
    }

    /// The word of the API.
    pub fn word(self) -> &'static str {
        Self::WORDS[self as usize]
    }
}

/// What a person can be interested in, in the contract's order.
pub const INTERESTS: [&str; 22] = [
    "SPORTS",
    "NEWS",
    "HEALTH",
    "POLITICS",
    "TRAVEL",
    "FOOD",
    "FICTION",
    "TECHNOLOGY",
    "COMMUNICATION",
    "INTERNATIONAL",
    "NATIONAL",
    "CULTURAL",
    "LIFE_STYLE",
    "FASHION",
    "EDUCATIONAL",
    "PERSONAL_EVENT",
    "OTHER",
    "MUSIC_AND_ART",
    "NOVEL_AND_POETRY",
    "BOOKS",
    "PROTEST",
    "SCIENTIFIC",
];
