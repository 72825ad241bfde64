//! What follows from a change of a reaction to a comment, in the same transaction: its events.
use sqlx::PgTransaction;
use uuid::Uuid;

use super::events::producers;
use super::models::CommentReaction;
use super::schemas::CommentReactionOut;
use crate::removals::PAGE;
use crate::removals::models::Removal;

/// A user reacted to a comment, or changed their reaction.
pub async fn saved(tx: &mut PgTransaction<'_>, reaction: &CommentReaction) -> sqlx::Result<()> {
    let is_new = reaction.updated_by.is_none();
    let reaction = CommentReactionOut::from(reaction.clone());
    if is_new {
        producers::comment_reaction_created(tx, &reaction).await
    } else {
        producers::comment_reaction_updated(tx, &reaction).await
    }
}

/// A user took their reaction back.
pub async fn deleted(tx: &mut PgTransaction<'_>, reaction: &CommentReaction) -> sqlx::Result<()> {
    producers::comment_reactions_deleted(tx, &[CommentReactionOut::from(reaction.clone())]).await
}

/// Comments were deleted: a page of the reactions to them is deleted at once, and what is more in pages of their own. Each deletion is
/// published, so that no service keeps what is gone.
pub async fn comments_deleted(tx: &mut PgTransaction<'_>, comments: &[Uuid]) -> sqlx::Result<()> {
    let reactions = CommentReaction::delete_by_comments(tx, comments, PAGE).await?;
    // Reactions that others take back at the same moment are not among these, so their number says nothing about what is left.
    Removal::begin_comment_reactions(tx, comments).await?;
    publish(tx, reactions).await.map(drop)
}

/// Deletes reactions whose comment is gone, and publishes that.
pub async fn delete_listed(tx: &mut PgTransaction<'_>, ids: &[Uuid]) -> sqlx::Result<()> {
    let reactions = CommentReaction::delete_listed(tx, ids).await?;
    publish(tx, reactions).await.map(drop)
}

/// Deletes a page of an erased user's reactions; true when there may be more.
pub async fn erase(tx: &mut PgTransaction<'_>, user: Uuid) -> sqlx::Result<bool> {
    let reactions = CommentReaction::delete_by_author(tx, user, PAGE).await?;
    publish(tx, reactions).await
}

/// Publishes deletions; whether there were some.
async fn publish(tx: &mut PgTransaction<'_>, reactions: Vec<CommentReaction>) -> sqlx::Result<bool> {
    let deleted: Vec<_> = reactions.into_iter().map(CommentReactionOut::from).collect();
    producers::comment_reactions_deleted(tx, &deleted).await?;
    Ok(!deleted.is_empty())
}
