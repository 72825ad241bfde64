//! What follows from a change of a reaction, in the same transaction: its events.
use sqlx::PgTransaction;
use uuid::Uuid;

use super::events::producers;
use super::models::Reaction;
use super::schemas::PostReactionOut;
use crate::removals::PAGE;

/// A user reacted to a post.
pub async fn created(tx: &mut PgTransaction<'_>, reaction: &Reaction) -> sqlx::Result<()> {
    producers::reaction_created(tx, &PostReactionOut::from(reaction.clone())).await
}

/// A user reacted to a post, or changed their reaction.
pub async fn saved(tx: &mut PgTransaction<'_>, reaction: &Reaction) -> sqlx::Result<()> {
    if reaction.updated_by.is_none() { created(tx, reaction).await } else { updated(tx, reaction).await }
}

/// A reaction was changed by its owner.
pub async fn updated(tx: &mut PgTransaction<'_>, reaction: &Reaction) -> sqlx::Result<()> {
    producers::reaction_updated(tx, &PostReactionOut::from(reaction.clone())).await
}

/// A reaction was deleted by its owner.
pub async fn deleted(tx: &mut PgTransaction<'_>, reaction: &Reaction) -> sqlx::Result<()> {
    producers::reaction_deleted(tx, &PostReactionOut::from(reaction.clone())).await
}

/// Deletes reactions whose post is gone, and publishes each deletion, so that the counters of other services stay exact.
pub async fn delete_listed(tx: &mut PgTransaction<'_>, ids: &[Uuid]) -> sqlx::Result<()> {
    let reactions = Reaction::delete_listed(tx, ids).await?;
    publish_deletions(tx, reactions).await.map(drop)
}

/// Deletes a page of an erased user's reactions and publishes that; true when there may be more.
pub async fn erase(tx: &mut PgTransaction<'_>, user: Uuid) -> sqlx::Result<bool> {
    let reactions = Reaction::delete_by_author(tx, user, PAGE).await?;
    publish_deletions(tx, reactions).await
}

/// Publishes deletions; whether there were some.
async fn publish_deletions(tx: &mut PgTransaction<'_>, reactions: Vec<Reaction>) -> sqlx::Result<bool> {
    let deleted: Vec<_> = reactions.into_iter().map(PostReactionOut::from).collect();
    producers::reactions_deleted(tx, &deleted).await?;
    Ok(!deleted.is_empty())
}
