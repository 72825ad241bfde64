//! The log in the API, and what became of a subject, in events.
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;
use uuid::Uuid;

use super::hex;
use super::models::{ChainFault, StoredEntry};
use crate::core::contract::timestamp::Timestamp;
use crate::subjects::actions::Action;
use crate::subjects::changes::{ActorType, Ended, Ruling};
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
            // That a machine would not decide so again is news of this service alone.
            Ended::Reversed | Ended::Reread => Self::Reversed,
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
            actions: ruling.actions.iter().map(Action::word).collect(),
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

/// `moderation_decided`: the state of a subject, after every change of its visibility, labels, lock or standing. Of one subject
/// the newest version holds.
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
    /// Whether it is closed for comments.
    pub locked: bool,
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
    /// Of a ban: the right to appeal its decision without a sign-in, for the mail about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub appeal_token: Option<String>,
}

/// An entry of the log.
#[derive(Serialize, ToSchema)]
pub struct LogEntryOut {
    /// Its number, from 1, without gaps
    pub seq: i64,
    pub id: Uuid,
    pub at: Timestamp,
    pub actor_type: ActorType,
    /// The person who acted, where one did
    pub actor: Option<Uuid>,
    pub subject_type: SubjectType,
    pub subject_id: Uuid,
    /// The version of the subject that it made
    pub version: i64,
    /// Such as `decided`, `ended`, `reported`, `flagged`
    #[schema(examples("decided"))]
    pub kind: String,
    /// What happened; null when the author's account is erased
    #[schema(value_type = Option<Object>)]
    pub details: Option<Box<RawValue>>,
    /// What the actor wrote: `note`, `public_note`, `internal_note`; null when nothing, or when it is erased
    #[schema(value_type = Option<Object>)]
    pub words: Option<Box<RawValue>>,
    /// The hash of the entry (SHA-256), which the next one contains
    pub hash: String,
}

impl From<StoredEntry> for LogEntryOut {
    fn from(entry: StoredEntry) -> Self {
        let raw = |text: String| RawValue::from_string(text).ok();
        Self {
            seq: entry.seq,
            id: entry.id,
            at: entry.at,
            actor_type: entry.actor_type,
            actor: entry.actor,
            subject_type: entry.subject_type,
            subject_id: entry.subject_id,
            version: entry.version,
            kind: entry.kind,
            details: entry.details.and_then(raw),
            words: entry.words.and_then(raw),
            hash: hex(&entry.hash),
        }
    }
}

/// Whether the log is as it was written.
#[derive(Serialize, ToSchema)]
pub struct VerificationOut {
    pub valid: bool,
    /// Whether all was checked; otherwise the next request begins with `after` = `to`
    pub complete: bool,
    /// Behind which number it began
    pub after: i64,
    /// The last number that was checked
    pub to: i64,
    /// Of the entries that were checked, those without their details: an erased account has left them, and nothing else should
    pub erased: i64,
    /// The hash of the last entry: kept elsewhere, it proves later that none of the entries was rewritten
    pub head: String,
    pub fault: Option<FaultOut>,
}

/// The first place at which the log is not as it was written.
#[derive(Serialize, ToSchema)]
pub struct FaultOut {
    pub seq: i64,
    /// `MISSING`: the entry before it is not there; `CHAIN`: it does not continue the one before; `ENTRY`: the entry was
    /// changed; `DETAILS`, `WORDS`: these were changed; `HEAD`: the last entries are not there
    #[schema(examples("DETAILS"))]
    pub fault: String,
}

impl From<ChainFault> for FaultOut {
    fn from(fault: ChainFault) -> Self {
        Self { seq: fault.seq, fault: fault.fault }
    }
}
