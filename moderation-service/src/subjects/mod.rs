//! Subjects: the posts, comments, pictures and users that can be decided about, and the state of each, which follows from what happened to it.
pub mod actions;
pub mod changes;
pub mod flags;
pub mod fold;
pub mod means;
pub mod models;
pub mod reasons;
pub mod staff;
pub mod state;

#[cfg(test)]
pub mod histories;

use std::str::FromStr;

use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::request::Parts;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::core::api::errors::Error;
use crate::core::contract::fields::invalid;

/// What kind of thing a subject is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, sqlx::Type, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[sqlx(type_name = "text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum SubjectType {
    Comment,
    /// A picture
    Media,
    Post,
    User,
}

impl SubjectType {
    /// All of them, by their words in the API.
    pub const ALL: [(&'static str, Self); 4] =
        [("COMMENT", Self::Comment), ("MEDIA", Self::Media), ("POST", Self::Post), ("USER", Self::User)];

    /// Its word in the API.
    pub fn word(self) -> &'static str {
        match self {
            Self::Comment => "COMMENT",
            Self::Media => "MEDIA",
            Self::Post => "POST",
            Self::User => "USER",
        }
    }
}

impl FromStr for SubjectType {
    type Err = ();

    /// Reads its word, in any case.
    fn from_str(word: &str) -> Result<Self, ()> {
        Self::ALL.iter().find(|(name, _)| name.eq_ignore_ascii_case(word)).map(|(_, kind)| *kind).ok_or(())
    }
}

/// Which subject it is. Keys are ordered as subjects are locked: contents first, then users.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SubjectKey {
    pub r#type: SubjectType,
    pub id: Uuid,
}

impl SubjectKey {
    /// A user as a subject.
    pub fn user(id: Uuid) -> Self {
        Self { r#type: SubjectType::User, id }
    }

    /// Whether the contract has requests and cases about it: of posts and comments.
    pub fn is_in_contract(self) -> bool {
        matches!(self.r#type, SubjectType::Post | SubjectType::Comment)
    }

    /// Whether it is a user and no content.
    pub fn is_user(self) -> bool {
        self.r#type == SubjectType::User
    }
}

impl<S: Send + Sync> FromRequestParts<S> for SubjectKey {
    type Rejection = Error;

    /// Reads `{type}` and `{id}` of the path.
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Error> {
        // Refused only when a part of the path is not UTF-8, which neither of the two is.
        let params = RawPathParams::from_request_parts(parts, state).await;
        let value = |name: &str| {
            let found = params.iter().flatten().find(|(param, _)| *param == name);
            found.map(|(_, value)| value.to_owned()).unwrap_or_default()
        };
        let (kind, id) = (value("type").parse::<SubjectType>(), Uuid::from_str(&value("id")));
        if let (Ok(r#type), Ok(id)) = (kind, &id) {
            return Ok(Self { r#type, id: *id });
        }
        let wrong_type = "value is not a valid enumeration member; permitted: 'COMMENT', 'MEDIA', 'POST', 'USER'";
        let errors = [
            kind.is_err().then(|| invalid(&["path", "type"], wrong_type, "type_error.enum", None)),
            id.is_err().then(|| invalid(&["path", "id"], "value is not a valid uuid", "type_error.uuid", None)),
        ];
        Err(Error::Invalid(errors.into_iter().flatten().collect()))
    }
}

/// Who can see a content; the later, the stricter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, sqlx::Type, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[sqlx(type_name = "text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Visibility {
    #[default]
    Visible,
    /// In no feed
    Limited,
    /// Hidden until a moderator has looked at it
    Held,
    /// Hidden until it is restored
    Hidden,
    /// Deleted for good
    Removed,
}

impl Visibility {
    /// Whether users other than its author cannot read it.
    pub fn is_hidden(self) -> bool {
        self >= Self::Held
    }
}

/// What a user may do; the later, the stricter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, sqlx::Type, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[sqlx(type_name = "text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Standing {
    #[default]
    Active,
    /// Writes, and is read once a moderator has looked at it
    ApprovalRequired,
    /// Cannot write
    Muted,
    /// Cannot log in
    Banned,
}

impl Standing {
    /// What the account's own service makes of it: approvals are asked for here alone.
    pub fn of_account(self) -> Self {
        if self == Self::ApprovalRequired { Self::Active } else { self }
    }
}

/// Whether a person has to look at a subject.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, sqlx::Type, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[sqlx(type_name = "text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Review {
    /// It was never reported or flagged
    #[default]
    None,
    Open,
    /// Handed to a senior moderator
    Escalated,
    /// A moderator has decided
    Closed,
}

impl Review {
    /// Whether it stands in the queue.
    pub fn is_open(self) -> bool {
        matches!(self, Self::Open | Self::Escalated)
    }
}
