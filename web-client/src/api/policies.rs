//! The policies of the platform, and how often their rules have matched.
use chrono::{DateTime, Utc};
use futures::future::join_all;
use serde::Deserialize;
use uuid::Uuid;

use super::Caller;
use super::failures::Failure;

/// A policy with its rules, in the order in which they are evaluated.
#[derive(Clone, Debug, Deserialize)]
pub struct Policy {
    pub id: Uuid,
    pub name: String,
    pub version: i64,
    pub mode: String,
    #[serde(default)]
    pub rules: Vec<Rule>,
    pub updated_at: DateTime<Utc>,
    /// How often its rules have matched lately, by day; none: that could not be read.
    #[serde(skip)]
    pub hits: Option<Vec<HitCount>>,
}

/// A rule, as far as pages show it.
#[derive(Clone, Debug, Deserialize)]
pub struct Rule {
    #[serde(default)]
    pub name: String,
    #[serde(default)]
    pub outcome: String,
    pub reason: Option<String>,
}

/// How often a rule has matched on a day.
#[derive(Clone, Debug, Deserialize)]
pub struct HitCount {
    pub rule: String,
    pub mode: String,
    pub hits: i64,
}

impl Policy {
    /// How often a rule has matched in a mode; none: that is not known.
    pub fn hits_of(&self, rule: &str, mode: &str) -> Option<i64> {
        let of_rule = |count: &&HitCount| count.rule == rule && count.mode == mode;
        Some(self.hits.as_ref()?.iter().filter(of_rule).map(|count| count.hits).sum())
    }
}

impl Caller {
    /// All policies, each with its matches of the last thirty days. One whose matches are away is shown without.
    pub async fn policies(&self) -> Result<Vec<Policy>, Failure> {
        let mut policies: Vec<Policy> = self.get(&["moderation", "policies"], &[]).await?;
        let ids: Vec<Uuid> = policies.iter().map(|policy| policy.id).collect();
        let hits = join_all(ids.into_iter().map(|id| self.hits(id))).await;
        for (policy, hits) in policies.iter_mut().zip(hits) {
            policy.hits = hits.inspect_err(|failure| tracing::warn!(%failure, "a policy without its matches")).ok();
        }
        Ok(policies)
    }

    async fn hits(&self, policy: Uuid) -> Result<Vec<HitCount>, Failure> {
        self.get(&["moderation", "policies", &policy.to_string(), "hits"], &[("days", "30")]).await
    }
}
