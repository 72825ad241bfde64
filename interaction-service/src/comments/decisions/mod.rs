//! Moderation's decisions about comments: each is applied once, and the newest holds, in whatever order they and the requests to
//! delete that go with them are consumed.
pub mod models;

#[cfg(test)]
mod tests;

use serde::Deserialize;

/// What a decision lets be seen of a comment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, sqlx::Type)]
#[serde(rename_all = "UPPERCASE")]
#[sqlx(type_name = "text", rename_all = "UPPERCASE")]
pub enum DecidedVisibility {
    Visible,
    /// For a comment the same.
    Limited,
    /// Hidden until a person has looked.
    Held,
    /// Hidden until it is restored.
    Hidden,
    /// Deleted for good.
    Removed,
}

impl DecidedVisibility {
    /// Whether it takes a comment from its readers.
    pub fn hides(self) -> bool {
        matches!(self, Self::Held | Self::Hidden | Self::Removed)
    }
}
