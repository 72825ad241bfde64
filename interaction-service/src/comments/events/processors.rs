//! Hides comments on moderation's request.
use serde::Deserialize;
use serde_json::value::RawValue;
use sqlx::PgTransaction;
use uuid::Uuid;

use super::producers;
use crate::comments::models::Comment;
use crate::comments::schemas::CommentOut;
use crate::comments::signals;
use crate::core::contract::timestamp::Timestamp;
use crate::core::events::{Effect, Event};

#[derive(Deserialize)]
struct DeleteRequested {
    content_id: Uuid,
    /// The comment as moderation saw it.
    raw_content: Box<RawValue>,
    reason: Option<String>,
}

/// The version of a comment that moderation saw.
#[derive(Deserialize)]
struct AnalysedVersion {
    updated_at: Option<Timestamp>,
}

/// Hides comments on moderation's request, until a moderator restores them, and publishes the completions; also for a comment
/// that was deleted, hidden or restored before: otherwise moderation's case would stay open for ever.
pub fn comment_delete_requested<'a>(tx: &'a mut PgTransaction<'static>, events: &'a [Event]) -> Effect<'a> {
    Box::pin(async move {
        let requests: Vec<DeleteRequested> =
            events.iter().map(|event| serde_json::from_str(&event.message)).collect::<Result<_, _>>()?;
        Comment::lock(tx, &requests.iter().map(|request| request.content_id).collect::<Vec<_>>()).await?;
        for request in requests {
            let AnalysedVersion { updated_at } = serde_json::from_str(request.raw_content.get())?;
            if let Some(comment) = Comment::hide(tx, request.content_id, request.reason.as_deref(), updated_at).await? {
                signals::hidden(tx, &comment).await?;
                producers::comment_delete_completed(tx, &CommentOut::from(comment)).await?;
            } else {
                producers::comment_delete_completed(tx, &request.raw_content).await?;
            }
        }
        Ok(())
    })
}
