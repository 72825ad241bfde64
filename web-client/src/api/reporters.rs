//! How good the reports of a person were so far, and whether they are muted.
use std::collections::HashMap;

use chrono::{DateTime, Utc};
use futures::future::join_all;
use serde::Deserialize;
use uuid::Uuid;

use super::Caller;
use super::cases::{Case, CaseReport};
use super::failures::Failure;
use super::moderation::case_page;
use crate::ground::words::fill;
use crate::texts::Texts;

/// How many reporters of a case are looked up, the first of its list: each is a call. The page of a reporter has any other.
const MOST_REPORTERS: usize = 5;

/// The record of a reporter.
#[derive(Clone, Debug, Deserialize)]
pub struct Reporter {
    pub id: Uuid,
    #[serde(default)]
    pub agreed: i64,
    #[serde(default)]
    pub ignored: i64,
    #[serde(default)]
    pub abusive: i64,
    #[serde(default)]
    pub weight: f64,
    pub mute: Option<ReporterMute>,
    /// The last ones.
    #[serde(default)]
    pub reports: Vec<PastReport>,
}

/// Since when and until when the reports of a person weigh nothing.
#[derive(Clone, Debug, Deserialize)]
pub struct ReporterMute {
    pub moderator: Uuid,
    pub at: DateTime<Utc>,
    /// None: for good.
    pub until: Option<DateTime<Utc>>,
    pub note: Option<String>,
}

/// A report, with what it is about.
#[derive(Clone, Debug, Deserialize)]
pub struct PastReport {
    pub subject_type: String,
    pub subject_id: Uuid,
    #[serde(flatten)]
    pub report: CaseReport,
}

impl PastReport {
    pub fn case_link(&self) -> String {
        case_page(&self.subject_type, self.subject_id)
    }
}

impl Reporter {
    /// How many of the reports were agreed with, not followed, and a misuse, in the words of a language.
    pub fn in_full(&self, t: &Texts) -> String {
        let [agreed, ignored, abusive] = [self.agreed, self.ignored, self.abusive].map(|count| count.to_string());
        fill(t.reporter_counts, &[&agreed, &ignored, &abusive])
    }

    /// What the next report weighs, to a tenth.
    pub fn weight(&self) -> String {
        format!("{:.1}", self.weight)
    }
}

impl Caller {
    pub async fn reporter(&self, id: Uuid) -> Result<Reporter, Failure> {
        self.get(&["moderation", "reporters", &id.to_string()], &[]).await
    }

    /// The records of the first reporters of a case.
    pub async fn reporters(&self, case: &Case) -> Result<HashMap<Uuid, Reporter>, Failure> {
        let mut ids: Vec<Uuid> = Vec::new();
        for report in &case.reports {
            if ids.len() < MOST_REPORTERS && !ids.contains(&report.reporter) {
                ids.push(report.reporter);
            }
        }
        let found = join_all(ids.into_iter().map(|id| self.reporter(id))).await;
        found.into_iter().map(|found| found.map(|reporter| (reporter.id, reporter))).collect()
    }
}
