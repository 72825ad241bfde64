//! What a decision does: the actions of moderators, of which machines may take the milder ones.
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Standing, SubjectType, Visibility};

/// The longest label, in characters.
pub const LONGEST_LABEL: usize = 32;
/// The longest mute, temporary ban or time of approvals, and the longest time until a restriction of content ends, in hours: a year.
pub const LONGEST_HOURS: i32 = 24 * 366;

/// One thing that a decision does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "action", rename_all = "SCREAMING_SNAKE_CASE", deny_unknown_fields)]
pub enum Action {
    /// The content stays as it is
    Allow,
    /// Shows a label with the content
    Label { label: String },
    /// Takes the content out of feeds
    Limit,
    /// Closes a post for new comments, also of its author
    Lock,
    /// Hides the content until a moderator has looked at it
    Hold,
    /// Hides the content until it is restored
    Hide,
    /// Deletes the content for good
    Remove,
    /// Ends all decisions in force about the subject
    Restore,
    /// Closes the review: nothing is to be done
    Dismiss,
    /// Warns the author
    Warn,
    /// Hides what the author publishes from now on until a moderator has looked at it, for a time
    RequireApproval { hours: i32 },
    /// Mutes the author for a time
    Mute { hours: i32 },
    /// Bans the author for a time, or for good
    Ban {
        #[serde(default)]
        hours: Option<i32>,
    },
}

impl Action {
    /// Its word in the API.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Allow => "ALLOW",
            Self::Label { .. } => "LABEL",
            Self::Limit => "LIMIT",
            Self::Lock => "LOCK",
            Self::Hold => "HOLD",
            Self::Hide => "HIDE",
            Self::Remove => "REMOVE",
            Self::Restore => "RESTORE",
            Self::Dismiss => "DISMISS",
            Self::Warn => "WARN",
            Self::RequireApproval { .. } => "REQUIRE_APPROVAL",
            Self::Mute { .. } => "MUTE",
            Self::Ban { .. } => "BAN",
        }
    }

    /// What becomes of the content, where the action is about that.
    pub fn visibility(&self) -> Option<Visibility> {
        match self {
            Self::Limit => Some(Visibility::Limited),
            Self::Hold => Some(Visibility::Held),
            Self::Hide => Some(Visibility::Hidden),
            Self::Remove => Some(Visibility::Removed),
            _ => None,
        }
    }

    /// What becomes of the author's account, and for how many hours, where the action is about that. None: for good.
    pub fn standing(&self) -> Option<(Standing, Option<i32>)> {
        match self {
            Self::RequireApproval { hours } => Some((Standing::ApprovalRequired, Some(*hours))),
            Self::Mute { hours } => Some((Standing::Muted, Some(*hours))),
            Self::Ban { hours } => Some((Standing::Banned, *hours)),
            _ => None,
        }
    }

    /// Whether it changes what other users see of a content, or what they may do with it.
    pub fn is_about_content(&self) -> bool {
        self.visibility().is_some() || matches!(self, Self::Label { .. } | Self::Lock)
    }

    /// Whether it can be done to a subject of that type: a user is no content, comments are on posts alone, no feed has anything else, and
    /// pictures are shown without labels.
    pub fn fits(&self, subject: SubjectType) -> bool {
        match subject {
            SubjectType::User => !self.is_about_content(),
            SubjectType::Post => true,
            SubjectType::Comment => !matches!(self, Self::Lock | Self::Limit),
            SubjectType::Media => !matches!(self, Self::Lock | Self::Limit | Self::Label { .. }),
        }
    }

    /// Whether it is about the author and not about the content.
    pub fn is_about_author(&self) -> bool {
        *self == Self::Warn || self.standing().is_some()
    }

    /// Whether a machine may do it: at most it hides. Spam alone it may remove, by a rule that says so.
    pub fn is_for_machines(&self) -> bool {
        matches!(self, Self::Allow | Self::Label { .. } | Self::Limit | Self::Hold | Self::Hide)
    }
}
