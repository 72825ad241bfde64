//! Filters and counts of posts in the API.
use serde::Serialize;
use utoipa::ToSchema;

use super::models::PostFilter;
use crate::core::api::errors::Error;
use crate::core::contract::extract::Query;
use crate::search::schemas::{author, category, has_media, tag};

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

/// How many posts a user has published.
#[derive(Serialize, ToSchema)]
pub struct PostCount {
    /// Those that the caller may see; 10,000 stands for 10,000 and more
    #[schema(minimum = 0, maximum = 10_000)]
    pub count: i64,
}
