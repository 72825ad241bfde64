//! The rules about domains to which links lead.
use axum::http::Method;
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

use super::failures::Failure;
use super::{Caller, Listed};

/// How many rules stand on a page.
const PAGE: usize = 50;

/// What links to a domain, and to all domains below it, mean.
#[derive(Clone, Debug, Deserialize)]
pub struct DomainRule {
    pub domain: String,
    pub verdict: String,
    pub note: Option<String>,
    pub updated_at: DateTime<Utc>,
    /// The administrator; none: the account was deleted.
    pub updated_by: Option<Uuid>,
}

impl Caller {
    /// The rules behind a domain, by the alphabet. The API goes on behind the last domain of a page, so that is its cursor.
    pub async fn domain_rules(&self, after: &str) -> Result<Listed<DomainRule>, Failure> {
        let limit = PAGE.to_string();
        let query = [("limit", limit.as_str()), ("after", after)];
        let query = if after.is_empty() { &query[..1] } else { &query[..] };
        let items: Vec<DomainRule> = self.get(&["moderation", "domains"], query).await?;
        let next = items.last().filter(|_| items.len() >= PAGE).map(|rule| rule.domain.clone());
        Ok(Listed { items, next })
    }

    pub async fn set_domain_rule(&self, domain: &str, rule: &Value) -> Result<(), Failure> {
        self.put(Method::PUT, &["moderation", "domains", domain], rule).await
    }

    pub async fn delete_domain_rule(&self, domain: &str) -> Result<(), Failure> {
        self.act(Method::DELETE, &["moderation", "domains", domain], &[]).await
    }
}
