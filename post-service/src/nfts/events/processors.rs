//! Processes the events that NFTs of comments depend on.
use serde::Deserialize;
use sqlx::PgTransaction;
use uuid::Uuid;

use crate::core::contract::timestamp::Timestamp;
use crate::core::events::{Effect, Event};
use crate::nfts::NftKind;
use crate::nfts::signals::{Withdrawal, comments_changed, withdrawn};
use crate::nfts::withdrawals::models::CommentVersion;

#[derive(Deserialize)]
struct CreatedComment {
    /// As of a deleted one.
    id: Option<Uuid>,
    /// Given where it was hidden and is back: also the version of the comment.
    restored_at: Option<Timestamp>,
}

impl CreatedComment {
    /// What it says about a comment that is back.
    fn restored(&self) -> Option<CommentVersion> {
        Some(CommentVersion { id: self.id?, version: self.restored_at?, is_hidden: false })
    }
}

/// Shows the NFTs of comments again that moderation has hidden and restored.
pub fn comment_created<'a>(tx: &'a mut PgTransaction<'static>, events: &'a [Event]) -> Effect<'a> {
    Box::pin(async move {
        let comments: Vec<CreatedComment> =
            events.iter().map(|event| serde_json::from_str(&event.message)).collect::<Result<_, _>>()?;
        let restored: Vec<CommentVersion> = comments.iter().filter_map(CreatedComment::restored).collect();
        Ok(comments_changed(tx, &restored).await?)
    })
}

#[derive(Deserialize)]
struct DeletedComment {
    /// Other producers may send the post's id alone, which is enough to count: then nothing can be cancelled.
    id: Option<Uuid>,
    /// Given where moderation has hidden it.
    hidden_at: Option<Timestamp>,
    /// The version of the comment, which grows with each change. When it was hidden may lie before the change that came first.
    updated_at: Option<Timestamp>,
}

impl DeletedComment {
    /// What it says about a comment that is hidden.
    fn hidden(&self) -> Option<CommentVersion> {
        let hidden_at = self.hidden_at?;
        Some(CommentVersion { id: self.id?, version: self.updated_at.unwrap_or(hidden_at), is_hidden: true })
    }
}

/// Cancels the minting of comments that were deleted or hidden; what is minted of a hidden one is shown to its author alone.
pub fn comment_deleted<'a>(tx: &'a mut PgTransaction<'static>, events: &'a [Event]) -> Effect<'a> {
    Box::pin(async move {
        let comments: Vec<DeletedComment> =
            events.iter().map(|event| serde_json::from_str(&event.message)).collect::<Result<_, _>>()?;
        let (hidden, deleted): (Vec<_>, Vec<_>) = comments.iter().partition(|comment| comment.hidden_at.is_some());
        for (comments, how) in [(hidden, Withdrawal::Hidden), (deleted, Withdrawal::Deleted)] {
            let ids: Vec<Uuid> = comments.iter().filter_map(|comment| comment.id).collect();
            if !ids.is_empty() {
                withdrawn(tx, NftKind::Comment, &ids, how).await?;
            }
        }
        let hidden: Vec<CommentVersion> = comments.iter().filter_map(DeletedComment::hidden).collect();
        Ok(comments_changed(tx, &hidden).await?)
    })
}

#[derive(Deserialize)]
struct DeletedHiddenComment {
    id: Uuid,
}

/// Cancels the minting of comments for good that were hidden before.
pub fn hidden_comment_deleted<'a>(tx: &'a mut PgTransaction<'static>, events: &'a [Event]) -> Effect<'a> {
    Box::pin(async move {
        let comments: Vec<DeletedHiddenComment> =
            events.iter().map(|event| serde_json::from_str(&event.message)).collect::<Result<_, _>>()?;
        let ids: Vec<Uuid> = comments.into_iter().map(|comment| comment.id).collect();
        Ok(withdrawn(tx, NftKind::Comment, &ids, Withdrawal::Deleted).await?)
    })
}
