//! What became of a subject, in events.
use serde::Serialize;
use uuid::Uuid;

use crate::core::contract::timestamp::Timestamp;
use crate::subjects::changes::{Ended, Ruling};
use crate::subjects::reasons::{ContractReason, Reason};
use crate::subjects::{Standing, SubjectType, Visibility};

/// Why a subject has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Cause {
    Decided,
    Expired,
    Reversed,
    Overturned,
    /// A moderator has restored the subject: all decisions about it have ended.
    Restored,
}

impl From<Ended> for Cause {
    fn from(why: Ended) -> Self {
        match why {
            Ended::Expired => Self::Expired,
            Ended::Reversed => Self::Reversed,
            Ended::Overturned => Self::Overturned,
            Ended::Superseded => Self::Decided,
        }
    }
}

/// What is published of a decision. No note: it is for the author alone, who gets it as a notice.
#[derive(Clone, Debug, Serialize)]
pub struct DecisionFacts {
    pub id: Uuid,
    pub actions: Vec<&'static str>,
    pub reason: Reason,
    pub contract_reason: ContractReason,
    pub automated: bool,
    pub policy: Option<Uuid>,
    pub policy_version: Option<i32>,
    pub rule: Option<String>,
    pub expires_at: Option<Timestamp>,
}

impl From<&Ruling> for DecisionFacts {
    fn from(ruling: &Ruling) -> Self {
        Self {
            id: ruling.decision,
            actions: ruling.actions.iter().map(|action| action.word()).collect(),
            reason: ruling.reason,
            contract_reason: ruling.reason.contract(),
            automated: ruling.automated,
            policy: ruling.policy.as_ref().map(|policy| policy.id),
            policy_version: ruling.policy.as_ref().map(|policy| policy.version),
            rule: ruling.policy.as_ref().map(|policy| policy.rule.clone()),
            expires_at: ruling.expires_at.or(ruling.standing_until),
        }
    }
}

/// `moderation_decided`: the state of a subject, after every change of its visibility, labels or standing. Of one subject the
/// newest version holds.
#[derive(Serialize)]
pub struct ModerationDecided<'a> {
    pub id: Uuid,
    pub at: Timestamp,
    pub subject_type: SubjectType,
    pub subject_id: Uuid,
    pub author: Uuid,
    pub version: i64,
    pub visibility: Visibility,
    pub previous_visibility: Visibility,
    pub labels: &'a [String],
    pub cause: Cause,
    /// The decision that is the reason; when one has ended, the strictest that is left, if any.
    pub decision: Option<DecisionFacts>,
}

/// `content_labelled`: the labels of a content, after every change.
#[derive(Serialize)]
pub struct ContentLabelled<'a> {
    pub id: Uuid,
    pub at: Timestamp,
    pub subject_type: SubjectType,
    pub subject_id: Uuid,
    pub author: Uuid,
    pub version: i64,
    pub labels: &'a [String],
}

/// `user_status_changed`: what a user may do, after every change.
#[derive(Serialize)]
pub struct UserStatusChanged {
    pub id: Uuid,
    pub at: Timestamp,
    pub user_id: Uuid,
    pub version: i64,
    pub status: Standing,
    pub until: Option<Timestamp>,
    pub reason: Option<Reason>,
    pub decision_id: Option<Uuid>,
}
