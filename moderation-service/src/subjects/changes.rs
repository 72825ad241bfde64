//! What can happen to a subject: the entries of the ledger, by their actor and their kind.
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::actions::Action;
use super::means::AutomatedMeans;
use super::reasons::Reason;
use super::{Standing, Visibility};
use crate::core::contract::timestamp::Timestamp;

/// What kind of actor an entry has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, sqlx::Type, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[sqlx(type_name = "text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ActorType {
    /// A policy over the analysis of a content
    Machine,
    Moderator,
    /// The author, or a reporter
    User,
    /// Time has passed
    Timer,
    /// Another service of the platform, or its operator
    Operator,
}

/// What acted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Actor {
    Machine,
    Moderator(Uuid),
    User(Uuid),
    Timer,
    /// The moderator who acted in another service, where it said so.
    Operator(Option<Uuid>),
}

impl Actor {
    pub fn r#type(self) -> ActorType {
        match self {
            Self::Machine => ActorType::Machine,
            Self::Moderator(_) => ActorType::Moderator,
            Self::User(_) => ActorType::User,
            Self::Timer => ActorType::Timer,
            Self::Operator(_) => ActorType::Operator,
        }
    }

    /// The person, where there is one.
    pub fn person(self) -> Option<Uuid> {
        match self {
            Self::Moderator(id) | Self::User(id) => Some(id),
            Self::Operator(id) => id,
            Self::Machine | Self::Timer => None,
        }
    }
}

/// Why a decision is no longer in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, sqlx::Type, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[sqlx(type_name = "text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Ended {
    /// Its time was over
    Expired,
    /// A moderator took it back
    Reversed,
    /// An appeal succeeded
    Overturned,
    /// A moderator decided about what a machine had held
    Superseded,
    /// A machine has read a new text, or read it anew, and would not decide so again
    Reread,
}

impl Ended {
    /// Whether the decision was wrong: then its strike counts no longer.
    pub fn is_taken_back(self) -> bool {
        matches!(self, Self::Reversed | Self::Overturned)
    }

    /// Its word in metrics.
    pub fn word(self) -> &'static str {
        match self {
            Self::Expired => "expired",
            Self::Reversed => "reversed",
            Self::Overturned => "overturned",
            Self::Superseded => "superseded",
            Self::Reread => "reread",
        }
    }
}

/// The policy that a decision follows from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PolicyRef {
    pub id: Uuid,
    pub version: i32,
    pub rule: String,
}

/// A decision, as it is in force for one subject.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ruling {
    pub decision: Uuid,
    /// All actions of the decision.
    pub actions: Vec<Action>,
    pub reason: Reason,
    /// Whether no person has decided.
    pub automated: bool,
    pub policy: Option<PolicyRef>,
    /// What it makes of this subject, if anything.
    pub visibility: Option<Visibility>,
    pub labels: Vec<String>,
    /// Whether it is closed for comments. Entries of before there were locks do not say.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub locked: bool,
    /// Until when visibility, labels and lock are in force; none: without an end.
    pub expires_at: Option<Timestamp>,
    pub standing: Option<Standing>,
    /// Until when the standing is in force; none: without an end.
    pub standing_until: Option<Timestamp>,
}

impl Ruling {
    /// Whether it changes anything about the subject.
    pub fn has_effect(&self) -> bool {
        self.visibility.is_some() || self.standing.is_some() || self.locked || !self.labels.is_empty()
    }
}

/// The reports about a subject that a decision has left open.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReportsLeft {
    pub reports: i32,
    /// What they weigh together.
    pub weight: f64,
}

/// Something that happened to a subject. Its notes are kept apart from the rest, because they are a person's words
/// ([`WORDS`]).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Change {
    /// A machine asks for a person.
    Flagged {
        analysis: Uuid,
        severity: f64,
        reason: Reason,
    },
    /// A user has reported it; the weight is the reporter's.
    Reported {
        report: Uuid,
        severity: f64,
        weight: f64,
        reason: Reason,
    },
    /// A moderator has answered open reports: all, or those that were there when they looked.
    ReportsClosed {
        reports: i32,
        /// Those that stay open.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        left: Option<ReportsLeft>,
    },
    /// It is handed to a senior moderator: by another one, or by a decision that was scheduled and not made.
    Escalated {
        #[serde(default)]
        note: Option<String>,
    },
    /// A moderator writes a note for others.
    Noted {
        #[serde(default)]
        note: String,
    },
    /// It was decided about.
    Decided {
        #[serde(flatten)]
        ruling: Box<Ruling>,
        /// Whether a person has looked at this subject, so that the review is over.
        closes_review: bool,
        /// Up to which entry of the ledger it answers reports, where the review goes on for what came later.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        answers_until: Option<i64>,
        /// What a machine has decided by.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        means: Option<Box<AutomatedMeans>>,
        #[serde(default)]
        public_note: Option<String>,
        #[serde(default)]
        internal_note: Option<String>,
    },
    /// A decision is no longer in force here.
    Ended {
        decision: Uuid,
        why: Ended,
        #[serde(default)]
        note: Option<String>,
    },
    /// What a decision has hidden long ago is deleted for good.
    Removed {
        decision: Uuid,
    },
    Appealed {
        appeal: Uuid,
        decision: Uuid,
    },
    AppealResolved {
        appeal: Uuid,
        decision: Uuid,
        overturned: bool,
        #[serde(default)]
        note: Option<String>,
    },
    /// Its owner has deleted the content or the account.
    Gone,
}

/// The fields of changes that hold what a person wrote.
pub const WORDS: [&str; 3] = ["note", "public_note", "internal_note"];
