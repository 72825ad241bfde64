//! Reports in the API.
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use super::ReportStatus;
use super::models::{ReporterMute, UserReport};
use super::services::ReporterRecord;
use crate::core::contract::fields::{Fields, Input};
use crate::core::contract::timestamp::Timestamp;
use crate::subjects::reasons::Reason;
use crate::subjects::{SubjectKey, SubjectType};

/// The longest words of a reporter, and the longest note, in characters.
const TEXT: usize = 1_000;
/// The longest text that holds an id.
const ID: usize = 45;
/// The longest mute that ends by itself, in hours: a year.
const LONGEST_MUTE: i64 = 24 * 366;

/// What a person should look at, and why
#[derive(ToSchema)]
#[schema(examples(json!({
    "subject_type": "POST",
    "subject_id": "01930000-0000-7000-8000-000000000000",
    "reason": "HARASSMENT_BULLYING",
    "text": "Third time this week, always the same person.",
})))]
pub struct ReportIn {
    #[schema(inline)]
    pub subject_type: SubjectType,
    /// The post, comment or user
    pub subject_id: Uuid,
    /// A code of the taxonomy, but `OTHER_APPROVAL`, which says nothing about what was written
    pub reason: Reason,
    /// What moderators should know; at most 1,000 characters
    #[schema(max_length = 1000)]
    pub text: Option<String>,
}

impl Input for ReportIn {
    fn read(fields: &mut Fields) -> Self {
        let subject_type = read_type(fields, "subject_type").unwrap_or(SubjectType::User);
        let subject_id = Uuid::parse_str(&fields.text("subject_id", ID)).unwrap_or_else(|_| {
            if fields.errors.iter().all(|error| error.loc.last() != Some(&json!("subject_id"))) {
                fields.refuse("subject_id", "value is not a valid uuid", "type_error.uuid", None);
            }
            Uuid::nil()
        });
        let reason = read_reason(fields, "reason").unwrap_or(Reason::OtherRules);
        Self { subject_type, subject_id, reason, text: fields.optional_text("text", TEXT) }
    }
}

impl ReportIn {
    /// What it is about.
    pub fn key(&self) -> SubjectKey {
        SubjectKey { r#type: self.subject_type, id: self.subject_id }
    }
}

/// Reads the type of a subject, which must be there.
fn read_type(fields: &mut Fields, name: &'static str) -> Option<SubjectType> {
    require(fields, name);
    fields.choice(name, &SubjectType::ALL.map(|(word, _)| word), |word| word.parse().ok())
}

/// Reads a code of the taxonomy, which must be there.
fn read_reason(fields: &mut Fields, name: &'static str) -> Option<Reason> {
    require(fields, name);
    fields.choice(name, &Reason::given_words(), Reason::parse_given)
}

/// Notes that a field is missing, where it is; null is refused when it is read.
fn require(fields: &mut Fields, name: &'static str) {
    if fields.value(name).is_none() {
        fields.refuse(name, "field required", "value_error.missing", None);
    }
}

/// A report of the caller, and what became of it
#[derive(Serialize, ToSchema)]
pub struct ReportOut {
    pub id: Uuid,
    pub at: Timestamp,
    #[schema(inline)]
    pub subject_type: SubjectType,
    pub subject_id: Uuid,
    /// A code of the taxonomy
    pub reason: Reason,
    pub text: Option<String>,
    pub status: ReportStatus,
    pub closed_at: Option<Timestamp>,
}

impl From<UserReport> for ReportOut {
    fn from(report: UserReport) -> Self {
        Self {
            id: report.id,
            at: report.at,
            subject_type: report.subject_type,
            subject_id: report.subject_id,
            reason: report.reason,
            text: report.text,
            // To the reporter an abusive report was one without a breach: what moderators note is not for them.
            status: match report.status {
                ReportStatus::Abusive => ReportStatus::Ignored,
                status => status,
            },
            closed_at: report.closed_at,
        }
    }
}

/// A report as moderators see it
#[derive(Serialize, ToSchema)]
pub struct ReportDetailsOut {
    pub id: Uuid,
    pub at: Timestamp,
    /// Who reported
    pub reporter: Uuid,
    #[schema(inline)]
    pub subject_type: SubjectType,
    pub subject_id: Uuid,
    /// A code of the taxonomy
    pub reason: Reason,
    pub text: Option<String>,
    /// What it weighs: 0 to 2, 1 for a new reporter
    pub weight: f64,
    pub status: ReportStatus,
    pub closed_at: Option<Timestamp>,
}

impl From<UserReport> for ReportDetailsOut {
    fn from(report: UserReport) -> Self {
        Self {
            id: report.id,
            at: report.at,
            reporter: report.reporter,
            subject_type: report.subject_type,
            subject_id: report.subject_id,
            reason: report.reason,
            text: report.text,
            weight: report.weight,
            status: report.status,
            closed_at: report.closed_at,
        }
    }
}

/// The record of a reporter
#[derive(Serialize, ToSchema)]
pub struct ReporterOut {
    pub id: Uuid,
    /// Of the last 200 closed reports: a moderator agreed
    pub agreed: i64,
    /// A moderator saw no breach
    pub ignored: i64,
    /// A moderator saw a misuse of reporting
    pub abusive: i64,
    /// What the next report weighs: 0 to 2, 1 for a new reporter
    pub weight: f64,
    /// The mute, where there is one: reports are accepted and weigh nothing
    pub mute: Option<ReporterMuteOut>,
    /// The last reports, newest first; at most 20
    pub reports: Vec<ReportDetailsOut>,
}

impl ReporterOut {
    /// A reporter with what is known of them.
    pub fn new(id: Uuid, record: ReporterRecord, mute: Option<ReporterMute>, reports: Vec<UserReport>) -> Self {
        Self {
            id,
            agreed: record.agreed,
            ignored: record.ignored,
            abusive: record.abusive,
            weight: record.weight(),
            mute: mute.map(|mute| ReporterMuteOut {
                moderator: mute.moderator,
                at: mute.at,
                until: mute.until,
                note: mute.note,
            }),
            reports: reports.into_iter().map(ReportDetailsOut::from).collect(),
        }
    }
}

/// The mute of a reporter
#[derive(Serialize, ToSchema)]
pub struct ReporterMuteOut {
    pub moderator: Uuid,
    pub at: Timestamp,
    /// Null: for good
    pub until: Option<Timestamp>,
    pub note: Option<String>,
}

/// Whether the reports of a person weigh nothing
#[derive(ToSchema)]
#[schema(examples(json!({ "muted": true, "hours": 720, "note": "Reports whatever a rival posts." })))]
pub struct ReporterMuteIn {
    /// False ends a mute
    pub muted: bool,
    /// For how long; for good when it is not given
    #[schema(minimum = 1, maximum = 8784)]
    pub hours: Option<i64>,
    /// Why, for moderators; at most 1,000 characters
    #[schema(max_length = 1000)]
    pub note: Option<String>,
}

impl Input for ReporterMuteIn {
    fn read(fields: &mut Fields) -> Self {
        let muted = match fields.value("muted") {
            Some(serde_json::Value::Bool(muted)) => muted,
            Some(_) => {
                fields.refuse("muted", "value could not be parsed to a boolean", "type_error.bool", None);
                false
            }
            None => {
                fields.refuse("muted", "field required", "value_error.missing", None);
                false
            }
        };
        let hours = fields.value("hours").filter(|hours| !hours.is_null()).and_then(|hours| {
            let number = hours.as_i64().filter(|hours| (1..=LONGEST_MUTE).contains(hours));
            if number.is_none() {
                let ctx = json!({ "ge": 1, "le": LONGEST_MUTE });
                let msg = format!("a whole number of hours from 1 to {LONGEST_MUTE}");
                fields.refuse("hours", msg, "value_error.number.not_in_range", Some(ctx));
            }
            number
        });
        Self { muted, hours, note: fields.optional_text("note", TEXT) }
    }
}

/// What a closed report counts as
#[derive(ToSchema)]
#[schema(examples(json!({ "status": "ABUSIVE" })))]
pub struct ReportCorrectionIn {
    /// AGREED, IGNORED or ABUSIVE
    pub status: ReportStatus,
}

impl Input for ReportCorrectionIn {
    fn read(fields: &mut Fields) -> Self {
        require(fields, "status");
        let status = fields.choice("status", &["AGREED", "IGNORED", "ABUSIVE"], |word| match word {
            "AGREED" => Some(ReportStatus::Agreed),
            "IGNORED" => Some(ReportStatus::Ignored),
            "ABUSIVE" => Some(ReportStatus::Abusive),
            _ => None,
        });
        Self { status: status.unwrap_or(ReportStatus::Ignored) }
    }
}
