//! What follows from a mute, in its transaction: the reader's feed is built anew, and their notifications lose or regain the other.
use sqlx::PgTransaction;
use uuid::Uuid;

use crate::feeds::drops::models::FeedDrop;
use crate::notifications;
use crate::notifications::causes::Pair;

/// A reader has muted a user, or ended that.
pub async fn changed(tx: &mut PgTransaction<'_>, reader: Uuid, target: Uuid) -> sqlx::Result<()> {
    FeedDrop::create(tx, &[reader]).await?;
    notifications::signals::pairs_changed(tx, &[Pair { user_id: reader, actor_id: target }]).await
}
