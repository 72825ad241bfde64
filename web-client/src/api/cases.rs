//! A case as the moderation service has it: the state of a subject, its content, claim, reports and history, and its author's record.
use chrono::{DateTime, Utc};
use serde::Deserialize;
use uuid::Uuid;

use super::moderation::{Action, percent};
use super::schedules::ScheduledDecision;

/// All that the moderation service knows of one subject.
#[derive(Clone, Debug, Deserialize)]
pub struct Case {
    pub state: Option<CaseState>,
    pub content: Option<CaseContent>,
    pub claim: Option<Claim>,
    #[serde(default)]
    pub reports: Vec<CaseReport>,
    #[serde(default)]
    pub history: Vec<CaseEntry>,
    /// Decisions about it that are not due yet.
    #[serde(default)]
    pub scheduled: Vec<ScheduledDecision>,
    pub author: AuthorRecord,
}

#[derive(Clone, Debug, Deserialize)]
pub struct CaseState {
    pub visibility: String,
    #[serde(default)]
    pub labels: Vec<String>,
    #[serde(default)]
    pub locked: bool,
    pub standing: String,
    pub standing_until: Option<DateTime<Utc>>,
    pub review: String,
    pub severity: f64,
    /// Those in force, the oldest first.
    #[serde(default)]
    pub decisions: Vec<Uuid>,
}

impl CaseState {
    pub fn percent(&self) -> i64 {
        percent(self.severity)
    }
}

#[derive(Clone, Debug, Deserialize)]
pub struct CaseContent {
    pub post_id: Option<Uuid>,
    pub text: Option<String>,
    pub created_at: Option<DateTime<Utc>>,
    pub updated_at: Option<DateTime<Utc>>,
    pub gone_at: Option<DateTime<Utc>>,
    #[serde(default)]
    pub reach: i64,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Claim {
    pub moderator: Uuid,
    pub until: DateTime<Utc>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct CaseReport {
    pub at: DateTime<Utc>,
    pub reporter: Uuid,
    pub reason: String,
    pub text: Option<String>,
    #[serde(default)]
    pub weight: f64,
    pub status: String,
}

impl CaseReport {
    /// What it weighs, to a tenth.
    pub fn weight(&self) -> String {
        format!("{:.1}", self.weight)
    }
}

/// Something that happened to a subject.
#[derive(Clone, Debug, Deserialize)]
pub struct CaseEntry {
    pub at: DateTime<Utc>,
    pub actor_type: String,
    pub actor: Option<Uuid>,
    pub kind: String,
    #[serde(default)]
    pub details: Option<EntryDetails>,
    #[serde(default)]
    pub words: Option<EntryNotes>,
}

/// What the kinds of entries need to say, each some of it.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct EntryDetails {
    pub analysis: Option<Uuid>,
    pub reason: Option<String>,
    #[serde(default)]
    pub actions: Vec<Action>,
    /// Why a decision has ended.
    pub why: Option<String>,
    pub overturned: Option<bool>,
}

/// What the actor of an entry wrote.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct EntryNotes {
    pub note: Option<String>,
    pub public_note: Option<String>,
    pub internal_note: Option<String>,
}

impl CaseEntry {
    pub fn analysis(&self) -> Option<Uuid> {
        self.details.as_ref().and_then(|details| details.analysis)
    }

    /// What its actor wrote, one after the other.
    pub fn notes(&self) -> Vec<&str> {
        let Some(EntryNotes { note, public_note, internal_note }) = &self.words else { return Vec::new() };
        [note, public_note, internal_note].into_iter().flatten().map(String::as_str).collect()
    }
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
    #[serde(default)]
    pub strike_weight: i64,
    #[serde(default)]
    pub reports: i64,
    #[serde(default)]
    pub agreed_reports: i64,
    #[serde(default)]
    pub appeals: i64,
}

/// The strikes of an author, the newest first.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Strikes {
    #[serde(default)]
    pub strikes: Vec<Strike>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Strike {
    pub decision_id: Uuid,
    pub weight: i64,
    pub reason: String,
    pub at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
    pub revoked_at: Option<DateTime<Utc>>,
}

/// An account as those see it who decide about it.
#[derive(Clone, Debug, Deserialize)]
pub struct Account {
    pub date_joined: DateTime<Utc>,
    #[serde(default)]
    pub is_verified: bool,
    pub role: String,
    pub status: String,
    pub status_until: Option<DateTime<Utc>>,
}

impl Account {
    pub fn is_staff(&self) -> bool {
        self.role != "USER"
    }

    /// Whether it is muted or banned.
    pub fn is_restricted(&self) -> bool {
        matches!(self.status.as_str(), "MUTED" | "BANNED")
    }
}
