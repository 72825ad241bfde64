//! Rules about domains in the API.
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::models::{DomainRule, DomainVerdict};
use crate::core::contract::fields::{Fields, Input};
use crate::core::contract::timestamp::Timestamp;

/// The longest note, in characters.
const MAX_NOTE: usize = 500;

/// A rule about a domain, as it is set.
#[derive(ToSchema)]
#[schema(examples(json!({ "verdict": "BLOCK", "note": "sells counterfeit medicine" })))]
pub struct DomainRuleIn {
    pub verdict: DomainVerdict,
    /// Why, for other administrators
    pub note: Option<String>,
}

impl Input for DomainRuleIn {
    fn read(fields: &mut Fields) -> Self {
        let verdict = fields.choice("verdict", &["BLOCK", "WARN", "ALLOW"], |word| match word {
            "BLOCK" => Some(DomainVerdict::Block),
            "WARN" => Some(DomainVerdict::Warn),
            "ALLOW" => Some(DomainVerdict::Allow),
            _ => None,
        });
        if verdict.is_none()
            && !fields.errors.iter().any(|error| error.loc.get(1).is_some_and(|name| name == "verdict"))
        {
            fields.refuse("verdict", "field required", "value_error.missing", None);
        }
        Self { verdict: verdict.unwrap_or(DomainVerdict::Block), note: fields.optional_text("note", MAX_NOTE) }
    }
}

/// A rule about links to a domain and all domains below it
#[derive(Serialize, ToSchema)]
pub struct DomainRuleOut {
    pub domain: String,
    pub verdict: DomainVerdict,
    pub note: Option<String>,
    pub updated_at: Timestamp,
    /// The administrator; null: the account was deleted
    pub updated_by: Option<Uuid>,
}

impl From<DomainRule> for DomainRuleOut {
    fn from(rule: DomainRule) -> Self {
        Self {
            domain: rule.domain,
            verdict: rule.verdict,
            note: rule.note,
            updated_at: rule.updated_at,
            updated_by: rule.updated_by,
        }
    }
}
