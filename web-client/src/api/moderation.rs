//! Decisions and what is said about them, appeals, reports and the queue, as pages show them.
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use super::failures::Failure;
use super::{Caller, Listed};
use crate::ground::words::fill;
use crate::texts::Texts;

/// How many pages of 200 are read on the way to one item of a list that has no address of its own.
const MOST_PAGES: usize = 5;

/// A part of a decision.
#[derive(Clone, Debug, Deserialize)]
#[expect(clippy::struct_field_names, reason = "action is the name on the wire")]
pub struct Action {
    pub action: String,
    /// For how long an approval, a mute or a ban is; a ban without hours is for good.
    pub hours: Option<i64>,
    /// The label that it adds.
    pub label: Option<String>,
}

impl Action {
    /// What it does and for how long, in the words of a language.
    pub fn in_full(&self, t: &Texts) -> String {
        let what = t.action(&self.action);
        match (self.action.as_str(), self.hours, &self.label) {
            (_, Some(hours), _) => format!("{what} ({})", fill(t.for_hours, &[&hours.to_string()])),
            ("BAN", None, _) => format!("{what} ({})", t.for_good),
            (_, None, Some(label)) => format!("{what}: {label}"),
            _ => what,
        }
    }
}

/// The rule that a decision follows from.
#[derive(Clone, Debug, Deserialize)]
pub struct PolicyRule {
    pub version: i64,
    pub rule: String,
}

impl PolicyRule {
    /// The rule and the version of its policy.
    pub fn in_full(&self, t: &Texts) -> String {
        fill(t.rule_of_version, &[&self.rule, &self.version.to_string()])
    }
}

/// What a machine has decided by.
#[derive(Clone, Debug, Deserialize)]
pub struct AutomatedMeans {
    /// None: no model has read it.
    pub model_version: Option<String>,
    /// The comparisons of its rule that held.
    #[serde(default)]
    pub comparisons: Vec<Comparison>,
}

/// A number, and the bound that it reached.
#[derive(Clone, Debug, Deserialize)]
pub struct Comparison {
    pub signal: String,
    pub value: f64,
    pub at_least: Option<f64>,
    pub at_most: Option<f64>,
}

impl Comparison {
    /// What was measured, how much of it there was, and how much the rule asks for, in the words of a language.
    pub fn in_full(&self, t: &Texts) -> String {
        let bound = |words: &str, bound: Option<f64>| bound.map(|bound| fill(words, &[&number(bound)]));
        let bounds: Vec<_> =
            [bound(t.at_least, self.at_least), bound(t.at_most, self.at_most)].into_iter().flatten().collect();
        let measured = format!("{} {}", t.plain(&self.signal), number(self.value));
        if bounds.is_empty() { measured } else { format!("{measured} ({})", bounds.join(", ")) }
    }
}

/// A number to the third place, without the zeros behind that.
fn number(value: f64) -> String {
    let text = format!("{value:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// What was decided about something of the caller's, and why: the statement of reasons of the Digital Services Act.
#[derive(Clone, Debug, Deserialize)]
pub struct Statement {
    pub decision_id: Uuid,
    pub at: DateTime<Utc>,
    pub subject_type: String,
    pub subject_id: Uuid,
    pub actions: Vec<Action>,
    pub facts: Option<String>,
    /// On whose notice it was decided; none: it is not known.
    pub source: Option<String>,
    pub reason: String,
    pub policy: Option<PolicyRule>,
    /// The sum of strikes that has led to it.
    pub strikes: Option<i64>,
    #[serde(default)]
    pub automated_detection: bool,
    #[serde(default)]
    pub automated_decision: bool,
    pub automated_means: Option<AutomatedMeans>,
    pub expires_at: Option<DateTime<Utc>>,
    pub standing_until: Option<DateTime<Utc>>,
    pub appeal_until: DateTime<Utc>,
    pub appeal: Option<String>,
    pub ended_at: Option<DateTime<Utc>>,
    pub ended_by: Option<String>,
    /// What the caller wrote against it, and what was answered; looked up for the page.
    #[serde(skip)]
    pub objection: Option<OwnAppeal>,
}

impl Statement {
    /// Whether the caller can still say that it is wrong.
    pub fn can_be_appealed(&self, now: DateTime<Utc>) -> bool {
        self.appeal.is_none() && self.ended_at.is_none() && self.appeal_until > now
    }

    /// The page of what it is about.
    pub fn link(&self) -> Option<String> {
        subject_page(&self.subject_type, self.subject_id)
    }
}

/// An appeal of the caller's.
#[derive(Clone, Debug, Deserialize)]
pub struct OwnAppeal {
    pub decision_id: Uuid,
    pub at: DateTime<Utc>,
    pub text: String,
    pub note: Option<String>,
    pub resolved_at: Option<DateTime<Utc>>,
}

/// A decision, as moderators see it.
#[derive(Clone, Debug, Deserialize)]
pub struct Decision {
    pub id: Uuid,
    pub subject_type: String,
    pub subject_id: Uuid,
    pub at: DateTime<Utc>,
    /// Who decided; none: a machine.
    pub moderator: Option<Uuid>,
    pub strikes: Option<i64>,
    pub actions: Vec<Action>,
    pub reason: String,
    pub policy: Option<PolicyRule>,
    /// The analysis that it follows from.
    pub analysis: Option<Uuid>,
    pub automated_means: Option<AutomatedMeans>,
    pub internal_note: Option<String>,
    pub public_note: Option<String>,
    pub expires_at: Option<DateTime<Utc>>,
    pub standing_until: Option<DateTime<Utc>>,
    pub ended_at: Option<DateTime<Utc>>,
    pub ended_by: Option<String>,
    pub appeal: Option<String>,
}

impl Decision {
    /// The page of its subject, for moderators.
    pub fn case_link(&self) -> String {
        case_page(&self.subject_type, self.subject_id)
    }
}

/// Something that a moderator has to look at.
#[derive(Clone, Debug, Deserialize)]
pub struct QueueItem {
    #[serde(rename = "type")]
    pub kind: String,
    pub id: Uuid,
    pub author: Uuid,
    pub visibility: String,
    pub severity: f64,
    pub reports: i64,
    #[serde(default)]
    pub report_weight: f64,
    #[serde(default)]
    pub reasons: Vec<String>,
    #[serde(default)]
    pub flagged_by: Vec<String>,
    #[serde(default)]
    pub reach: i64,
    pub review: String,
    pub opened_at: DateTime<Utc>,
    pub excerpt: Option<String>,
    pub claimed_by: Option<Uuid>,
    pub claimed_until: Option<DateTime<Utc>>,
}

impl QueueItem {
    pub fn link(&self) -> String {
        case_page(&self.kind, self.id)
    }

    /// The severity in hundredths.
    pub fn percent(&self) -> i64 {
        percent(self.severity)
    }

    /// What its reports weigh together, to a tenth.
    pub fn weight(&self) -> String {
        format!("{:.1}", self.report_weight)
    }
}

/// A share in hundredths. It is between 0 and 1 by the document; whatever else it is, it is shown within bounds.
pub fn percent(share: f64) -> i64 {
    #[expect(clippy::cast_possible_truncation, reason = "clamped to 0..=100 before")]
    let percent = (share * 100.0).clamp(0.0, 100.0).round() as i64;
    percent
}

/// The page of a subject for moderators.
pub fn case_page(kind: &str, id: Uuid) -> String {
    format!("/moderation/{kind}/{id}")
}

/// The page of a subject for everyone; a picture has none of its own.
pub fn subject_page(kind: &str, id: Uuid) -> Option<String> {
    let folder = match kind {
        "POST" => "posts",
        "COMMENT" => "comments",
        "USER" => "users",
        _ => return None,
    };
    Some(format!("/{folder}/{id}"))
}

/// An open appeal that a moderator decides about.
#[derive(Clone, Debug, Deserialize)]
pub struct Appeal {
    pub id: Uuid,
    pub decision_id: Uuid,
    pub author: Uuid,
    pub at: DateTime<Utc>,
    pub text: String,
    pub claimed_by: Option<Uuid>,
    pub claimed_until: Option<DateTime<Utc>>,
}

/// What the caller reported.
#[derive(Clone, Debug, Deserialize)]
pub struct SentReport {
    pub at: DateTime<Utc>,
    pub subject_type: String,
    pub reason: String,
    pub text: Option<String>,
    pub status: String,
    pub closed_at: Option<DateTime<Utc>>,
}

/// What became of one case of many.
#[derive(Clone, Debug, Deserialize)]
pub struct BulkResult {
    #[serde(rename = "type")]
    pub kind: String,
    pub id: Uuid,
    pub outcome: String,
}

impl BulkResult {
    pub fn is_decided(&self) -> bool {
        self.outcome == "DECIDED"
    }

    pub fn is_pending(&self) -> bool {
        self.outcome == "PENDING"
    }

    pub fn link(&self) -> String {
        case_page(&self.kind, self.id)
    }
}

impl Caller {
    pub async fn decision(&self, id: Uuid) -> Result<Decision, Failure> {
        self.get(&["moderation", "decisions", &id.to_string()], &[]).await
    }

    /// An appeal that waits; none when it was resolved, or is not for the caller. There is no address of one, so the list is read.
    pub async fn open_appeal(&self, id: Uuid) -> Result<Option<Appeal>, Failure> {
        self.sought(&["moderation", "appeals"], |appeal: &Appeal| appeal.id == id, |_| false).await
    }

    /// The first item of a list that is the wanted one, up to where the list is past it.
    pub async fn sought<T: DeserializeOwned>(
        &self,
        path: &[&str],
        is_it: impl Fn(&T) -> bool,
        is_past: impl Fn(&T) -> bool,
    ) -> Result<Option<T>, Failure> {
        let mut cursor = String::new();
        for _ in 0..MOST_PAGES {
            let query = [("limit", "200"), ("cursor", cursor.as_str())];
            let query = if cursor.is_empty() { &query[..1] } else { &query[..] };
            let Listed { items, next } = self.list::<T>(path, query).await?;
            let is_over = items.last().is_some_and(&is_past);
            if let Some(found) = items.into_iter().find(&is_it) {
                return Ok(Some(found));
            }
            match next {
                Some(next) if !is_over => cursor = next,
                _ => return Ok(None),
            }
        }
        Err(Failure::Away("a list is longer than is read".to_owned()))
    }
}
