//! Analyses in the API.
use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use super::models::StoredAnalysis;
use super::scoring::WeighedSpan;
use crate::core::contract::timestamp::Timestamp;
use crate::policies::evaluation::Match;
use crate::policies::rules::RuleOutcome;
use crate::signals::Signals;
use crate::subjects::SubjectType;
use crate::text_model::{HEADS, Head, hex};

/// What was found in one version of a content, and what it was judged by
#[derive(Serialize, ToSchema)]
pub struct AnalysisOut {
    pub id: Uuid,
    pub at: Timestamp,
    pub content_type: SubjectType,
    pub content_id: Uuid,
    pub author: Uuid,
    /// SHA-256 of the text, in hexadecimal digits
    pub content_hash: String,
    /// `none`: no model was loaded, the word lists decided
    pub model_version: String,
    /// A probability per head of the model: `toxic`, `hate`, `sexism`, `threat`, `spam`
    #[schema(value_type = Option<Object>)]
    pub scores: Option<Value>,
    /// From where on each head labels and hides
    #[schema(value_type = Option<Object>)]
    pub thresholds: Option<Value>,
    pub signals: Signals,
    /// The parts of the text that weigh most in the scores by which a rule has acted, or for which it has a label
    pub spans: Vec<WeighedSpan>,
    /// Whether `spans` are still to be found: a decision does not wait for its explanation, which follows within seconds
    pub explanation_pending: bool,
    /// Whether some of the text was left out of the search for `spans`: it is too long, or the time for it was over
    pub explained_in_part: bool,
    /// The text without its disguises; null: it has none
    pub normalised: Option<String>,
    /// The rules that matched, in all policies that are not off
    pub matched: Vec<Match>,
    pub verdict: RuleOutcome,
    /// 0 to 1
    pub severity: f64,
}

/// Values of heads under their names.
pub fn by_head<T: Serialize>(values: &[T; HEADS]) -> Value {
    let named = Head::ALL.iter().map(|head| (head.name().to_owned(), json!(values[*head as usize])));
    Value::Object(named.collect::<Map<_, _>>())
}

impl From<StoredAnalysis> for AnalysisOut {
    fn from(analysis: StoredAnalysis) -> Self {
        Self {
            id: analysis.id,
            at: analysis.at,
            content_type: analysis.kind,
            content_id: analysis.content_id,
            author: analysis.author,
            content_hash: hex(&analysis.content_hash),
            model_version: analysis.model_version,
            scores: analysis.scores.map(|scores| by_head(&scores.0)),
            thresholds: analysis.thresholds.map(|thresholds| by_head(&thresholds.0)),
            signals: analysis.signals.0,
            spans: analysis.spans.0,
            explanation_pending: analysis.explanation_pending,
            explained_in_part: analysis.explained_in_part,
            normalised: analysis.normalised,
            matched: analysis.matched.0,
            verdict: analysis.verdict,
            severity: analysis.severity,
        }
    }
}
