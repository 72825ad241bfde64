//! Appeals in the API.
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::models::{Appeal, WaitingAppeal};
use crate::core::contract::fields::{Fields, Input};
use crate::core::contract::timestamp::Timestamp;
use crate::decisions::AppealStatus;
use crate::ledger::appeal_tokens::TOKEN_LENGTH;

/// The longest appeal, and the longest note of its outcome, in characters.
const LONGEST_TEXT: usize = 2_000;
/// Appeals that are claimed at once, at most.
const MOST_CLAIMS: i64 = 50;

/// An objection to a decision.
#[derive(ToSchema)]
#[schema(examples(json!({ "text": "I quoted the insult in order to object to it." })))]
pub struct AppealIn {
    /// Why the decision is wrong, 1 to 2,000 characters
    #[schema(min_length = 1, max_length = 2_000)]
    pub text: String,
}

impl Input for AppealIn {
    fn read(fields: &mut Fields) -> Self {
        Self { text: filled(fields, "text") }
    }
}

/// An objection to a decision by its author, who has the token of a mail and no session.
#[derive(ToSchema)]
#[schema(examples(json!({ "token": "0".repeat(96), "text": "My account was used by another person." })))]
pub struct TokenAppealIn {
    /// The token of the link
    #[schema(max_length = 96)]
    pub token: String,
    /// Why the decision is wrong, 1 to 2,000 characters
    #[schema(min_length = 1, max_length = 2_000)]
    pub text: String,
}

impl Input for TokenAppealIn {
    fn read(fields: &mut Fields) -> Self {
        Self { token: fields.text("token", TOKEN_LENGTH), text: filled(fields, "text") }
    }
}

/// A text that says something.
fn filled(fields: &mut Fields, name: &'static str) -> String {
    let errors = fields.errors.len();
    let text = fields.text(name, LONGEST_TEXT);
    if text.trim().is_empty() && fields.errors.len() == errors {
        fields.refuse(name, "ensure this value has at least 1 characters", "value_error.any_str.min_length", None);
    }
    text
}

/// What becomes of an appeal.
#[derive(ToSchema)]
#[schema(examples(json!({ "outcome": "OVERTURNED", "note": "It was a quotation. We are sorry." })))]
pub struct ResolutionIn {
    /// `UPHELD`: the decision stands; `OVERTURNED`: it was wrong
    pub outcome: AppealStatus,
    /// For the author, 1 to 2,000 characters
    #[schema(min_length = 1, max_length = 2_000)]
    pub note: String,
}

impl Input for ResolutionIn {
    fn read(fields: &mut Fields) -> Self {
        let errors = fields.errors.len();
        let outcome = fields.choice("outcome", &["UPHELD", "OVERTURNED"], |word| match word {
            "UPHELD" => Some(AppealStatus::Upheld),
            "OVERTURNED" => Some(AppealStatus::Overturned),
            _ => None,
        });
        if outcome.is_none() && fields.errors.len() == errors {
            fields.refuse("outcome", "field required", "value_error.missing", None);
        }
        Self { outcome: outcome.unwrap_or(AppealStatus::Upheld), note: filled(fields, "note") }
    }
}

/// An appeal, as its author sees it. It names no moderator.
#[derive(Serialize, ToSchema)]
pub struct AppealOut {
    pub id: Uuid,
    pub decision_id: Uuid,
    pub at: Timestamp,
    pub text: String,
    pub status: AppealStatus,
    /// What the moderator who resolved it wrote to the author
    pub note: Option<String>,
    pub resolved_at: Option<Timestamp>,
}

impl From<Appeal> for AppealOut {
    fn from(appeal: Appeal) -> Self {
        Self {
            id: appeal.id,
            decision_id: appeal.decision,
            at: appeal.at,
            text: appeal.text,
            status: appeal.status,
            note: appeal.note,
            resolved_at: appeal.resolved_at,
        }
    }
}

/// An appeal, as moderators see it.
#[derive(Serialize, ToSchema)]
pub struct AppealCaseOut {
    #[serde(flatten)]
    pub appeal: AppealOut,
    pub author: Uuid,
    /// Who has resolved it
    pub moderator: Option<Uuid>,
    /// The moderator who is looking at it
    pub claimed_by: Option<Uuid>,
    pub claimed_until: Option<Timestamp>,
}

impl From<Appeal> for AppealCaseOut {
    fn from(appeal: Appeal) -> Self {
        let (author, moderator) = (appeal.author, appeal.moderator);
        Self { author, moderator, claimed_by: None, claimed_until: None, appeal: appeal.into() }
    }
}

impl From<WaitingAppeal> for AppealCaseOut {
    fn from(waiting: WaitingAppeal) -> Self {
        let appeal = AppealOut {
            id: waiting.id,
            decision_id: waiting.decision,
            at: waiting.at,
            text: waiting.text,
            status: AppealStatus::Open,
            note: None,
            resolved_at: None,
        };
        let (claimed_by, claimed_until) = (waiting.claimed_by, waiting.claimed_until);
        Self { appeal, author: waiting.author, moderator: None, claimed_by, claimed_until }
    }
}

/// Which appeals to claim
#[derive(ToSchema)]
#[schema(examples(json!({ "limit": 1 })))]
pub struct AppealClaimIn {
    /// How many; 1 when it is not given
    #[schema(minimum = 1, maximum = 50, value_type = Option<i64>)]
    pub limit: i64,
}

impl Input for AppealClaimIn {
    fn read(fields: &mut Fields) -> Self {
        let Some(limit) = fields.value("limit").filter(|limit| !limit.is_null()) else { return Self { limit: 1 } };
        let limit = limit.as_i64().filter(|limit| (1..=MOST_CLAIMS).contains(limit));
        if limit.is_none() {
            let msg = format!("a whole number from 1 to {MOST_CLAIMS}");
            fields.refuse("limit", msg, "value_error.number.not_in_range", None);
        }
        Self { limit: limit.unwrap_or(1) }
    }
}

/// A claim on an appeal
#[derive(Serialize, ToSchema)]
pub struct AppealClaimOut {
    pub moderator: Uuid,
    /// When it ends, unless it is made again
    pub until: Timestamp,
}
