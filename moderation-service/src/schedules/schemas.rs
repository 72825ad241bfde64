//! Scheduled decisions in the API.
use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::models::ScheduledDecision;
use super::{LostRight, ScheduleStatus};
use crate::core::contract::fields::{Fields, Input, Invalid, invalid};
use crate::core::contract::timestamp::Timestamp;
use crate::decisions::schemas::DecisionIn;
use crate::subjects::SubjectType;
use crate::subjects::actions::{Action, LONGEST_HOURS};
use crate::subjects::changes::PolicyRef;
use crate::subjects::reasons::Reason;

/// The longest text of a time, in characters.
const LONGEST_TIME: usize = 40;

/// A decision that is to be made later.
#[derive(ToSchema)]
#[schema(examples(json!({
    "in_hours": 8, "actions": [{ "action": "LOCK" }], "reason": "HARASSMENT_BRIGADING", "hours": 12,
    "internal_note": "The count of the votes begins then."
})))]
pub struct ScheduledDecisionIn {
    /// When it is made; either this or `in_hours`, at most a year ahead
    #[schema(value_type = Option<String>, format = DateTime)]
    pub at: Option<Timestamp>,
    /// In how many hours it is made
    #[schema(minimum = 1, maximum = 8_784, value_type = Option<i32>)]
    pub in_hours: Option<i32>,
    #[serde(flatten)]
    pub decision: DecisionIn,
}

impl Input for ScheduledDecisionIn {
    fn read(fields: &mut Fields) -> Self {
        let (at, in_hours) = (read_time(fields, "at"), read_hours(fields, "in_hours"));
        let is_one = at.is_some() != in_hours.is_some();
        if !is_one
            && !fields.errors.iter().any(|error| error.loc.iter().any(|part| *part == "at" || *part == "in_hours"))
        {
            fields.refuse("at", "give either at or in_hours", "value_error.choice", None);
        }
        Self { at, in_hours, decision: DecisionIn::read(fields) }
    }
}

fn read_time(fields: &mut Fields, name: &'static str) -> Option<Timestamp> {
    let text = fields.optional_text(name, LONGEST_TIME)?;
    let time = DateTime::parse_from_rfc3339(&text).ok();
    if time.is_none() {
        fields.refuse(name, "invalid datetime format", "value_error.datetime", None);
    }
    // As Postgres keeps it.
    time.map(|time| Timestamp(time.with_timezone(&Utc).trunc_subsecs(6)))
}

fn read_hours(fields: &mut Fields, name: &'static str) -> Option<i32> {
    let value = fields.value(name).filter(|value| !value.is_null())?;
    let hours = value.as_i64().and_then(|hours| i32::try_from(hours).ok());
    let hours = hours.filter(|hours| (1..=LONGEST_HOURS).contains(hours));
    if hours.is_none() {
        let msg = format!("ensure this value is a whole number from 1 to {LONGEST_HOURS}");
        fields.refuse(name, msg, "value_error.number.not_in_range", None);
    }
    hours
}

impl ScheduledDecisionIn {
    /// When it is to be made; what is wrong with that, where it is no time ahead or one too far ahead.
    pub fn due_at(&self, now: DateTime<Utc>) -> Result<Timestamp, Vec<Invalid>> {
        let hours = self.in_hours.unwrap_or_default();
        let due_at = self.at.unwrap_or(Timestamp(now + TimeDelta::hours(hours.into())));
        let latest = now + TimeDelta::hours(LONGEST_HOURS.into());
        if (now..=latest).contains(&due_at.0) {
            return Ok(due_at);
        }
        let msg = format!("a time from now on is expected, at most {LONGEST_HOURS} hours ahead");
        Err(vec![invalid(&["body", "at"], msg, "value_error.datetime.not_in_range", None)])
    }
}

/// A scheduled decision, as moderators see it
#[derive(Serialize, ToSchema)]
pub struct ScheduledDecisionOut {
    pub id: Uuid,
    pub subject_type: SubjectType,
    pub subject_id: Uuid,
    pub author: Uuid,
    /// Who has decided
    pub moderator: Uuid,
    pub created_at: Timestamp,
    /// When it is made
    pub due_at: Timestamp,
    pub actions: Vec<Action>,
    pub reason: Reason,
    pub policy: Option<PolicyRef>,
    pub internal_note: Option<String>,
    pub public_note: Option<String>,
    pub hours: Option<i32>,
    pub abusive: bool,
    #[schema(inline)]
    pub status: ScheduleStatus,
    /// The decision that was made
    pub decision: Option<Uuid>,
    /// How often it could not be made when it was due
    pub attempts: i32,
    #[schema(inline)]
    pub cancelled_because: Option<LostRight>,
}

impl From<ScheduledDecision> for ScheduledDecisionOut {
    fn from(scheduled: ScheduledDecision) -> Self {
        Self {
            id: scheduled.id,
            subject_type: scheduled.subject_type,
            subject_id: scheduled.subject_id,
            author: scheduled.author,
            moderator: scheduled.moderator,
            created_at: scheduled.created_at,
            due_at: scheduled.due_at,
            policy: scheduled.policy(),
            actions: scheduled.actions.0,
            reason: scheduled.reason,
            internal_note: scheduled.internal_note,
            public_note: scheduled.public_note,
            hours: scheduled.hours,
            abusive: scheduled.abusive,
            status: scheduled.status,
            decision: scheduled.decision,
            attempts: scheduled.attempts,
            cancelled_because: scheduled.cancelled_because,
        }
    }
}
