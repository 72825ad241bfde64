//! What follows from a followed tag, in its transaction.
use sqlx::PgTransaction;
use uuid::Uuid;

use crate::feeds::drops::models::FeedDrop;

/// A reader follows a tag, or does not any more: a feed that was built before is built anew.
pub async fn changed(tx: &mut PgTransaction<'_>, reader: Uuid) -> sqlx::Result<()> {
    FeedDrop::create(tx, &[reader]).await
}
