//! Scopes in the API.
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::models::ModeratorScope;
use crate::core::contract::fields::{Fields, Input};
use crate::core::contract::timestamp::Timestamp;
use crate::subjects::SubjectType;
use crate::subjects::flags::read_flag;
use crate::subjects::reasons::{FAMILIES, family};

/// What of the queue a moderator works on
#[derive(ToSchema)]
#[schema(examples(json!({ "types": ["COMMENT"], "families": ["HARASSMENT", "HATE"], "escalated": false })))]
pub struct ModeratorScopeIn {
    /// Kinds of subjects: POST, COMMENT, MEDIA, USER; empty: all
    #[schema(max_items = 4, examples("COMMENT"))]
    pub types: Vec<String>,
    /// Families of reasons: VIOLENCE, SEXUAL, `CHILD_SAFETY`, HARASSMENT, HATE, MISLEADING, SPAM, `SELF_HARM`, OTHER; empty: all
    #[schema(max_items = 9, examples("HATE"))]
    pub families: Vec<String>,
    /// Whether also what was escalated: for seniors; no when it is not given
    #[serde(default)]
    pub escalated: bool,
}

impl Input for ModeratorScopeIn {
    fn read(fields: &mut Fields) -> Self {
        let types = words(fields, "types", |word| word.parse::<SubjectType>().ok().map(SubjectType::word));
        let families = words(fields, "families", family);
        Self { types, families, escalated: read_flag(fields, "escalated", false) }
    }
}

/// A list of words, each once, as `parse` writes them.
fn words(fields: &mut Fields, name: &'static str, parse: impl Fn(&str) -> Option<&'static str>) -> Vec<String> {
    let given = fields.list(name);
    let mut known: Vec<_> = given.iter().filter_map(|item| parse(item.as_str()?)).map(str::to_owned).collect();
    if known.len() < given.len() {
        let permitted: Vec<_> = if name == "types" {
            SubjectType::ALL.iter().map(|(word, _)| *word).collect()
        } else {
            FAMILIES.iter().map(|(word, _)| *word).collect()
        };
        let msg = format!("value is not a valid enumeration member; permitted: {}", permitted.join(", "));
        fields.refuse(name, msg, "type_error.enum", None);
    }
    known.sort_unstable();
    known.dedup();
    known
}

/// What of the queue a moderator works on
#[derive(Serialize, ToSchema)]
pub struct ModeratorScopeOut {
    pub moderator: Uuid,
    /// Kinds of subjects; empty: all
    #[schema(max_items = 4)]
    pub types: Vec<String>,
    /// Families of reasons; empty: all
    #[schema(max_items = 9)]
    pub families: Vec<String>,
    /// Whether also what was escalated
    pub escalated: bool,
    /// When it was set; null: never, so it is all of the queue
    pub updated_at: Option<Timestamp>,
    /// The administrator; null: the account was deleted, or it was never set
    pub updated_by: Option<Uuid>,
}

impl ModeratorScopeOut {
    /// All of the queue.
    pub fn unbounded(moderator: Uuid) -> Self {
        let (types, families) = (Vec::new(), Vec::new());
        Self { moderator, types, families, escalated: true, updated_at: None, updated_by: None }
    }
}

impl From<ModeratorScope> for ModeratorScopeOut {
    fn from(scope: ModeratorScope) -> Self {
        Self {
            moderator: scope.moderator,
            types: scope.types,
            families: scope.families,
            escalated: scope.escalated,
            updated_at: Some(scope.updated_at),
            updated_by: scope.updated_by,
        }
    }
}
