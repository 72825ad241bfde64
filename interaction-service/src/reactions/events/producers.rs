//! Publishes the events of reactions.
use sqlx::PgTransaction;

use super::{REACTION_CREATED, REACTION_DELETED, REACTION_UPDATED};
use crate::core::events::outbox::{publish, publish_all};
use crate::reactions::schemas::PostReactionOut;

/// Publishes `post_reaction_created`.
pub async fn reaction_created(tx: &mut PgTransaction<'_>, reaction: &PostReactionOut) -> sqlx::Result<()> {
    publish(tx, REACTION_CREATED, reaction).await
}

/// Publishes `post_reaction_updated`.
pub async fn reaction_updated(tx: &mut PgTransaction<'_>, reaction: &PostReactionOut) -> sqlx::Result<()> {
    publish(tx, REACTION_UPDATED, reaction).await
}

/// Publishes `post_reaction_deleted`.
pub async fn reaction_deleted(tx: &mut PgTransaction<'_>, reaction: &PostReactionOut) -> sqlx::Result<()> {
    publish(tx, REACTION_DELETED, reaction).await
}

/// Publishes `post_reaction_deleted` for each of many reactions.
pub async fn reactions_deleted(tx: &mut PgTransaction<'_>, reactions: &[PostReactionOut]) -> sqlx::Result<()> {
    publish_all(tx, REACTION_DELETED, reactions).await
}
