//! What follows from a change of a reaction, in the same transaction: its events.
use sqlx::PgTransaction;
use uuid::Uuid;

use super::events::producers;
use super::models::Reaction;
use super::schemas::PostReactionOut;

/// Reactions deleted in one statement when their post is deleted; a popular post has more than memory should hold at once.
const BATCH: i64 = 1_000;

/// A user reacted to a post.
pub async fn created(tx: &mut PgTransaction<'_>, reaction: &Reaction) -> sqlx::Result<()> {
    producers::reaction_created(tx, &PostReactionOut::from(reaction.clone())).await
}

/// A reaction was changed by its owner.
pub async fn updated(tx: &mut PgTransaction<'_>, reaction: &Reaction) -> sqlx::Result<()> {
    producers::reaction_updated(tx, &PostReactionOut::from(reaction.clone())).await
}

/// A reaction was deleted by its owner.
pub async fn deleted(tx: &mut PgTransaction<'_>, reaction: &Reaction) -> sqlx::Result<()> {
    producers::reaction_deleted(tx, &PostReactionOut::from(reaction.clone())).await
}

/// Posts were deleted: deletes the reactions to them and publishes each deletion, so that other services' counters stay exact.
pub async fn posts_deleted(tx: &mut PgTransaction<'_>, posts: &[Uuid]) -> sqlx::Result<()> {
    loop {
        let reactions = Reaction::delete_by_posts(tx, posts, BATCH).await?;
        if reactions.is_empty() {
            return Ok(());
        }
        producers::reactions_deleted(tx, &reactions.into_iter().map(PostReactionOut::from).collect::<Vec<_>>()).await?;
    }
}

/// Deletes a batch of an erased user's reactions; true when there may be more.
pub async fn erase(tx: &mut PgTransaction<'_>, user: Uuid) -> sqlx::Result<bool> {
    let reactions = Reaction::delete_by_author(tx, user, BATCH).await?;
    for reaction in &reactions {
        deleted(tx, reaction).await?;
    }
    Ok(!reactions.is_empty())
}
