//! Policies in the API.
use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use super::Mode;
use super::evaluation::PolicyVerdict;
use super::models::{HitCount, Past, Policy, PolicyVersion};
use super::parsing::parse_rules;
use super::rules::{Rule, RuleOutcome};
use crate::core::contract::fields::{Fields, Input, Invalid};
use crate::core::contract::timestamp::Timestamp;
use crate::subjects::SubjectType;

/// The longest name of a policy, and the longest note, in characters.
const MAX_NAME: usize = 100;
const MAX_NOTE: usize = 500;
/// Contents that a policy is tried on, when nothing else is said, and at most.
pub const DEFAULT_SIMULATED: i64 = 1_000;
pub const MAX_SIMULATED: i64 = 10_000;

/// A policy, as it is written
#[derive(ToSchema)]
#[schema(examples(json!({
    "name": "Contests", "mode": "SHADOW", "version": 0, "note": "tried before the contest in May",
    "rules": [{
        "name": "contest-spam",
        "when": { "all": [
            { "signal": "spam", "at_least": "label" }, { "signal": "links", "at_least": 1 }, { "audience": ["COMMENT"] },
        ] },
        "outcome": "HOLD", "reason": "SPAM_COMMERCIAL",
    }],
})))]
pub struct PolicyIn {
    pub name: String,
    pub mode: Mode,
    /// Rules in their order: `name`, `when` (a predicate), `outcome`, `reason`; `label` with the outcome LABEL; `severity`
    pub rules: Vec<Value>,
    /// Why, for other administrators
    pub note: Option<String>,
    /// For a change: the version that it was made of
    #[schema(default = 0)]
    pub version: i32,
}

fn read_mode(fields: &mut Fields) -> Mode {
    let mode = fields.choice("mode", &["ENFORCE", "SHADOW", "OFF"], |word| match word {
        "ENFORCE" => Some(Mode::Enforce),
        "SHADOW" => Some(Mode::Shadow),
        "OFF" => Some(Mode::Off),
        _ => None,
    });
    // What is wrong with a mode that was given, `choice` has noted.
    if mode.is_none() && fields.value("mode").is_none() {
        fields.refuse("mode", "field required", "value_error.missing", None);
    }
    mode.unwrap_or(Mode::Off)
}

/// Reads a list of rules; each fault is noted with its place.
fn read_rules(fields: &mut Fields) -> (Vec<Value>, Vec<Rule>) {
    let rules = fields.list("rules");
    match parse_rules(&rules) {
        Ok(read) => (rules, read),
        Err(faults) => {
            for fault in faults {
                let loc = [json!("body"), json!("rules")].into_iter().chain(fault.path).collect();
                fields.errors.push(Invalid { loc, msg: fault.message, r#type: "value_error.rule", ctx: None });
            }
            (rules, Vec::new())
        }
    }
}

fn read_integer(fields: &mut Fields, name: &'static str, default: i64, bounds: (i64, i64)) -> i64 {
    let Some(value) = fields.value(name) else { return default };
    let number = value.as_i64().filter(|number| (bounds.0..=bounds.1).contains(number));
    if number.is_none() {
        let msg = format!("a whole number from {} to {} is expected", bounds.0, bounds.1);
        fields.refuse(name, msg, "type_error.integer", None);
    }
    number.unwrap_or(default)
}

fn read_id(fields: &mut Fields, name: &'static str) -> Option<Uuid> {
    let value = fields.value(name).filter(|value| !value.is_null())?;
    let id = value.as_str().and_then(|text| text.parse().ok());
    if id.is_none() {
        fields.refuse(name, "value is not a valid uuid", "type_error.uuid", None);
    }
    id
}

impl Input for PolicyIn {
    fn read(fields: &mut Fields) -> Self {
        let name = fields.text("name", MAX_NAME);
        if name.trim().is_empty() && !fields.errors.iter().any(|error| error.loc.get(1) == Some(&json!("name"))) {
            fields.refuse(
                "name",
                "ensure this value has at least 1 characters",
                "value_error.any_str.min_length",
                None,
            );
        }
        let mode = read_mode(fields);
        let (rules, _) = read_rules(fields);
        let note = fields.optional_text("note", MAX_NOTE);
        let version = read_integer(fields, "version", 0, (0, i64::from(i32::MAX)));
        Self { name, mode, rules, note, version: i32::try_from(version).unwrap_or_default() }
    }
}

/// Rules that are to be tried on past contents, together with the other policies that are enforced
#[derive(ToSchema)]
#[schema(examples(json!({
    "policy": null, "contents": 1000,
    "rules": [{
        "name": "links-of-new-accounts",
        "when": { "all": [{ "signal": "account_age_hours", "at_most": 48 }, { "signal": "links", "at_least": 2 }] },
        "outcome": "REVIEW", "reason": "SPAM_COMMERCIAL",
    }],
})))]
pub struct SimulationIn {
    /// The policy in whose place they are tried, whatever its mode; null: they are one more, behind all others
    pub policy: Option<Uuid>,
    #[schema(value_type = Vec<Object>)]
    pub rules: Vec<Rule>,
    /// How many of the newest contents, up to 10,000
    #[schema(default = 1000)]
    pub contents: i64,
}

impl Input for SimulationIn {
    fn read(fields: &mut Fields) -> Self {
        let policy = read_id(fields, "policy");
        let (_, rules) = read_rules(fields);
        Self { policy, rules, contents: read_integer(fields, "contents", DEFAULT_SIMULATED, (1, MAX_SIMULATED)) }
    }
}

/// A policy
#[derive(Serialize, ToSchema)]
pub struct PolicyOut {
    pub id: Uuid,
    pub name: String,
    pub version: i32,
    pub mode: Mode,
    #[schema(value_type = Vec<Object>)]
    pub rules: Value,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    /// The administrator; null: it came with the service, or the account was deleted
    pub updated_by: Option<Uuid>,
}

impl From<Policy> for PolicyOut {
    fn from(policy: Policy) -> Self {
        let Policy { id, name, version, mode, rules, created_at, updated_at, updated_by } = policy;
        Self { id, name, version, mode, rules, created_at, updated_at, updated_by }
    }
}

/// A version that a policy has had
#[derive(Serialize, ToSchema)]
pub struct PolicyVersionOut {
    pub version: i32,
    pub mode: Mode,
    #[schema(value_type = Vec<Object>)]
    pub rules: Value,
    pub at: Timestamp,
    pub by: Option<Uuid>,
    pub note: Option<String>,
}

impl From<PolicyVersion> for PolicyVersionOut {
    fn from(version: PolicyVersion) -> Self {
        let PolicyVersion { version, mode, rules, at, by, note } = version;
        Self { version, mode, rules, at, by, note }
    }
}

/// A policy with its versions, newest first
#[derive(Serialize, ToSchema)]
pub struct PolicyHistoryOut {
    #[serde(flatten)]
    pub policy: PolicyOut,
    pub versions: Vec<PolicyVersionOut>,
}

/// How often a rule has matched on a day (UTC)
#[derive(Serialize, ToSchema)]
pub struct HitCountOut {
    pub day: NaiveDate,
    pub rule: String,
    /// The mode in which its policy was
    pub mode: Mode,
    pub hits: i64,
}

impl From<HitCount> for HitCountOut {
    fn from(count: HitCount) -> Self {
        Self { day: count.day, rule: count.rule, mode: count.mode, hits: count.hits }
    }
}

/// A content for which something would be different
#[derive(Serialize, ToSchema)]
pub struct ChangedOut {
    pub content_type: SubjectType,
    pub content_id: Uuid,
    pub analysis: Uuid,
    pub at: Timestamp,
    /// Under the policies as they are enforced now
    pub before: RuleOutcome,
    /// With the rules that are tried
    pub after: RuleOutcome,
    pub labels_before: Vec<String>,
    pub labels_after: Vec<String>,
    /// The policy that leads to `after`; null: the rules that are tried, where they are one more, or no rule matches
    pub policy: Option<Uuid>,
    /// The rule that leads to it; null: no rule matches
    pub rule: Option<String>,
    /// The first 200 characters; null: the text was deleted
    pub excerpt: Option<String>,
}

impl ChangedOut {
    /// A content of the past, by what follows for it now and by what would.
    pub fn new(past: Past, policy: Option<Uuid>, now: &PolicyVerdict, then: &PolicyVerdict) -> Self {
        let labels = |verdict: &PolicyVerdict| verdict.labels().into_iter().map(str::to_owned).collect();
        Self {
            content_type: past.kind,
            content_id: past.content_id,
            analysis: past.id,
            at: past.at,
            before: now.outcome(),
            after: then.outcome(),
            labels_before: labels(now),
            labels_after: labels(then),
            policy,
            rule: then.strictest().map(|found| found.rule.clone()),
            excerpt: past.excerpt,
        }
    }
}

/// What would be different
#[derive(Default, Serialize, ToSchema)]
pub struct SimulationOut {
    /// Contents that were judged, by what was found in them
    pub contents: usize,
    /// Contents for which the outcome or the labels would be others
    pub changed: usize,
    /// How many contents have each outcome under the policies as they are enforced now
    pub outcomes_now: BTreeMap<&'static str, usize>,
    /// How many would have each with the rules that are tried
    pub outcomes: BTreeMap<&'static str, usize>,
    /// How often each of these rules would match
    pub hits: BTreeMap<String, usize>,
    /// Some of the changed contents, newest first
    pub examples: Vec<ChangedOut>,
}
