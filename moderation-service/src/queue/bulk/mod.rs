//! Decisions about many subjects at once: a body of its own, and a decision with its own entry for each.
//!
//! A request is carried out in chunks, each of them one transaction, and for a bounded time; what it does not reach is `PENDING`. Under an
//! `Idempotency-Key` the outcome of each subject is stored in the transaction of its decision, so that the same request, sent again
//! after whatever has ended the first one, goes on behind it and repeats nothing.
pub mod carrying;
pub mod models;

use serde::Serialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::core::contract::fields::{Fields, Input};
use crate::decisions::schemas::DecisionIn;
use crate::subjects::flags::read_flag;
use crate::subjects::{SubjectKey, SubjectType};

/// Subjects that are decided about by one request, at most.
const MAX_SUBJECTS: usize = 1_000;

/// A decision about many subjects
#[derive(ToSchema)]
#[schema(examples(json!({
    "subjects": [
        { "type": "POST", "id": "01930000-0000-7000-8000-000000000000" },
        { "type": "COMMENT", "id": "01930000-0000-7000-8000-000000000001" },
    ],
    "actions": [{ "action": "HIDE" }],
    "reason": "SPAM_COMMERCIAL",
    "internal_note": "One campaign.",
})))]
pub struct BulkDecisionIn {
    /// 1 to 1,000
    #[schema(min_items = 1, max_items = 1000)]
    pub subjects: Vec<SubjectRefIn>,
    /// Only those that wait for a decision, which is the default
    #[schema(default = true)]
    #[serde(default)]
    pub only_open: bool,
    #[serde(flatten)]
    pub decision: DecisionIn,
}

/// A subject
#[derive(ToSchema)]
pub struct SubjectRefIn {
    #[schema(inline)]
    pub r#type: SubjectType,
    pub id: Uuid,
}

impl Input for BulkDecisionIn {
    fn read(fields: &mut Fields) -> Self {
        let items = fields.list("subjects");
        if !(1..=MAX_SUBJECTS).contains(&items.len()) && fields.errors.is_empty() {
            let ctx = json!({ "ge": 1, "le": MAX_SUBJECTS });
            fields.refuse("subjects", format!("1 to {MAX_SUBJECTS} subjects"), "value_error.list.length", Some(ctx));
        }
        let subjects: Vec<SubjectRefIn> = items.iter().filter_map(subject).collect();
        if subjects.len() < items.len() {
            let msg = "each subject has a type (POST, COMMENT, MEDIA or USER) and an id, which is a UUID";
            fields.refuse("subjects", msg, "value_error.subject", None);
        }
        let only_open = read_flag(fields, "only_open", true);
        Self { subjects, only_open, decision: DecisionIn::read(fields) }
    }
}

fn subject(item: &Value) -> Option<SubjectRefIn> {
    let r#type = item["type"].as_str()?.parse().ok()?;
    Some(SubjectRefIn { r#type, id: item["id"].as_str()?.parse().ok()? })
}

impl BulkDecisionIn {
    /// The subjects, each once, in the order of the request.
    pub fn keys(&self) -> Vec<SubjectKey> {
        let mut keys: Vec<SubjectKey> = Vec::with_capacity(self.subjects.len());
        let mut seen = std::collections::HashSet::new();
        for SubjectRefIn { r#type, id } in &self.subjects {
            let key = SubjectKey { r#type: *r#type, id: *id };
            if seen.insert(key) {
                keys.push(key);
            }
        }
        keys
    }

    /// By what a request under the same key is recognised as the same.
    pub fn fingerprint(&self) -> [u8; 32] {
        let DecisionIn { actions, reason, policy, internal_note, public_note, hours, abusive } = &self.decision;
        let subjects: Vec<_> = self.subjects.iter().map(|subject| (subject.r#type, subject.id)).collect();
        let said = (actions, reason, policy, internal_note, public_note, hours, abusive);
        Sha256::digest(json!([subjects, self.only_open, said]).to_string()).into()
    }
}

/// What became of one subject of many
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, sqlx::Type, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[sqlx(type_name = "text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum BulkOutcome {
    Decided,
    /// The time of a request was over before: the same request again, under the same `Idempotency-Key`, goes on here
    Pending,
    /// It does not wait for a decision
    NotOpen,
    NotFound,
    /// The moderator wrote it, or is it
    Own,
    /// It is for the moderators of another queue
    OutOfScope,
    /// Another moderator has claimed it
    Claimed,
    /// The decision is about a content, and this is a user; or it locks or limits, and this is no post; or it labels a picture
    NotAContent,
}

impl BulkOutcome {
    /// Its word in the API.
    pub fn word(self) -> &'static str {
        match self {
            Self::Decided => "DECIDED",
            Self::Pending => "PENDING",
            Self::NotOpen => "NOT_OPEN",
            Self::NotFound => "NOT_FOUND",
            Self::Own => "OWN",
            Self::OutOfScope => "OUT_OF_SCOPE",
            Self::Claimed => "CLAIMED",
            Self::NotAContent => "NOT_A_CONTENT",
        }
    }
}

/// What became of a subject
#[derive(Serialize, ToSchema)]
pub struct BulkResultOut {
    #[schema(inline)]
    pub r#type: SubjectType,
    pub id: Uuid,
    pub outcome: BulkOutcome,
    /// The decision about it, where one was made
    pub decision: Option<Uuid>,
}
