//! Who stands behind threads, and who reads of it, in the database.
use sqlx::PgTransaction;
use uuid::Uuid;

use crate::notifications::causes::PostActor;

/// Readers other than the authors of the posts who are, or were, notified of what these people did there.
pub async fn list_readers_of_actors(tx: &mut PgTransaction<'_>, interactions: &[PostActor]) -> sqlx::Result<Vec<Uuid>> {
    sqlx::query_scalar!(
        r#"with touched as (select * from unnest($1::uuid[], $2::uuid[]) as touched (post_id, actor_id))
        select reader_id as "user_id!" from touched
        join notification_cause as cause on cause.post_id = touched.post_id and cause.actor_id = touched.actor_id
        where reader_id is not null
        union
        select user_id from touched join notification on subject_id = touched.post_id
            and type in ('COMMENT_REPLY', 'COMMENT_REACTION_RECEIVED')
        join notification_actor on notification_id = notification.id and notification_actor.actor_id = touched.actor_id"#,
        &interactions.iter().map(|touched| touched.post_id).collect::<Vec<_>>(),
        &interactions.iter().map(|touched| touched.actor_id).collect::<Vec<_>>()
    )
    .fetch_all(&mut **tx)
    .await
}

/// Readers other than the authors of the posts who are, or were, notified of what happened there.
pub async fn list_readers_of_posts(tx: &mut PgTransaction<'_>, posts: &[Uuid]) -> sqlx::Result<Vec<Uuid>> {
    sqlx::query_scalar!(
        "select distinct user_id from notification
        where subject_id = any($1) and type in ('COMMENT_REPLY', 'COMMENT_REACTION_RECEIVED')",
        posts
    )
    .fetch_all(&mut **tx)
    .await
}

/// Who replied or reacted to comments, or once did.
pub async fn list_thread_actors(tx: &mut PgTransaction<'_>, comments: &[Uuid]) -> sqlx::Result<Vec<PostActor>> {
    sqlx::query_as!(
        PostActor,
        r#"select post_id as "post_id!", user_id as "actor_id!" from comment_card where reply_to = any($1)
        union
        select post_id, user_id from comment_reaction_card where comment_id = any($1)"#,
        comments
    )
    .fetch_all(&mut **tx)
    .await
}
