//! Applies moderation's requests and decisions about comments.
use chrono::Utc;
use serde::Deserialize;
use serde_json::value::RawValue;
use sqlx::PgTransaction;
use uuid::Uuid;

use super::producers;
use crate::comments::decisions::DecidedVisibility;
use crate::comments::decisions::models::CommentDecision;
use crate::comments::models::Comment;
use crate::comments::schemas::CommentOut;
use crate::comments::signals;
use crate::core::contract::timestamp::Timestamp;
use crate::core::events::{Effect, Event, Failure};

#[derive(Deserialize)]
struct DeleteRequested {
    content_id: Uuid,
    /// The comment as moderation saw it.
    raw_content: Box<RawValue>,
    reason: Option<String>,
    /// The version of the decision that it goes with; the original's requests have none.
    decision_version: Option<i64>,
}

/// The version of a comment that moderation saw.
#[derive(Deserialize)]
struct AnalysedVersion {
    updated_at: Option<Timestamp>,
}

/// Hides comments on moderation's request, until they are restored, and publishes the completion; also for a comment that was deleted,
/// hidden or restored before: otherwise moderation's case would stay open for ever.
pub fn comment_delete_requested<'a>(tx: &'a mut PgTransaction<'static>, events: &'a [Event]) -> Effect<'a> {
    Box::pin(async move {
        let requests: Vec<DeleteRequested> =
            events.iter().map(|e| serde_json::from_str(&e.message)).collect::<Result<_, _>>()?;
        Comment::lock(tx, &requests.iter().map(|request| request.content_id).collect::<Vec<_>>()).await?;
        for request in requests {
            if let Some(comment) = hide_requested(tx, &request).await? {
                producers::comment_delete_completed(tx, &CommentOut::from(comment)).await?;
            } else {
                producers::comment_delete_completed(tx, &request.raw_content).await?;
            }
        }
        Ok(())
    })
}

/// Hides a comment on a request: by the version of the decision that it goes with, or, where the moderation service makes no
/// decisions, unless a moderator has restored what was analysed. Returns the comment when it is hidden now.
async fn hide_requested(tx: &mut PgTransaction<'_>, request: &DeleteRequested) -> Result<Option<Comment>, Failure> {
    if let Some(version) = request.decision_version {
        let decision = CommentDecision {
            comment_id: request.content_id,
            version,
            is_request: true,
            visibility: DecidedVisibility::Hidden,
            was_hidden: false,
            labels: None,
            reason: request.reason.clone(),
        };
        return Ok(signals::decided(tx, &decision).await?);
    }
    let AnalysedVersion { updated_at } = serde_json::from_str(request.raw_content.get())?;
    let analysed = updated_at.unwrap_or(Timestamp(Utc::now()));
    let comment = Comment::hide(tx, request.content_id, request.reason.as_deref(), Some(analysed)).await?;
    if let Some(comment) = &comment {
        signals::hidden(tx, comment).await?;
    }
    Ok(comment)
}

/// What a decision is about.
#[derive(Deserialize)]
struct DecidedSubject {
    subject_type: String,
}

#[derive(Deserialize)]
struct ModerationDecided {
    subject_id: Uuid,
    version: i64,
    visibility: DecidedVisibility,
    previous_visibility: Option<DecidedVisibility>,
    #[serde(default)]
    labels: Vec<String>,
    /// None where a decision has ended, and no other took its place.
    decision: Option<DecisionSummary>,
}

#[derive(Deserialize)]
struct DecisionSummary {
    contract_reason: Option<String>,
}

/// Reads a decision about a comment; none when it is about something else.
fn read_decision(event: &Event) -> serde_json::Result<Option<CommentDecision>> {
    let DecidedSubject { subject_type } = serde_json::from_str(&event.message)?;
    if subject_type != "COMMENT" {
        return Ok(None);
    }
    let decided: ModerationDecided = serde_json::from_str(&event.message)?;
    Ok(Some(CommentDecision {
        comment_id: decided.subject_id,
        version: decided.version,
        is_request: false,
        visibility: decided.visibility,
        was_hidden: decided.previous_visibility.is_some_and(DecidedVisibility::hides),
        labels: Some(decided.labels),
        reason: decided.decision.and_then(|decision| decision.contract_reason),
    }))
}

/// Applies decisions of moderation about comments: hides, restores and deletes them, and saves their labels.
pub fn moderation_decided<'a>(tx: &'a mut PgTransaction<'static>, events: &'a [Event]) -> Effect<'a> {
    Box::pin(async move {
        let decisions: Vec<CommentDecision> =
            events.iter().filter_map(|event| read_decision(event).transpose()).collect::<Result<_, _>>()?;
        Comment::lock(tx, &decisions.iter().map(|decision| decision.comment_id).collect::<Vec<_>>()).await?;
        for decision in &decisions {
            signals::decided(tx, decision).await?;
        }
        Ok(())
    })
}
