//! Decisions in the API and in events.
use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use super::models::Decision;
use super::{AppealStatus, NewDecision};
use crate::core::api::errors::Error;
use crate::core::contract::fields::{Fields, Input, Invalid, invalid};
use crate::core::contract::timestamp::Timestamp;
use crate::subjects::actions::{Action, LONGEST_HOURS, LONGEST_LABEL};
use crate::subjects::changes::{Actor, Ended, PolicyRef};
use crate::subjects::flags::read_flag;
use crate::subjects::means::AutomatedMeans;
use crate::subjects::reasons::{ContractReason, Reason};
use crate::subjects::{SubjectKey, SubjectType};

/// The longest note, in characters.
pub const LONGEST_NOTE: usize = 2_000;
/// The most actions of a decision.
const MOST_ACTIONS: usize = 8;

/// A moderator's decision.
#[derive(Clone, ToSchema)]
#[schema(examples(json!({
    "actions": [{ "action": "HIDE" }, { "action": "MUTE", "hours": 24 }], "reason": "HARASSMENT_BULLYING",
    "public_note": "Please argue without insults.", "internal_note": "The third time this week."
})))]
pub struct DecisionIn {
    /// What is done, at most 8 actions: at most one of `LIMIT`, `HOLD`, `HIDE` and `REMOVE`, and one of `REQUIRE_APPROVAL`, `MUTE` and
    /// `BAN`; `ALLOW`, `DISMISS` and `RESTORE` stand alone; `LOCK` is for posts
    #[schema(min_items = 1, max_items = 8)]
    pub actions: Vec<Action>,
    pub reason: Reason,
    /// The policy, version and rule that the decision follows from, which must be there
    pub policy: Option<PolicyRef>,
    /// For other moderators, at most 2,000 characters
    #[schema(max_length = 2_000)]
    pub internal_note: Option<String>,
    /// For the author, at most 2,000 characters
    #[schema(max_length = 2_000)]
    pub public_note: Option<String>,
    /// After how many hours what is done to a content ends by itself, at most 8,784; null: never
    #[schema(minimum = 1, maximum = 8_784)]
    pub hours: Option<i32>,
    /// Whether the open reports about it were a misuse of reporting; no when it is not given
    #[serde(default)]
    pub abusive: bool,
}

impl Input for DecisionIn {
    fn read(fields: &mut Fields) -> Self {
        let items = fields.list("actions");
        let actions = read_actions(fields, &items);
        let reason = fields.choice("reason", &Reason::given_words(), Reason::parse_given);
        if reason.is_none() && !fields.errors.iter().any(|error| error.loc.contains(&json!("reason"))) {
            fields.refuse("reason", "field required", "value_error.missing", None);
        }
        let policy = read_policy(fields);
        let internal_note = fields.optional_text("internal_note", LONGEST_NOTE);
        let public_note = fields.optional_text("public_note", LONGEST_NOTE);
        let hours = read_hours(fields);
        let abusive = read_flag(fields, "abusive", false);
        Self {
            actions,
            reason: reason.unwrap_or(Reason::OtherRules),
            policy,
            internal_note,
            public_note,
            hours,
            abusive,
        }
    }
}

fn read_actions(fields: &mut Fields, items: &[Value]) -> Vec<Action> {
    let mut actions = Vec::new();
    for (place, item) in items.iter().enumerate() {
        let read = serde_json::from_value::<Action>(item.clone()).map_err(|cause| cause.to_string());
        match read.and_then(|action| check(&action).map(|()| action)) {
            Ok(action) => actions.push(action),
            Err(cause) => fields.errors.push(Invalid {
                loc: vec![json!("body"), json!("actions"), json!(place)],
                msg: cause,
                r#type: "value_error.action",
                ctx: None,
            }),
        }
    }
    if actions.len() == items.len()
        && let Err(cause) = check_together(&actions)
    {
        fields.refuse("actions", cause, "value_error.actions", None);
    }
    actions
}

/// Checks what an action holds.
fn check(action: &Action) -> Result<(), String> {
    match action {
        Action::Label { label } => {
            let is_slug = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
            let fits = (1..=LONGEST_LABEL).contains(&label.chars().count()) && label.chars().all(is_slug);
            if fits { Ok(()) } else { Err(format!("a label has 1 to {LONGEST_LABEL} of a-z, 0-9 and -")) }
        }
        Action::RequireApproval { hours } | Action::Mute { hours } | Action::Ban { hours: Some(hours) }
            if !(1..=LONGEST_HOURS).contains(hours) =>
        {
            Err(format!("hours are from 1 to {LONGEST_HOURS}"))
        }
        _ => Ok(()),
    }
}

/// Checks which actions stand beside each other.
fn check_together(actions: &[Action]) -> Result<(), &'static str> {
    let count = |is: fn(&Action) -> bool| actions.iter().filter(|action| is(action)).count();
    let alone = count(|action| matches!(action, Action::Allow | Action::Dismiss | Action::Restore));
    match actions.len() {
        0 => Err("a decision has at least one action"),
        MOST_ACTIONS.. if actions.len() > MOST_ACTIONS => Err("a decision has at most 8 actions"),
        number if alone > 0 && number > 1 => Err("ALLOW, DISMISS and RESTORE stand alone"),
        _ if count(|action| action.visibility().is_some()) > 1 => Err("at most one of LIMIT, HOLD, HIDE and REMOVE"),
        _ if count(|action| action.standing().is_some()) > 1 => Err("at most one of REQUIRE_APPROVAL, MUTE and BAN"),
        _ => Ok(()),
    }
}

fn read_policy(fields: &mut Fields) -> Option<PolicyRef> {
    let value = fields.value("policy").filter(|value| !value.is_null())?;
    let read = serde_json::from_value::<PolicyRef>(value);
    if let Err(cause) = &read {
        fields.refuse("policy", cause.to_string(), "value_error.policy", None);
    }
    read.ok()
}

fn read_hours(fields: &mut Fields) -> Option<i32> {
    let value = fields.value("hours").filter(|value| !value.is_null())?;
    let hours = value.as_i64().and_then(|hours| i32::try_from(hours).ok());
    let hours = hours.filter(|hours| (1..=LONGEST_HOURS).contains(hours));
    if hours.is_none() {
        let msg = format!("ensure this value is a whole number from 1 to {LONGEST_HOURS}");
        fields.refuse("hours", msg, "value_error.number.not_in_range", None);
    }
    hours
}

impl DecisionIn {
    /// Refuses what cannot be done to a subject of that type.
    pub fn check_fit(&self, subject: SubjectType) -> Result<(), Error> {
        let msg = match subject {
            _ if self.fits(subject) => return Ok(()),
            SubjectType::User => {
                "a user is no content: only WARN, REQUIRE_APPROVAL, MUTE, BAN, ALLOW, DISMISS and RESTORE"
            }
            _ => "LOCK and LIMIT are for posts, LABEL is for posts and comments",
        };
        Err(Error::Invalid(vec![invalid(&["body", "actions"], msg, "value_error.actions", None)]))
    }

    /// Whether all of it can be done to a subject of that type.
    pub fn fits(&self, subject: SubjectType) -> bool {
        self.actions.iter().all(|action| action.fits(subject))
    }

    /// The decision of a moderator about a subject.
    pub fn by(self, moderator: Uuid, key: SubjectKey, author: Uuid) -> NewDecision {
        NewDecision {
            key,
            author,
            actor: Actor::Moderator(moderator),
            actions: self.actions,
            reason: self.reason,
            policy: self.policy,
            analysis: None,
            means: None,
            internal_note: self.internal_note,
            public_note: self.public_note,
            hours: self.hours,
            strikes: None,
            abusive: self.abusive,
            seen: None,
        }
    }
}

/// Why a decision is taken back.
#[derive(ToSchema)]
#[schema(examples(json!({ "note": "It was a quotation." })))]
pub struct ReversalIn {
    /// For other moderators, at most 2,000 characters
    #[schema(max_length = 2_000)]
    pub note: String,
}

impl Input for ReversalIn {
    fn read(fields: &mut Fields) -> Self {
        Self { note: fields.text("note", LONGEST_NOTE) }
    }
}

/// A decision, as moderators see it.
#[derive(Serialize, ToSchema)]
pub struct DecisionOut {
    pub id: Uuid,
    pub subject_type: SubjectType,
    pub subject_id: Uuid,
    pub author: Uuid,
    pub at: Timestamp,
    /// Who decided; null: a machine
    pub moderator: Option<Uuid>,
    /// The sum of strikes that has led to it; null: it was not the ladder
    pub strikes: Option<i32>,
    pub actions: Vec<Action>,
    pub reason: Reason,
    pub policy: Option<PolicyRef>,
    /// The analysis that it follows from
    pub analysis: Option<Uuid>,
    /// What a machine has decided by; null: a person has decided
    pub automated_means: Option<AutomatedMeans>,
    pub internal_note: Option<String>,
    pub public_note: Option<String>,
    /// Until when what it does to a content is in force; null: without an end
    pub expires_at: Option<Timestamp>,
    /// Until when what it does to an account is in force; null: without an end
    pub standing_until: Option<Timestamp>,
    /// Since when it is no longer in force
    pub ended_at: Option<Timestamp>,
    pub ended_by: Option<Ended>,
    /// How far its appeal is; null: there is none
    pub appeal: Option<AppealStatus>,
}

impl From<Decision> for DecisionOut {
    fn from(decision: Decision) -> Self {
        Self {
            id: decision.id,
            subject_type: decision.key.r#type,
            subject_id: decision.key.id,
            author: decision.author,
            at: decision.at,
            moderator: decision.moderator,
            strikes: decision.strikes,
            actions: decision.actions,
            reason: decision.reason,
            policy: decision.policy,
            analysis: decision.analysis,
            automated_means: decision.means,
            internal_note: decision.internal_note,
            public_note: decision.public_note,
            expires_at: decision.expires_at,
            standing_until: decision.standing_until,
            ended_at: decision.ended_at,
            ended_by: decision.ended_by,
            appeal: decision.appeal,
        }
    }
}

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
