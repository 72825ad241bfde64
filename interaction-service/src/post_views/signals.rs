//! What follows from a view: its event.
use sqlx::PgTransaction;

use super::events::producers;
use super::schemas::PostViewed;

/// A post was viewed.
pub async fn viewed(tx: &mut PgTransaction<'_>, view: &PostViewed) -> sqlx::Result<()> {
    producers::post_viewed(tx, &view.shortened()).await
}
