//! Users: the rows of their accounts, roles, statuses and interests.
pub mod address;
pub mod models;
pub mod rights;
pub mod schemas;

use axum::http::StatusCode;

use crate::core::api::errors::Error;
use crate::core::app::identity::{Role, Status};

/// The answer to a person whose account was deleted while the request was under way.
pub const ACCOUNT_DELETED: Error = Error::Refused(StatusCode::UNAUTHORIZED, "Invalid username or password");

/// The answer about a user that does not exist, or not for the caller.
pub const USER_NOT_FOUND: Error = Error::Refused(StatusCode::NOT_FOUND, "User not found");

/// The constraint by which the database refuses an address that has an account already.
pub const EMAIL_TAKEN: &str = "account_email_key";

/// The answer about an address that has an account already.
pub const ADDRESS_TAKEN: Error = Error::Refused(StatusCode::BAD_REQUEST, "User with this email already exists");

/// The refusal of an address that has an account already, when that is what the database refused.
pub fn address_taken(error: sqlx::Error) -> Error {
    match &error {
        sqlx::Error::Database(cause) if cause.constraint() == Some(EMAIL_TAKEN) => ADDRESS_TAKEN,
        _ => error.into(),
    }
}

/// The words of the API for roles, in their order.
pub const ROLE_WORDS: [&str; 3] = ["USER", "MODERATOR", "ADMIN"];

/// The role of a word.
pub fn role_of(word: &str) -> Option<Role> {
    [Role::User, Role::Moderator, Role::Admin].into_iter().find(|role| role.word() == word)
}

/// What the API has a word for.
pub trait ApiWord {
    /// The word.
    fn word(self) -> &'static str;
}

impl ApiWord for Role {
    fn word(self) -> &'static str {
        ROLE_WORDS[self as usize]
    }
}

impl ApiWord for Status {
    fn word(self) -> &'static str {
        match self {
            Self::Active => "ACTIVE",
            Self::Inactive => "INACTIVE",
            Self::Muted => "MUTED",
            Self::Banned => "BANNED",
        }
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
