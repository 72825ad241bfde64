//! Processes the events that NFTs of comments depend on.
use serde::Deserialize;
use sqlx::PgTransaction;
use uuid::Uuid;

use crate::core::contract::timestamp::Timestamp;
use crate::core::events::{Effect, Event};
use crate::nfts::NftKind;
use crate::nfts::signals::{Withdrawal, withdrawn};

#[derive(Deserialize)]
struct DeletedComment {
    /// Other producers may send the post's id alone, which is enough to count: then nothing can be cancelled.
    id: Option<Uuid>,
    /// Given where moderation has hidden it.
    hidden_at: Option<Timestamp>,
}

/// Cancels the minting of comments that were deleted or hidden.
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
        Ok(())
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
