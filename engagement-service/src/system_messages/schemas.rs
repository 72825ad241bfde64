//! System messages in the API of operators.
use serde::Serialize;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::core::contract::fields::{Fields, Input};

/// The longest title and text, in characters.
const MAX_TITLE: usize = 100;
const MAX_TEXT: usize = 2_000;
/// People that one message can name; to more it goes in several, or to all.
const MAX_USERS: usize = 1_000;

/// A new message.
pub struct SystemMessageIn {
    /// Chosen by the operator: sent again, it is the same message.
    pub id: Uuid,
    pub title: String,
    pub text: String,
    /// Null: to all.
    pub user_ids: Option<Vec<Uuid>>,
}

impl Input for SystemMessageIn {
    fn read(fields: &mut Fields) -> Self {
        let id = fields.text("id", 36);
        let id = Uuid::try_parse(&id).unwrap_or_else(|_| {
            if !id.is_empty() {
                fields.refuse("id", "value is not a valid uuid", "type_error.uuid", None);
            }
            Uuid::nil()
        });
        let (title, text) = (fields.text("title", MAX_TITLE), fields.text("text", MAX_TEXT));
        let user_ids = fields.value("user_ids").filter(|ids| !ids.is_null()).map(|ids| read_users(fields, &ids));
        Self { id, title, text, user_ids }
    }
}

fn read_users(fields: &mut Fields, ids: &Value) -> Vec<Uuid> {
    let ids = ids.as_array().map(Vec::as_slice);
    if ids.is_some_and(|ids| ids.len() > MAX_USERS) {
        let msg = format!("ensure this value has at most {MAX_USERS} items");
        fields.refuse("user_ids", msg, "value_error.list.max_items", Some(json!({ "limit_value": MAX_USERS })));
        return Vec::new();
    }
    let read =
        ids.and_then(|ids| ids.iter().map(|id| Uuid::try_parse(id.as_str()?).ok()).collect::<Option<Vec<Uuid>>>());
    read.unwrap_or_else(|| {
        fields.refuse("user_ids", "value is not a list of valid uuids", "type_error.uuid", None);
        Vec::new()
    })
}

/// A message that is on its way.
#[derive(Serialize)]
pub struct SystemMessageOut {
    pub id: Uuid,
}
