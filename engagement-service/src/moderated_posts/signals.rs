//! What follows from moderation's decisions about posts, in the same transaction: what is limited no more comes back into feeds.
use sqlx::PgTransaction;

use super::models::PostLimit;
use crate::feeds::fan_out::models::FanOut;

/// Moderation has decided about posts. What is limited is left out as pages are read, and needs no job.
pub async fn decided(tx: &mut PgTransaction<'_>, limits: &[PostLimit]) -> sqlx::Result<()> {
    let open = PostLimit::save(tx, limits).await?;
    FanOut::repeat(tx, &open).await
}
