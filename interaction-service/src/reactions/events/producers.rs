//! What the interaction service tells the others about reactions.
use sqlx::PgTransaction;

use super::{REACTION_CREATED, REACTION_DELETED};
use crate::core::events::outbox::publish;
use crate::reactions::schemas::PostReactionOut;

/// Somebody reacted to a post.
pub async fn reaction_created(tx: &mut PgTransaction<'_>, reaction: &PostReactionOut) -> sqlx::Result<()> {
    publish(tx, REACTION_CREATED, reaction).await
}

/// A reaction is gone.
pub async fn reaction_deleted(tx: &mut PgTransaction<'_>, reaction: &PostReactionOut) -> sqlx::Result<()> {
    publish(tx, REACTION_DELETED, reaction).await
}
