//! Decisions in events.
use serde::Serialize;
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::core::contract::timestamp::Timestamp;
use crate::subjects::SubjectType;
use crate::subjects::reasons::ContractReason;

/// The contract's request to delete a content, with the version of its subject beside.
#[derive(Serialize)]
pub struct DeleteRequest {
    pub id: Uuid,
    pub created_at: Timestamp,
    /// Always none: who has decided reaches no user.
    pub created_by: Option<Uuid>,
    pub updated_at: Timestamp,
    pub updated_by: Option<Uuid>,
    pub r#type: SubjectType,
    pub content_id: Uuid,
    pub raw_content: Box<RawValue>,
    pub status: &'static str,
    pub reason: ContractReason,
    pub decision_version: i64,
}

/// What a notice is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum NoticeKind {
    /// The statement of reasons of a decision
    Statement,
    Warning,
    /// What became of a report
    ReportOutcome,
    AppealOutcome,
    /// A decision was taken back
    Restored,
}

/// `moderation_notice`: what an author or a reporter reads about a decision. It names no moderator, and no reporter.
#[derive(Serialize)]
pub struct Notice {
    pub id: Uuid,
    pub at: Timestamp,
    /// Who reads it.
    pub user_id: Uuid,
    pub kind: NoticeKind,
    pub title: String,
    pub text: String,
    pub subject_type: SubjectType,
    pub subject_id: Uuid,
    pub decision_id: Option<Uuid>,
}
