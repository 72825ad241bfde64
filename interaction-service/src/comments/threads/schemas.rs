//! Threads in the API: a new comment, which may be a reply, and what of a list is asked for.
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::comments::schemas::CommentIn;
use crate::core::api::errors::Error;
use crate::core::contract::extract::Query;
use crate::core::contract::fields::{Fields, Input, invalid};

/// A new comment, on a post or in reply to a comment.
#[derive(ToSchema)]
#[schema(examples(json!({ "content": "Welcome, Anna." })))]
pub struct NewComment {
    /// At most 2,000 characters; may be empty
    #[schema(max_length = 2_000)]
    pub content: String,
    /// The comment that it replies to, on the same post; a reply to a reply is one to the first comment of the thread
    #[schema(required = false)]
    pub reply_to: Option<Uuid>,
}

impl Input for NewComment {
    fn read(fields: &mut Fields) -> Self {
        let CommentIn { content } = CommentIn::read(fields);
        let reply_to = fields.value("reply_to").filter(|value| !value.is_null());
        Self { content, reply_to: reply_to.and_then(|value| read_id(fields, &value)) }
    }
}

fn read_id(fields: &mut Fields, value: &Value) -> Option<Uuid> {
    let id = value.as_str().and_then(|text| Uuid::try_parse(text).ok());
    if id.is_none() {
        fields.refuse("reply_to", "value is not a valid uuid", "type_error.uuid", None);
    }
    id
}

/// Whether a list of comments is asked for without replies: `top_level=true`.
pub struct FirstOnly(pub bool);

impl<S: Send + Sync> FromRequestParts<S> for FirstOnly {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Error> {
        let query = Query::from_request_parts(parts, state).await?;
        let refusal = || {
            let msg = "value could not be parsed to a boolean";
            Error::Invalid(vec![invalid(&["query", "top_level"], msg, "type_error.bool", None)])
        };
        query.get("top_level").map_or(Ok(false), |word| word.parse().map_err(|_| refusal())).map(Self)
    }
}
