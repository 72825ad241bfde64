//! The readers that a change may concern, in the database.
use sqlx::PgTransaction;
use uuid::Uuid;

use crate::core::contract::timestamp::Timestamp;
use crate::notifications::causes::PostActor;

/// The readers whose groups may change: the authors of posts with reactions, comments or notifications, and the people that the
/// given ones mention, answer or react to there, or once did. This transaction has locked the counts of the posts.
pub async fn list_readers(
    tx: &mut PgTransaction<'_>,
    posts: &[Uuid],
    interactions: &[PostActor],
) -> sqlx::Result<Vec<Uuid>> {
    sqlx::query_scalar!(
        r#"with touched as (select * from unnest($2::uuid[], $3::uuid[]) as touched (post_id, actor_id))
        select user_id as "id!" from post_card where id = any($1) and (
            exists (select from reaction_card where post_id = post_card.id and deleted_at is null)
            or exists (select from comment_card where post_id = post_card.id and deleted_at is null and not hidden)
            or exists (select from notification where subject_id = post_card.id)
        )
        union
        select reader_id from touched cross join lateral reader_causes(touched.post_id) as cause
        where cause.actor_id = touched.actor_id
        union
        select user_id from touched
        join notification on subject_id = touched.post_id
            and type in ('USER_MENTIONED', 'COMMENT_REPLY', 'COMMENT_REACTION_RECEIVED')
        join notification_actor on notification_id = notification.id and notification_actor.actor_id = touched.actor_id"#,
        posts,
        &interactions.iter().map(|touched| touched.post_id).collect::<Vec<_>>(),
        &interactions.iter().map(|touched| touched.actor_id).collect::<Vec<_>>()
    )
    .fetch_all(&mut **tx)
    .await
}

/// What a version of posts can make the cause of a notification of others than their authors: the mentions in it, also those that
/// are gone, and what was consumed before the post and happened after `since`.
pub async fn list_new_interactions(
    tx: &mut PgTransaction<'_>,
    posts: &[Uuid],
    since: Timestamp,
) -> sqlx::Result<Vec<PostActor>> {
    sqlx::query_as!(
        PostActor,
        r#"select post_id as "post_id!", author_id as "actor_id!" from mention where source_id = any($1)
        union
        select post.id, actor_id from unnest($1::uuid[]) as post (id) cross join lateral reader_causes(post.id) as cause
        where reader_id <> actor_id and cause.at > $2 and not exists (
            select from notification
            where user_id = reader_id and notification.type = cause.type and subject_id = post.id)"#,
        posts,
        since as Timestamp
    )
    .fetch_all(&mut **tx)
    .await
}

/// Who stands behind groups that the authors of posts do not have yet, of these readers: by causes after `since`, and of each post the
/// newest people, `most` at most.
pub async fn list_unnotified_actors(
    tx: &mut PgTransaction<'_>,
    posts: &[Uuid],
    readers: &[Uuid],
    since: Timestamp,
    most: i64,
) -> sqlx::Result<Vec<PostActor>> {
    sqlx::query_as!(
        PostActor,
        r#"select post_card.id as "post_id!", newest.actor_id as "actor_id!" from post_card
        cross join lateral (
            select cause.actor_id from author_causes(post_card.id) as cause
            where cause.at > $3 and not exists (
                select from notification where subject_id = post_card.id and notification.type = cause.type)
            group by cause.actor_id order by max(cause.at) desc limit $4
        ) as newest
        where post_card.id = any($1) and post_card.deleted_at is null and post_card.user_id = any($2)"#,
        posts,
        readers,
        since as Timestamp,
        most
    )
    .fetch_all(&mut **tx)
    .await
}
