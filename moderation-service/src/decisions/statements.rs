//! The statement of reasons of a decision, as the Digital Services Act (article 17) asks for it.
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::AppealStatus;
use super::models::Decision;
use crate::core::contract::timestamp::Timestamp;
use crate::subjects::SubjectType;
use crate::subjects::actions::Action;
use crate::subjects::changes::{Ended, PolicyRef};
use crate::subjects::means::AutomatedMeans;
use crate::subjects::reasons::{Family, Reason};

/// Where a decision is appealed beside the platform.
const OTHER_REDRESS: &str =
    "A certified out-of-court dispute settlement body (Digital Services Act, article 21), and the courts";

/// What a decision was made on
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum StatementSource {
    /// Users had reported it
    Notice,
    /// The platform's own look at it
    OwnInitiative,
}

/// What a content is said to be against
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum StatementGround {
    /// The law
    IllegalContent,
    /// The rules of this platform
    IncompatibleContent,
}

/// The statement of reasons of a decision, as the Digital Services Act (article 17) asks for it. It names no moderator.
#[derive(Serialize, ToSchema)]
pub struct StatementOut {
    pub decision_id: Uuid,
    pub at: Timestamp,
    pub subject_type: SubjectType,
    pub subject_id: Uuid,
    /// What was done
    pub actions: Vec<Action>,
    /// Until when what it does to the content is in force; null: without an end
    pub expires_at: Option<Timestamp>,
    /// Until when what it does to the account is in force; null: without an end
    pub standing_until: Option<Timestamp>,
    /// Where it is in force: `EVERYWHERE`
    #[schema(examples("EVERYWHERE"))]
    pub territorial_scope: &'static str,
    /// The facts: what a moderator wrote to the author, or what a machine found; null: neither
    pub facts: Option<String>,
    /// On whose notice it was decided; null: not known of decisions from before there was this
    #[schema(inline)]
    pub source: Option<StatementSource>,
    pub reason: Reason,
    pub family: Family,
    // What it is said to be against
    #[schema(inline)]
    pub decision_ground: StatementGround,
    /// The reason in words
    #[schema(examples("it bullies somebody"))]
    pub ground: &'static str,
    /// The policy, its version and rule, where the decision follows from one
    pub policy: Option<PolicyRef>,
    /// The sum of strikes that has led to it; null: it was not the ladder
    pub strikes: Option<i32>,
    /// Whether a machine has found it
    pub automated_detection: bool,
    /// Whether a machine has decided
    pub automated_decision: bool,
    /// What the machine has decided by: the hash of what it read, the model, its scores, and the comparisons of the rule; null: a person
    /// has decided, or it follows from no rule
    pub automated_means: Option<AutomatedMeans>,
    /// The whole statement in plain words
    pub text: Option<String>,
    /// Until when the author can appeal
    pub appeal_until: Timestamp,
    /// Where the author appeals
    #[schema(examples("POST /api/v1/me/moderation/decisions/01994000-0000-7000-8000-000000000000/appeal"))]
    pub redress: String,
    /// Where else the author can object
    #[schema(examples(
        "A certified out-of-court dispute settlement body (Digital Services Act, article 21), and the courts"
    ))]
    pub other_redress: &'static str,
    /// How far the appeal is; null: there is none
    pub appeal: Option<AppealStatus>,
    /// Since when the decision is no longer in force
    pub ended_at: Option<Timestamp>,
    pub ended_by: Option<Ended>,
}

impl From<Decision> for StatementOut {
    fn from(decision: Decision) -> Self {
        let (text, facts) = (decision.notice().map(|(_, _, text)| text), decision.facts());
        let source = |reported| if reported { StatementSource::Notice } else { StatementSource::OwnInitiative };
        let decision_ground = match decision.reason {
            Reason::OtherIllegal => StatementGround::IllegalContent,
            _ => StatementGround::IncompatibleContent,
        };
        Self {
            decision_id: decision.id,
            at: decision.at,
            subject_type: decision.key.r#type,
            subject_id: decision.key.id,
            expires_at: decision.expires_at,
            standing_until: decision.standing_until,
            territorial_scope: "EVERYWHERE",
            facts,
            source: decision.reported.map(source),
            reason: decision.reason,
            family: decision.reason.family(),
            decision_ground,
            ground: decision.reason.sentence(),
            strikes: decision.strikes,
            automated_detection: decision.is_found_by_machine(),
            automated_decision: decision.moderator.is_none(),
            text,
            appeal_until: decision.appeal_until(),
            redress: format!("POST /api/v1/me/moderation/decisions/{}/appeal", decision.id),
            other_redress: OTHER_REDRESS,
            appeal: decision.appeal,
            ended_at: decision.ended_at,
            ended_by: decision.ended_by,
            actions: decision.actions,
            automated_means: decision.means,
            policy: decision.policy,
        }
    }
}
