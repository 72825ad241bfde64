//! Statistics in the API.
use chrono::{TimeDelta, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::models::{DecisionCount, ModelCount, ModeratorCount, PublicDecision, ShadowCount, Volumes};
use crate::core::contract::timestamp::Timestamp;
use crate::queue::models::QueueLength;
use crate::subjects::SubjectType;
use crate::subjects::changes::Ended;
use crate::subjects::reasons::Reason;
use crate::text_model::HEADS;

/// Decisions of one kind
#[derive(Serialize, ToSchema)]
pub struct DecisionCountOut {
    /// The action, the reason, or policy, version and rule
    pub what: String,
    /// By moderators
    pub manual: i64,
    /// By machines
    pub automated: i64,
    /// Those that were reversed, or overturned by an appeal
    pub taken_back: i64,
    /// The share of them that stand; null without decisions
    pub precision: Option<f64>,
}

impl From<DecisionCount> for DecisionCountOut {
    fn from(count: DecisionCount) -> Self {
        let DecisionCount { what, manual, automated, taken_back } = count;
        let precision = share(manual + automated - taken_back, manual + automated);
        Self { what, manual, automated, taken_back, precision }
    }
}

fn counts(counts: Vec<DecisionCount>) -> Vec<DecisionCountOut> {
    counts.into_iter().map(DecisionCountOut::from).collect()
}

/// What waits
#[derive(Serialize, ToSchema)]
pub struct QueueLengthOut {
    pub open: i64,
    pub escalated: i64,
    /// Of both, those that a moderator has claimed
    pub claimed: i64,
    /// Since when the oldest waits
    pub oldest: Option<Timestamp>,
}

/// What came in
#[derive(Serialize, ToSchema)]
pub struct InboundOut {
    pub reports: i64,
    /// Of these, the ones that a moderator agreed with
    pub agreed_reports: i64,
    /// Contents that a machine has flagged for moderators
    pub flagged: i64,
    pub appeals: i64,
    pub appeals_upheld: i64,
    pub appeals_overturned: i64,
}

/// How long subjects waited for a person, in seconds
#[derive(Serialize, ToSchema)]
pub struct TimeToDecisionOut {
    pub median: Option<f64>,
    /// 95 in 100 were decided sooner
    pub p95: Option<f64>,
}

/// The work of a moderator
#[derive(Serialize, ToSchema)]
pub struct ModeratorCountOut {
    pub moderator: Uuid,
    pub decisions: i64,
    /// Of these, the ones that restrict something
    pub acted: i64,
    pub taken_back: i64,
    /// The share of decisions that stand
    pub precision: Option<f64>,
    /// In seconds
    pub median_time: Option<f64>,
}

/// What a model has read
#[derive(Serialize, ToSchema)]
pub struct ModelCountOut {
    /// `none`: contents that were judged without a model
    pub model_version: String,
    /// Contents that it has read
    pub read: i64,
    /// Those that policies hid or held
    pub hidden: i64,
    /// Decisions that followed from what it has read
    pub decisions: i64,
    /// Those of them that were reversed, or overturned by an appeal
    pub taken_back: i64,
    /// The share of decisions that stand; null without decisions
    pub precision: Option<f64>,
}

impl From<ModelCount> for ModelCountOut {
    fn from(count: ModelCount) -> Self {
        let ModelCount { model_version, read, hidden, decisions, taken_back } = count;
        let precision = share(decisions - taken_back, decisions);
        Self { model_version, read, hidden, decisions, taken_back, precision }
    }
}

/// A model in shadow beside the one that decides
#[derive(Serialize, ToSchema)]
pub struct ShadowCountOut {
    pub model_version: String,
    /// The model in shadow, from which nothing follows
    pub shadow_version: String,
    /// Texts that both have read
    pub read: i64,
    /// The share of labels, of all heads of these texts, that both give or both do not
    pub agreement: Option<f64>,
    /// Texts that policies hide or hold by the scores of either
    pub both_hide: i64,
    /// Those that they would not have hidden by the scores of the shadow
    pub only_model_hides: i64,
    /// Those that they would have hidden by the scores of the shadow alone
    pub only_shadow_hides: i64,
    /// Of what only the model hides, that which was taken back since
    pub spared: i64,
}

impl From<ShadowCount> for ShadowCountOut {
    fn from(count: ShadowCount) -> Self {
        let heads = i64::try_from(HEADS).unwrap_or_default();
        Self {
            agreement: share(count.heads_agreed, count.read * heads),
            model_version: count.model_version,
            shadow_version: count.shadow_version,
            read: count.read,
            both_hide: count.both_hide,
            only_model_hides: count.only_model_hides,
            only_shadow_hides: count.only_shadow_hides,
            spared: count.spared,
        }
    }
}

/// A part of a whole; none of nothing.
fn share(part: i64, whole: i64) -> Option<f64> {
    #[expect(clippy::cast_precision_loss, reason = "a number of rows stays far below 2^52")]
    let share = (whole > 0).then(|| part as f64 / whole as f64);
    share
}

/// What moderation did in a time
#[derive(Serialize, ToSchema)]
pub struct StatsOut {
    pub since: Timestamp,
    pub queue: QueueLengthOut,
    pub inbound: InboundOut,
    pub decisions: DecisionCountOut,
    /// The share of decisions by moderators that restrict something; null without decisions
    pub action_rate: Option<f64>,
    pub time_to_decision: TimeToDecisionOut,
    pub by_action: Vec<DecisionCountOut>,
    pub by_reason: Vec<DecisionCountOut>,
    pub by_rule: Vec<DecisionCountOut>,
    /// The image model that looks at pictures; null: none is loaded, so no picture is judged by what it shows
    pub image_model: Option<String>,
    /// By the model that had read the content
    pub by_model: Vec<ModelCountOut>,
    /// Models in shadow; none where none has read
    pub by_shadow: Vec<ShadowCountOut>,
    /// Null for moderators: each other's work is for administrators
    pub by_moderator: Option<Vec<ModeratorCountOut>>,
}

/// What statistics are made of.
pub struct Counted {
    pub queue: QueueLength,
    pub volumes: Volumes,
    pub all: DecisionCount,
    pub by_action: Vec<DecisionCount>,
    pub by_reason: Vec<DecisionCount>,
    pub by_rule: Vec<DecisionCount>,
    pub image_model: Option<String>,
    pub by_model: Vec<ModelCount>,
    pub by_shadow: Vec<ShadowCount>,
    pub by_moderator: Vec<ModeratorCount>,
}

impl StatsOut {
    /// The statistics from a time on; of each moderator only where `with_moderators`.
    pub fn new(since: Timestamp, counted: Counted, with_moderators: bool) -> Self {
        let Counted {
            queue,
            volumes,
            all,
            by_action,
            by_reason,
            by_rule,
            image_model,
            by_model,
            by_shadow,
            by_moderator,
        } = counted;
        let (decisions, acted) =
            by_moderator.iter().fold((0, 0), |sums, count| (sums.0 + count.decisions, sums.1 + count.acted));
        let of_moderator = |count: ModeratorCount| ModeratorCountOut {
            moderator: count.moderator,
            decisions: count.decisions,
            acted: count.acted,
            taken_back: count.taken_back,
            precision: share(count.decisions - count.taken_back, count.decisions),
            median_time: count.median_seconds,
        };
        Self {
            since,
            queue: QueueLengthOut {
                open: queue.open,
                escalated: queue.escalated,
                claimed: queue.claimed,
                oldest: queue.oldest,
            },
            inbound: inbound(&volumes),
            decisions: all.into(),
            action_rate: share(acted, decisions),
            time_to_decision: TimeToDecisionOut { median: volumes.median_seconds, p95: volumes.p95_seconds },
            by_action: counts(by_action),
            by_reason: counts(by_reason),
            by_rule: counts(by_rule),
            image_model,
            by_model: by_model.into_iter().map(ModelCountOut::from).collect(),
            by_shadow: by_shadow.into_iter().map(ShadowCountOut::from).collect(),
            by_moderator: with_moderators.then(|| by_moderator.into_iter().map(of_moderator).collect()),
        }
    }
}

fn inbound(volumes: &Volumes) -> InboundOut {
    InboundOut {
        reports: volumes.reports,
        agreed_reports: volumes.agreed_reports,
        flagged: volumes.flagged,
        appeals: volumes.appeals,
        appeals_upheld: volumes.appeals_upheld,
        appeals_overturned: volumes.appeals_overturned,
    }
}

/// How long the public numbers reach back, in days: half a year, as the Digital Services Act has its reports.
pub const PUBLIC_DAYS: i64 = 183;

/// The beginning of a time of that many days.
pub fn days_ago(days: i64) -> Timestamp {
    Timestamp(Utc::now() - TimeDelta::days(days))
}

/// What moderation did in the last half year, in numbers
#[derive(Serialize, ToSchema)]
pub struct TransparencyOut {
    pub since: Timestamp,
    pub counted_at: Timestamp,
    pub inbound: InboundOut,
    pub decisions: DecisionCountOut,
    pub by_action: Vec<DecisionCountOut>,
    pub by_reason: Vec<DecisionCountOut>,
    pub time_to_decision: TimeToDecisionOut,
}

impl TransparencyOut {
    /// The numbers that all may see.
    pub fn new(
        since: Timestamp,
        volumes: &Volumes,
        all: DecisionCount,
        by_action: Vec<DecisionCount>,
        by_reason: Vec<DecisionCount>,
    ) -> Self {
        Self {
            since,
            counted_at: Timestamp(Utc::now()),
            inbound: inbound(volumes),
            decisions: all.into(),
            by_action: counts(by_action),
            by_reason: counts(by_reason),
            time_to_decision: TimeToDecisionOut { median: volumes.median_seconds, p95: volumes.p95_seconds },
        }
    }
}

/// A decision as all may see it
#[derive(Serialize, ToSchema)]
pub struct PublicDecisionOut {
    pub id: Uuid,
    pub at: Timestamp,
    #[schema(inline)]
    pub subject_type: SubjectType,
    /// `HIDE`, `WARN`, `ALLOW` …
    pub actions: Vec<&'static str>,
    pub reason: Reason,
    /// Of the moderator, always the same; null: a machine
    pub moderator: Option<String>,
    pub ended_at: Option<Timestamp>,
    #[schema(inline)]
    pub ended_by: Option<Ended>,
}

impl From<PublicDecision> for PublicDecisionOut {
    fn from(decision: PublicDecision) -> Self {
        Self {
            id: decision.id,
            at: decision.at,
            subject_type: decision.subject_type,
            actions: decision.actions.iter().map(crate::subjects::actions::Action::word).collect(),
            reason: decision.reason,
            moderator: decision.pseudonym,
            ended_at: decision.ended_at,
            ended_by: decision.ended_by,
        }
    }
}
