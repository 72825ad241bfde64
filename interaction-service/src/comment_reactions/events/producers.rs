//! Publishes the events of reactions to comments.
use sqlx::PgTransaction;

use super::{COMMENT_REACTION_CREATED, COMMENT_REACTION_DELETED, COMMENT_REACTION_UPDATED};
use crate::comment_reactions::schemas::CommentReactionOut;
use crate::core::events::outbox::{publish, publish_all};

/// Publishes `comment_reaction_created`.
pub async fn comment_reaction_created(tx: &mut PgTransaction<'_>, reaction: &CommentReactionOut) -> sqlx::Result<()> {
    publish(tx, COMMENT_REACTION_CREATED, reaction).await
}

/// Publishes `comment_reaction_updated`.
pub async fn comment_reaction_updated(tx: &mut PgTransaction<'_>, reaction: &CommentReactionOut) -> sqlx::Result<()> {
    publish(tx, COMMENT_REACTION_UPDATED, reaction).await
}

/// Publishes `comment_reaction_deleted` for each of many reactions.
pub async fn comment_reactions_deleted(
    tx: &mut PgTransaction<'_>,
    reactions: &[CommentReactionOut],
) -> sqlx::Result<()> {
    publish_all(tx, COMMENT_REACTION_DELETED, reactions).await
}
