//! The state of a subject, as its row has it.
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::changes::Ruling;
use super::{Review, Standing, SubjectKey, Visibility};
use crate::core::contract::timestamp::Timestamp;

/// A decision in force.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct InForce {
    /// Since when.
    pub at: Timestamp,
    #[serde(flatten)]
    pub ruling: Ruling,
}

/// The state of a subject: the fold of its entries in the ledger (see [`fold`](super::fold)).
#[derive(Clone, Debug, PartialEq)]
pub struct Subject {
    pub key: SubjectKey,
    /// Who wrote it; a user is their own author.
    pub author: Uuid,
    /// The number of its entries.
    pub version: i64,
    pub visibility: Visibility,
    /// In alphabetical order.
    pub labels: Vec<String>,
    /// Whether it is closed for comments.
    pub locked: bool,
    pub standing: Standing,
    /// None: without an end.
    pub standing_until: Option<Timestamp>,
    pub review: Review,
    /// The highest severity of what was reported and found since it was opened, 0 to 1.
    pub severity: f64,
    /// Open reports.
    pub reports: i32,
    pub report_weight: f64,
    /// Since when a person has to look at it.
    pub opened_at: Option<Timestamp>,
    /// Since when it is hidden without an end.
    pub hidden_at: Option<Timestamp>,
    /// The decisions in force, oldest first.
    pub active: Vec<InForce>,
}

impl Subject {
    /// Whether a decision is in force here.
    pub fn is_under(&self, decision: Uuid) -> bool {
        self.active.iter().any(|held| held.ruling.decision == decision)
    }
}
