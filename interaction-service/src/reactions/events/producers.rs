//! What the interaction service tells the others about reactions.
use sqlx::PgTransaction;

use super::{REACTION_CREATED, REACTION_DELETED};
use crate::core::events::outbox::{publish, publish_all};
use crate::reactions::schemas::PostReactionOut;

/// Somebody reacted to a post.
pub async fn reaction_created(tx: &mut PgTransaction<'_>, reaction: &PostReactionOut) -> sqlx::Result<()> {
    publish(tx, REACTION_CREATED, reaction).await
}

/// A reaction is gone.
pub async fn reaction_deleted(tx: &mut PgTransaction<'_>, reaction: &PostReactionOut) -> sqlx::Result<()> {
    publish(tx, REACTION_DELETED, reaction).await
}

/// Many reactions are gone.
pub async fn reactions_deleted(tx: &mut PgTransaction<'_>, reactions: &[PostReactionOut]) -> sqlx::Result<()> {
    publish_all(tx, REACTION_DELETED, reactions).await
}
