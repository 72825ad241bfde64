//! The policies of the platform: what they have, how often their rules have matched, and what others would change.
use std::collections::BTreeMap;

use axum::http::Method;
use chrono::{DateTime, Utc};
use futures::future::join_all;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::Caller;
use super::failures::Failure;
use super::moderation::case_page;

/// On how many of the newest contents rules are tried.
const TRIED: i64 = 1_000;

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

/// A rule.
#[derive(Clone, Debug, Deserialize)]
pub struct Rule {
    #[serde(default)]
    pub name: String,
    /// The predicate that a content has to fulfil.
    #[serde(default)]
    pub when: Value,
    #[serde(default)]
    pub outcome: String,
    pub reason: Option<String>,
    pub label: Option<String>,
    pub severity: Option<f64>,
    /// What else it has. Its form has no fields for that, and sends it as it is.
    #[serde(flatten)]
    pub more: Map<String, Value>,
}

/// A policy, and the versions that it has had, newest first.
#[derive(Clone, Debug, Deserialize)]
pub struct PolicyHistory {
    #[serde(flatten)]
    pub policy: Policy,
    #[serde(default)]
    pub versions: Vec<PolicyVersion>,
}

/// A version of a policy, without its rules.
#[derive(Clone, Debug, Deserialize)]
pub struct PolicyVersion {
    pub version: i64,
    pub mode: String,
    pub at: DateTime<Utc>,
    /// The administrator; none: it came with the service, or the account was deleted.
    pub by: Option<Uuid>,
    pub note: Option<String>,
}

/// How often a rule has matched on a day.
#[derive(Clone, Debug, Deserialize)]
pub struct HitCount {
    pub rule: String,
    pub mode: String,
    pub hits: i64,
}

/// What rules would change, had they been in force for the newest contents.
#[derive(Clone, Debug, Deserialize)]
pub struct Trial {
    pub contents: i64,
    pub changed: i64,
    /// How many contents have each outcome now.
    pub outcomes_now: BTreeMap<String, i64>,
    /// How many would have each.
    pub outcomes: BTreeMap<String, i64>,
    /// How often each rule would match.
    pub hits: BTreeMap<String, i64>,
    pub examples: Vec<ChangedContent>,
}

/// A content for which something would be different.
#[derive(Clone, Debug, Deserialize)]
pub struct ChangedContent {
    pub content_type: String,
    pub content_id: Uuid,
    pub before: String,
    pub after: String,
    /// The rule that leads to it; none: no rule matches.
    pub rule: Option<String>,
    pub excerpt: Option<String>,
}

impl Policy {
    /// How often a rule has matched in a mode; none: that is not known.
    pub fn hits_of(&self, rule: &str, mode: &str) -> Option<i64> {
        let of_rule = |count: &&HitCount| count.rule == rule && count.mode == mode;
        Some(self.hits.as_ref()?.iter().filter(of_rule).map(|count| count.hits).sum())
    }
}

impl Trial {
    /// Each outcome that occurs, with how many contents have it now, and how many would have it.
    pub fn rows(&self) -> Vec<(&str, i64, i64)> {
        let mut rows: BTreeMap<&str, (i64, i64)> = BTreeMap::new();
        for (outcome, count) in &self.outcomes_now {
            rows.entry(outcome).or_default().0 = *count;
        }
        for (outcome, count) in &self.outcomes {
            rows.entry(outcome).or_default().1 = *count;
        }
        rows.into_iter().map(|(outcome, (now, then))| (outcome, now, then)).collect()
    }
}

impl ChangedContent {
    pub fn case_link(&self) -> String {
        case_page(&self.content_type, self.content_id)
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

    pub async fn policy(&self, id: Uuid) -> Result<PolicyHistory, Failure> {
        self.get(&["moderation", "policies", &id.to_string()], &[]).await
    }

    /// Fails unless the caller may see policies: the API says who may.
    pub async fn may_see_policies(&self) -> Result<(), Failure> {
        self.get::<IgnoredAny>(&["moderation", "policies"], &[]).await.map(drop)
    }

    /// Tries rules in the place of a policy, or behind all others. Nothing is changed.
    pub async fn try_rules(&self, policy: Option<Uuid>, rules: &[Value]) -> Result<Trial, Failure> {
        let body = json!({ "policy": policy, "rules": rules, "contents": TRIED });
        self.send(Method::POST, &["moderation", "policies", "simulate"], &body).await
    }
}
