//! Withheld notifications in the database.
use sqlx::PgTransaction;
use uuid::Uuid;

use crate::notifications::numbers::models::{Change, number_changes};

/// Groups that one statement changes: a post that mentions people in thousands of comments has as many.
const PAGE: usize = 2_000;

/// Readers other than the authors of posts whose notifications of them are withheld and may be shown again, or the other way round.
pub async fn list_withheld_readers(tx: &mut PgTransaction<'_>, posts: &[Uuid]) -> sqlx::Result<Vec<Uuid>> {
    sqlx::query_scalar!(
        "select distinct notification.user_id from notification join post_card on post_card.id = subject_id
        where subject_id = any($1) and type in ('USER_MENTIONED', 'COMMENT_REPLY', 'COMMENT_REACTION_RECEIVED')
            and withheld = is_public(post_card)",
        posts
    )
    .fetch_all(&mut **tx)
    .await
}

/// Withholds the groups of posts that are not to be seen now, and shows those that are again. This transaction has locked the counts of the
/// posts and the readers.
pub async fn withhold(tx: &mut PgTransaction<'_>, posts: &[Uuid]) -> sqlx::Result<()> {
    let groups = sqlx::query_scalar!(
        "select notification.id from notification join post_card on post_card.id = subject_id
        where subject_id = any($1) and type in ('POST_REACTION_RECEIVED', 'POST_COMMENT_RECEIVED', 'USER_MENTIONED',
                'COMMENT_REPLY', 'COMMENT_REACTION_RECEIVED')
            and withheld = is_public(post_card)
        order by notification.id",
        posts
    )
    .fetch_all(&mut **tx)
    .await?;
    for page in groups.chunks(PAGE) {
        withhold_groups(tx, page).await?;
    }
    Ok(())
}

/// The same for these groups; how many were withheld or are shown again.
pub async fn withhold_groups(tx: &mut PgTransaction<'_>, notifications: &[Uuid]) -> sqlx::Result<usize> {
    let changes = sqlx::query_as!(
        Change,
        r#"update notification set withheld = not is_public(post_card)
        from post_card, notification as before
        where notification.id = any($1) and post_card.id = notification.subject_id and before.id = notification.id
            and notification.type in ('POST_REACTION_RECEIVED', 'POST_COMMENT_RECEIVED', 'USER_MENTIONED', 'COMMENT_REPLY',
                'COMMENT_REACTION_RECEIVED')
            and notification.withheld = is_public(post_card)
        returning notification.id, before.shown as "was_shown!", notification.shown as "is_shown!""#,
        notifications
    )
    .fetch_all(&mut **tx)
    .await?;
    number_changes(tx, &changes).await?;
    Ok(changes.len())
}
