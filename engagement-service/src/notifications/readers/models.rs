//! The readers that a change may concern, in the database.
use sqlx::PgTransaction;
use uuid::Uuid;

use crate::notifications::causes::PostActor;

/// The readers whose groups may change: the authors of posts with reactions, comments or notifications, and the people that the
/// given ones mention there, or once did. This transaction has locked the counts of the posts.
pub async fn list_readers(
    tx: &mut PgTransaction<'_>,
    posts: &[Uuid],
    interactions: &[PostActor],
) -> sqlx::Result<Vec<Uuid>> {
    sqlx::query_scalar!(
        r#"select user_id as "id!" from post_card where id = any($1) and (
            exists (select from reaction_card where post_id = post_card.id and deleted_at is null)
            or exists (select from comment_card where post_id = post_card.id and deleted_at is null and not hidden)
            or exists (select from notification where subject_id = post_card.id)
        )
        union
        select person_id from unnest($2::uuid[], $3::uuid[]) as touched (post_id, actor_id)
        join mention on mention.post_id = touched.post_id and author_id = touched.actor_id"#,
        posts,
        &interactions.iter().map(|touched| touched.post_id).collect::<Vec<_>>(),
        &interactions.iter().map(|touched| touched.actor_id).collect::<Vec<_>>()
    )
    .fetch_all(&mut **tx)
    .await
}

/// Who has mentioned others on posts, or once did.
pub async fn list_mentions(tx: &mut PgTransaction<'_>, posts: &[Uuid]) -> sqlx::Result<Vec<PostActor>> {
    sqlx::query_as!(
        PostActor,
        "select distinct post_id, author_id as actor_id from mention where post_id = any($1)",
        posts
    )
    .fetch_all(&mut **tx)
    .await
}
