//! What reviews read and write of notifications in the database.
use sqlx::PgTransaction;
use uuid::Uuid;

use super::ReviewedActor;
use crate::core::contract::timestamp::Timestamp;
use crate::notifications::Type;
use crate::notifications::causes::models::{ConnectionCause, PostCause};
use crate::notifications::causes::{Cause, Group, Pair, PostActor};

/// The next rows of people behind groups, in the order of their keys, also of those who do not stand there now.
pub async fn list_reviewed(
    tx: &mut PgTransaction<'_>,
    past: (Uuid, Uuid),
    rows: i64,
) -> sqlx::Result<Vec<ReviewedActor>> {
    let rows = sqlx::query!(
        "select notification_id, notification_actor.actor_id, notification.user_id, type, subject_id, day
        from notification_actor join notification on notification.id = notification_id
        where (notification_id, notification_actor.actor_id) > ($1, $2)
        order by notification_id, notification_actor.actor_id limit $3",
        past.0,
        past.1,
        rows
    )
    .fetch_all(&mut **tx)
    .await?;
    let reviewed = rows.into_iter().map(|row| ReviewedActor {
        notification_id: row.notification_id,
        group: Group { user_id: row.user_id, r#type: row.r#type, subject_id: row.subject_id, day: row.day },
        actor_id: row.actor_id,
    });
    Ok(reviewed.collect())
}

/// What these people did on posts after `since`, that is a cause of a group which exists, and in which they have no row.
pub async fn list_uncounted(
    tx: &mut PgTransaction<'_>,
    interactions: &[PostActor],
    since: Timestamp,
) -> sqlx::Result<Vec<Cause>> {
    // Most posts have no notifications: each is looked up first.
    let rows = sqlx::query_as!(
        PostCause,
        r#"with touched as materialized (
            select post_id, actor_id from unnest($1::uuid[], $2::uuid[]) as made (post_id, actor_id)
            where exists (select from notification where subject_id = made.post_id)
        )
        select cause.type as "type!: Type", touched.post_id as "post_id!", touched.actor_id as "actor_id!",
            notification.user_id as "user_id!", max(cause.at) as "at!: Timestamp"
        from touched
        join post_card on post_card.id = touched.post_id and post_card.deleted_at is null
        cross join lateral causes(touched.post_id, touched.actor_id) as cause
        join notification on notification.user_id = coalesce(cause.reader_id, post_card.user_id)
            and notification.type = cause.type and notification.subject_id = touched.post_id and notification.day is null
        where cause.at > $3 and may_notify(notification.user_id, touched.actor_id)
            and (cause.reader_id is null or not hidden(cause.reader_id, post_card.user_id))
            and not exists (
                select from notification_actor
                where notification_id = notification.id and notification_actor.actor_id = touched.actor_id
            )
        group by cause.type, touched.post_id, touched.actor_id, notification.user_id"#,
        &interactions.iter().map(|made| made.post_id).collect::<Vec<_>>(),
        &interactions.iter().map(|made| made.actor_id).collect::<Vec<_>>(),
        since as Timestamp
    );
    Ok(rows.fetch_all(&mut **tx).await?.into_iter().map(Cause::from).collect())
}

/// The connections of these people to readers that began after `since`, on a day of which there is a group in which they have no row.
pub async fn list_uncounted_connections(
    tx: &mut PgTransaction<'_>,
    pairs: &[Pair],
    since: Timestamp,
) -> sqlx::Result<Vec<Cause>> {
    let rows = sqlx::query_as!(
        ConnectionCause,
        "select follow.target_id, follow.user_id, follow.at
        from unnest($1::uuid[], $2::uuid[]) as pair (user_id, actor_id)
        join follow on follow.target_id = pair.user_id and follow.user_id = pair.actor_id and follow.stands
        join notification on notification.user_id = pair.user_id and notification.type = 'USER_CONNECTED'
            and notification.subject_id = pair.user_id and notification.day = (follow.at at time zone 'utc')::date
        where follow.at > $3 and may_notify(pair.user_id, pair.actor_id)
            and not exists (
                select from notification_actor
                where notification_id = notification.id and notification_actor.actor_id = pair.actor_id
            )",
        &pairs.iter().map(|pair| pair.user_id).collect::<Vec<_>>(),
        &pairs.iter().map(|pair| pair.actor_id).collect::<Vec<_>>(),
        since as Timestamp
    );
    Ok(rows.fetch_all(&mut **tx).await?.into_iter().map(Cause::from).collect())
}
