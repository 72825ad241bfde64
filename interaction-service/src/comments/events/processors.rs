//! Deletes comments on moderation's request.
use std::collections::HashMap;

use serde::Deserialize;
use serde_json::value::RawValue;
use sqlx::PgTransaction;
use uuid::Uuid;

use super::producers;
use crate::comments::models::Comment;
use crate::comments::schemas::CommentOut;
use crate::comments::signals;
use crate::core::events::{Effect, Event};

#[derive(Deserialize)]
struct DeleteRequested {
    content_id: Uuid,
    /// The comment as moderation saw it.
    raw_content: Box<RawValue>,
}

/// Deletes comments on moderation's request and publishes the completions, also for a comment that had been deleted before:
/// otherwise moderation's case would stay open for ever.
pub fn comment_delete_requested<'a>(tx: &'a mut PgTransaction<'static>, events: &'a [Event]) -> Effect<'a> {
    Box::pin(async move {
        let requests: Vec<DeleteRequested> =
            events.iter().map(|event| serde_json::from_str(&event.message)).collect::<Result<_, _>>()?;
        let ids: Vec<Uuid> = requests.iter().map(|request| request.content_id).collect();
        let removed = Comment::delete_all(tx, &ids).await?;
        let mut removed: HashMap<Uuid, Comment> = removed.into_iter().map(|comment| (comment.id, comment)).collect();
        for request in requests {
            if let Some(comment) = removed.remove(&request.content_id) {
                signals::deleted(tx, &comment).await?;
                producers::comment_delete_completed(tx, &CommentOut::from(comment)).await?;
            } else {
                producers::comment_delete_completed(tx, &request.raw_content).await?;
            }
        }
        Ok(())
    })
}
