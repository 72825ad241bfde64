//! What follows from a notice, in the same transaction: a message and the notification of its one reader.
use sqlx::PgTransaction;

use super::models::Notice;
use crate::notifications;
use crate::notifications::Type;
use crate::notifications::models::Announcement;

/// There is something to say to single users. The same notice again changes nothing.
pub async fn noticed(tx: &mut PgTransaction<'_>, notices: &[Notice]) -> sqlx::Result<()> {
    Notice::save(tx, notices).await?;
    let announcement =
        |notice: &Notice| Announcement { user_id: notice.user_id, subject_id: notice.id, at: notice.at, levels: None };
    let all: Vec<_> = notices.iter().map(announcement).collect();
    notifications::signals::announced(tx, Type::SystemMessage, &all).await
}
