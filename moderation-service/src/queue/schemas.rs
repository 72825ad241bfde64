//! The queue in the API.
use serde::Serialize;
use serde_json::json;
use serde_json::value::RawValue;
use utoipa::ToSchema;
use uuid::Uuid;

use super::models::{Claim, QueueItem};
use super::page::models::{AuthorRecord, HistoryEntry, SubjectContent};
use super::services::FlaggedBy;
use crate::core::contract::fields::{Fields, Input};
use crate::core::contract::timestamp::Timestamp;
use crate::reports::schemas::ReportDetailsOut;
use crate::schedules::schemas::ScheduledDecisionOut;
use crate::subjects::changes::ActorType;
use crate::subjects::state::Subject;
use crate::subjects::{Review, Standing, SubjectType, Visibility};

/// The longest note, in characters.
const NOTE: usize = 2_000;

/// A note for other moderators
#[derive(ToSchema)]
#[schema(examples(json!({ "note": "Needs someone who reads Portuguese." })))]
pub struct NoteIn {
    /// At most 2,000 characters; users never see it
    #[schema(min_length = 1, max_length = 2000)]
    pub note: String,
}

impl Input for NoteIn {
    fn read(fields: &mut Fields) -> Self {
        let faults = fields.errors.len();
        let note = fields.text("note", NOTE);
        if fields.errors.len() == faults && note.trim().is_empty() {
            let ctx = json!({ "limit_value": 1 });
            let msg = "ensure this value has at least 1 characters";
            fields.refuse("note", msg, "value_error.any_str.min_length", Some(ctx));
        }
        Self { note }
    }
}

/// Something that a person has to look at
#[derive(Serialize, ToSchema)]
pub struct QueueItemOut {
    #[schema(inline)]
    pub r#type: SubjectType,
    pub id: Uuid,
    /// Who wrote it; a user is their own author
    pub author: Uuid,
    #[schema(inline)]
    pub visibility: Visibility,
    #[schema(inline)]
    pub review: Review,
    /// The highest severity of what was reported and found, 0 to 1
    pub severity: f64,
    /// Open reports
    pub reports: i32,
    /// What they weigh together
    pub report_weight: f64,
    /// For what it was reported and flagged: codes of the taxonomy
    pub reasons: Vec<String>,
    /// The family of the gravest of them, in whose queue it stands
    pub family: Option<String>,
    /// Who brought it here
    pub flagged_by: Vec<FlaggedBy>,
    /// Views, comments and reactions
    pub reach: i64,
    /// Since when it waits
    pub opened_at: Timestamp,
    /// The first 300 characters of its text; null where there is none
    pub excerpt: Option<String>,
    /// The moderator who is looking at it
    pub claimed_by: Option<Uuid>,
    pub claimed_until: Option<Timestamp>,
}

impl From<QueueItem> for QueueItemOut {
    fn from(item: QueueItem) -> Self {
        let by = [(item.flagged, FlaggedBy::Machine), (item.reports > 0, FlaggedBy::People)];
        Self {
            r#type: item.r#type,
            id: item.id,
            author: item.author,
            visibility: item.visibility,
            review: item.review,
            severity: item.severity,
            reports: item.reports,
            report_weight: item.report_weight,
            reasons: item.reasons,
            family: item.family,
            flagged_by: by.into_iter().filter_map(|(is_so, by)| is_so.then_some(by)).collect(),
            reach: item.reach,
            opened_at: item.opened_at,
            excerpt: item.excerpt,
            claimed_by: item.claimed_by,
            claimed_until: item.claimed_until,
        }
    }
}

/// A claim
#[derive(Serialize, ToSchema)]
pub struct ClaimOut {
    pub moderator: Uuid,
    /// When it ends, unless it is made again
    pub until: Timestamp,
}

impl From<Claim> for ClaimOut {
    fn from(claim: Claim) -> Self {
        Self { moderator: claim.moderator, until: claim.until }
    }
}

/// The state of a subject
#[derive(Serialize, ToSchema)]
pub struct SubjectStateOut {
    /// The number of its entries in the log
    pub version: i64,
    #[schema(inline)]
    pub visibility: Visibility,
    pub labels: Vec<String>,
    /// Of a post: whether it is closed for comments
    pub locked: bool,
    // Of a user.
    #[schema(inline)]
    pub standing: Standing,
    pub standing_until: Option<Timestamp>,
    #[schema(inline)]
    pub review: Review,
    pub severity: f64,
    pub reports: i32,
    pub report_weight: f64,
    pub opened_at: Option<Timestamp>,
    /// The decisions in force, oldest first
    pub decisions: Vec<Uuid>,
}

impl From<Subject> for SubjectStateOut {
    fn from(subject: Subject) -> Self {
        Self {
            version: subject.version,
            visibility: subject.visibility,
            labels: subject.labels,
            locked: subject.locked,
            standing: subject.standing,
            standing_until: subject.standing_until,
            review: subject.review,
            severity: subject.severity,
            reports: subject.reports,
            report_weight: subject.report_weight,
            opened_at: subject.opened_at,
            decisions: subject.active.into_iter().map(|held| held.ruling.decision).collect(),
        }
    }
}

/// A content as it is now
#[derive(Serialize, ToSchema)]
pub struct SubjectContentOut {
    /// The post of a comment
    pub post_id: Option<Uuid>,
    /// Null: no other user can read it, or it is gone
    pub text: Option<String>,
    pub created_at: Option<Timestamp>,
    pub updated_at: Option<Timestamp>,
    pub gone_at: Option<Timestamp>,
    pub reach: i64,
}

/// What moderation knows of an author
#[derive(Serialize, ToSchema)]
pub struct AuthorRecordOut {
    pub id: Uuid,
    /// Decisions about what they wrote, and about them
    pub decisions: i64,
    /// Of these, the ones that were taken back
    pub overturned: i64,
    /// Strikes that count, and what they weigh together
    pub strikes: i64,
    pub strike_weight: i64,
    /// Reports about what they wrote, and about them; and those that a moderator agreed with
    pub reports: i64,
    pub agreed_reports: i64,
    pub appeals: i64,
}

/// Something that happened to a subject
#[derive(Serialize, ToSchema)]
pub struct HistoryEntryOut {
    pub id: Uuid,
    pub at: Timestamp,
    #[schema(inline)]
    pub actor_type: ActorType,
    /// The moderator or user; null: no person, or one that is not named here
    pub actor: Option<Uuid>,
    /// `reported`, `flagged`, `decided`, `ended` …
    pub kind: String,
    /// What the kind needs to say; null: erased
    #[schema(value_type = Option<Object>)]
    pub details: Option<Box<RawValue>>,
    /// The notes of its actor; null: none, or erased
    #[schema(value_type = Option<Object>)]
    pub words: Option<Box<RawValue>>,
}

impl From<HistoryEntry> for HistoryEntryOut {
    fn from(entry: HistoryEntry) -> Self {
        Self {
            id: entry.id,
            at: entry.at,
            actor_type: entry.actor_type,
            actor: entry.actor,
            kind: entry.kind,
            details: entry.details,
            words: entry.words,
        }
    }
}

/// All that moderators know of a subject
#[derive(Serialize, ToSchema)]
pub struct SubjectOut {
    #[schema(inline)]
    pub r#type: SubjectType,
    pub id: Uuid,
    /// Null: nothing has happened to it
    pub state: Option<SubjectStateOut>,
    /// Null of a user who says nothing of themselves, or has not changed it since that is read
    pub content: Option<SubjectContentOut>,
    pub claim: Option<ClaimOut>,
    /// The newest reports; at most 50
    pub reports: Vec<ReportDetailsOut>,
    /// The newest entries of the log; at most 100
    pub history: Vec<HistoryEntryOut>,
    /// The decisions about it that are scheduled and not due yet; at most 20
    pub scheduled: Vec<ScheduledDecisionOut>,
    pub author: AuthorRecordOut,
}

impl AuthorRecordOut {
    /// An author with their record.
    pub fn new(id: Uuid, record: &AuthorRecord) -> Self {
        Self {
            id,
            decisions: record.decisions,
            overturned: record.overturned,
            strikes: record.strikes,
            strike_weight: record.strike_weight,
            reports: record.reports,
            agreed_reports: record.agreed_reports,
            appeals: record.appeals,
        }
    }
}

impl From<SubjectContent> for SubjectContentOut {
    fn from(content: SubjectContent) -> Self {
        Self {
            post_id: content.post_id,
            text: content.text,
            created_at: content.created_at,
            updated_at: content.version,
            gone_at: content.gone_at,
            reach: content.reach,
        }
    }
}
