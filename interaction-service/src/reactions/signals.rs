//! What follows from a change of a reaction, in the change's transaction: its events.
use sqlx::PgTransaction;
use uuid::Uuid;

use super::events::producers;
use super::models::Reaction;
use super::schemas::PostReactionOut;

/// Reactions deleted in one statement when their post is gone; a popular post has more than memory should hold at once.
const BATCH: i64 = 1_000;

/// Somebody reacted.
pub async fn created(tx: &mut PgTransaction<'_>, reaction: &Reaction) -> sqlx::Result<()> {
    producers::reaction_created(tx, &PostReactionOut::from(reaction.clone())).await
}

/// A reaction was deleted by its owner.
pub async fn deleted(tx: &mut PgTransaction<'_>, reaction: &Reaction) -> sqlx::Result<()> {
    producers::reaction_deleted(tx, &PostReactionOut::from(reaction.clone())).await
}

/// Posts were deleted: the reactions to them go too, and each is told, so that whoever counts reactions counts right.
pub async fn posts_deleted(tx: &mut PgTransaction<'_>, posts: &[Uuid]) -> sqlx::Result<()> {
    loop {
        let reactions = Reaction::remove_of(tx, posts, BATCH).await?;
        if reactions.is_empty() {
            return Ok(());
        }
        producers::reactions_deleted(tx, &reactions.into_iter().map(PostReactionOut::from).collect::<Vec<_>>()).await?;
    }
}

/// Some reactions of somebody who left are deleted; true when there may be more.
pub async fn erase(tx: &mut PgTransaction<'_>, user: Uuid) -> sqlx::Result<bool> {
    let reactions = Reaction::remove_by(tx, user, BATCH).await?;
    for reaction in &reactions {
        deleted(tx, reaction).await?;
    }
    Ok(!reactions.is_empty())
}
