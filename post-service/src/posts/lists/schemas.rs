//! Filters, ids and counts of posts in the API.
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use super::models::PostFilter;
use crate::core::api::errors::Error;
use crate::core::contract::extract::Query;
use crate::core::contract::fields::{Fields, Input};
use crate::search::schemas::{author, category, has_media, tag};

/// The most posts that are read by one request. They are whole, so the answer has at most a million characters of content.
const MAX_IDS: usize = 100;

impl PostFilter {
    /// Reads the parameters, and reports all that is wrong with them.
    pub fn read(mut query: Query) -> Result<Self, Error> {
        let filter = Self {
            author: author(&mut query),
            category: category(&mut query),
            tag: tag(&mut query),
            has_media: has_media(&mut query),
        };
        query.check()?;
        Ok(filter)
    }
}

/// Which posts are wanted.
#[derive(ToSchema)]
#[schema(examples(json!({ "ids": ["00000000-0000-7000-8000-000000000001"] })))]
pub struct PostLookup {
    /// 1 to 100; one that is there twice counts where it is first
    #[schema(min_items = 1, max_items = 100)]
    pub ids: Vec<Uuid>,
}

impl Input for PostLookup {
    fn read(fields: &mut Fields) -> Self {
        let given = fields.list("ids");
        if given.is_empty() && fields.errors.is_empty() {
            let limit = json!({ "limit_value": 1 });
            fields.refuse("ids", "ensure this value has at least 1 items", "value_error.list.min_items", Some(limit));
        }
        if given.len() > MAX_IDS {
            let msg = format!("ensure this value has at most {MAX_IDS} items");
            fields.refuse("ids", msg, "value_error.list.max_items", Some(json!({ "limit_value": MAX_IDS })));
        }
        let ids: Vec<Uuid> = given.iter().filter_map(|id| Uuid::try_parse(id.as_str()?).ok()).collect();
        if ids.len() < given.len() {
            fields.refuse("ids", "value is not a valid uuid", "type_error.uuid", None);
        }
        Self { ids }
    }
}

/// How many posts a user has published.
#[derive(Serialize, ToSchema)]
pub struct PostCount {
    /// Those that the caller may see; 10,000 stands for 10,000 and more
    #[schema(minimum = 0, maximum = 10_000)]
    pub count: i64,
}
