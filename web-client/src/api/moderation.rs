//! Decisions, appeals and the queue, as pages show them.
use chrono::{DateTime, Utc};
use serde::Deserialize;
use uuid::Uuid;

/// What was decided about something of the caller's, and why.
#[derive(Clone, Debug, Deserialize)]
pub struct Statement {
    pub decision_id: Uuid,
    pub at: DateTime<Utc>,
    pub subject_type: String,
    pub actions: Vec<Action>,
    pub facts: Option<String>,
    pub reason: String,
    #[serde(default)]
    pub automated_decision: bool,
    pub standing_until: Option<DateTime<Utc>>,
    pub appeal_until: DateTime<Utc>,
    pub appeal: Option<String>,
    pub ended_at: Option<DateTime<Utc>>,
}

impl Statement {
    /// Whether the caller can still say that it is wrong.
    pub fn can_be_appealed(&self, now: DateTime<Utc>) -> bool {
        self.appeal.is_none() && self.ended_at.is_none() && self.appeal_until > now
    }
}

/// A part of a decision.
#[derive(Clone, Debug, Deserialize)]
pub struct Action {
    pub action: String,
}

/// Something that a moderator has to look at.
#[derive(Clone, Debug, Deserialize)]
pub struct QueueItem {
    #[serde(rename = "type")]
    pub kind: String,
    pub id: Uuid,
    pub visibility: String,
    pub severity: f64,
    pub reports: i64,
    #[serde(default)]
    pub reasons: Vec<String>,
    pub review: String,
    pub opened_at: DateTime<Utc>,
    pub excerpt: Option<String>,
    pub claimed_by: Option<Uuid>,
}

impl QueueItem {
    pub fn link(&self) -> String {
        format!("/moderation/{}/{}", self.kind, self.id)
    }

    /// The severity in hundredths.
    pub fn percent(&self) -> i64 {
        // Between 0 and 1 by the document; whatever else it is, it is shown within bounds.
        #[expect(clippy::cast_possible_truncation, reason = "clamped to 0..=100 before")]
        let percent = (self.severity * 100.0).clamp(0.0, 100.0).round() as i64;
        percent
    }
}

/// All that a moderator sees of one subject.
#[derive(Clone, Debug, Deserialize)]
pub struct Case {
    pub state: Option<CaseState>,
    pub content: Option<CaseContent>,
    pub claim: Option<Claim>,
    #[serde(default)]
    pub reports: Vec<CaseReport>,
    #[serde(default)]
    pub history: Vec<CaseEntry>,
    pub author: AuthorRecord,
}

#[derive(Clone, Debug, Deserialize)]
pub struct CaseState {
    pub visibility: String,
}

#[derive(Clone, Debug, Deserialize)]
pub struct CaseContent {
    pub text: Option<String>,
    pub created_at: Option<DateTime<Utc>>,
    #[serde(default)]
    pub reach: i64,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Claim {
    pub moderator: Uuid,
}

#[derive(Clone, Debug, Deserialize)]
pub struct CaseReport {
    pub at: DateTime<Utc>,
    pub reason: String,
    pub text: Option<String>,
    pub status: String,
}

#[derive(Clone, Debug, Deserialize)]
pub struct CaseEntry {
    pub at: DateTime<Utc>,
    pub actor_type: String,
    pub kind: String,
}

/// What an author did before.
#[derive(Clone, Debug, Deserialize)]
pub struct AuthorRecord {
    pub id: Uuid,
    #[serde(default)]
    pub decisions: i64,
    #[serde(default)]
    pub overturned: i64,
    #[serde(default)]
    pub strikes: i64,
}

/// An appeal that a moderator decides about.
#[derive(Clone, Debug, Deserialize)]
pub struct Appeal {
    pub id: Uuid,
    pub at: DateTime<Utc>,
    pub text: String,
    pub status: String,
    pub moderator: Option<Uuid>,
}

/// What the caller reported.
#[derive(Clone, Debug, Deserialize)]
pub struct SentReport {
    pub at: DateTime<Utc>,
    pub subject_type: String,
    pub reason: String,
    pub status: String,
}
