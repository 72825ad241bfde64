//! What follows from a view: its event.
use sqlx::PgTransaction;

use super::events::producers;
use super::schemas::{PostViewed, PublishedView};

/// A post was viewed; `repeated`: by a user who has viewed it a short while ago.
pub async fn viewed(tx: &mut PgTransaction<'_>, view: PostViewed, repeated: bool) -> sqlx::Result<()> {
    producers::post_viewed(tx, &PublishedView::new(view, repeated)).await
}
