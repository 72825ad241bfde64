//! Roles, restrictions and decisions in the API.
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use super::models::{Decision, Member};
use crate::core::api::errors::Error;
use crate::core::app::identity::{Role, Status};
use crate::core::contract::extract::Query;
use crate::core::contract::fields::{Fields, Input, invalid};
use crate::core::contract::timestamp::Timestamp;
use crate::names::schemas::{optional_words, words};
use crate::users::{ApiWord, ROLE_WORDS, role_of};

/// The longest reason, in characters.
const REASON: usize = 500;
/// The longest text that holds a point in time.
const TIME: usize = 40;
/// What a status can be set to: ACTIVE lifts what there is.
const SETTABLE: [&str; 3] = ["ACTIVE", "MUTED", "BANNED"];

/// A role for a user
#[derive(ToSchema)]
#[schema(examples(json!({ "role": "MODERATOR", "reason": "Knows the house." })))]
pub struct RoleIn {
    pub role: Role,
    /// Why, for those who decide next; at most 500 characters
    #[schema(max_length = 500)]
    pub reason: Option<String>,
}

impl Input for RoleIn {
    fn read(fields: &mut Fields) -> Self {
        let role = required(fields, "role", &ROLE_WORDS, role_of).unwrap_or(Role::User);
        Self { role, reason: optional_words(fields, "reason", REASON) }
    }
}

/// A mute, a ban, or their end
#[derive(ToSchema)]
#[schema(examples(json!({ "status": "MUTED", "reason": "Insults in comments." })))]
pub struct StatusIn {
    /// ACTIVE lifts a mute or a ban; INACTIVE cannot be set
    pub status: Status,
    /// Why, for those who decide next; at most 500 characters
    #[schema(min_length = 1, max_length = 500)]
    pub reason: String,
    /// When it ends by itself; never, if it is not given
    #[schema(value_type = Option<String>, format = DateTime)]
    pub until: Option<DateTime<Utc>>,
}

impl Input for StatusIn {
    fn read(fields: &mut Fields) -> Self {
        let status = required(fields, "status", &SETTABLE, |word| {
            [Status::Active, Status::Muted, Status::Banned].into_iter().find(|status| status.word() == word)
        });
        let status = status.unwrap_or(Status::Active);
        let faults = fields.errors.len();
        let reason = words(fields, "reason", REASON);
        if fields.errors.len() == faults && reason.trim().is_empty() {
            let ctx = json!({ "limit_value": 1 });
            let msg = "ensure this value has at least 1 characters";
            fields.refuse("reason", msg, "value_error.any_str.min_length", Some(ctx));
        }
        let until = fields.optional_text("until", TIME).and_then(|text| {
            let time = DateTime::parse_from_rfc3339(&text).ok();
            if time.is_none() {
                fields.refuse("until", "invalid datetime format", "value_error.datetime", None);
            }
            time.map(|time| time.to_utc())
        });
        if until.is_some() && status == Status::Active && fields.errors.is_empty() {
            fields.refuse("until", "only a mute or a ban ends by itself", "value_error.until", None);
        }
        Self { status, reason, until }
    }
}

impl StatusIn {
    /// Refuses an end that is not after `now`.
    pub fn check(&self, now: DateTime<Utc>) -> Result<(), Error> {
        if self.until.is_none_or(|until| until > now) {
            return Ok(());
        }
        let place = invalid(
            &["body", "until"],
            "ensure this value is in the future",
            "value_error.date.not_in_the_future",
            None,
        );
        Err(Error::Invalid(vec![place]))
    }
}

/// One of the words, which must be there.
fn required<T>(
    fields: &mut Fields,
    name: &'static str,
    words: &[&str],
    parse: impl Fn(&str) -> Option<T>,
) -> Option<T> {
    let faults = fields.errors.len();
    let value = fields.choice(name, words, parse);
    if value.is_none() && fields.errors.len() == faults {
        fields.refuse(name, "field required", "value_error.missing", None);
    }
    value
}

/// Which people are listed.
pub struct Filter {
    pub role: Option<Role>,
    pub status: Option<Status>,
}

impl Filter {
    /// What a query asks for; nothing is all.
    pub fn read(mut query: Query) -> Result<Self, Error> {
        let statuses = [Status::Active, Status::Inactive, Status::Muted, Status::Banned];
        let role = word(&mut query, "role", role_of);
        let status = word(&mut query, "status", |word| statuses.into_iter().find(|status| status.word() == word));
        query.check()?;
        Ok(Self { role, status })
    }
}

fn word<T>(query: &mut Query, name: &'static str, parse: impl Fn(&str) -> Option<T>) -> Option<T> {
    let text = query.get(name)?.to_owned();
    let value = parse(&text);
    if value.is_none() {
        query.errors.push(invalid(
            &["query", name],
            "value is not a valid enumeration member",
            "type_error.enum",
            None,
        ));
    }
    value
}

/// A person as those see them who decide
#[derive(Serialize, ToSchema)]
pub struct MemberOut {
    pub id: Uuid,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub date_joined: Timestamp,
    /// Whether they have shown that they read the mails of their address
    pub is_verified: bool,
    pub role: Role,
    pub status: Status,
    /// When the mute or the ban ends by itself; null is never
    pub status_until: Option<Timestamp>,
}

impl From<Member> for MemberOut {
    fn from(member: Member) -> Self {
        Self {
            id: member.id,
            first_name: member.first_name,
            last_name: member.last_name,
            date_joined: member.date_joined,
            is_verified: member.is_verified,
            role: member.role,
            status: member.status,
            status_until: member.status_until,
        }
    }
}

/// A decision about a user: a role or a status
#[derive(Serialize, ToSchema)]
pub struct DecisionOut {
    pub id: Uuid,
    pub at: Timestamp,
    /// Null: an operator or the moderation service, or time was up
    pub decided_by: Option<Uuid>,
    pub role: Option<Role>,
    pub status: Option<Status>,
    /// When the status was to end by itself
    pub until: Option<Timestamp>,
    pub reason: Option<String>,
    /// The decision of the moderation service that it follows from
    pub moderation_id: Option<Uuid>,
}

impl From<Decision> for DecisionOut {
    fn from(decision: Decision) -> Self {
        Self {
            id: decision.id,
            at: decision.at,
            decided_by: decision.decided_by,
            role: decision.role,
            status: decision.status,
            until: decision.until,
            reason: decision.reason,
            moderation_id: decision.moderation_id,
        }
    }
}
