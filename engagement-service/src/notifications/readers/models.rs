//! The readers that a change may concern, in the database.
use sqlx::PgTransaction;
use uuid::Uuid;

use crate::core::contract::timestamp::Timestamp;
use crate::notifications::Type;
use crate::notifications::causes::{Cause, Group, PostActor};

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

/// The causes of mentions on posts by the given people: of readers who could open the post.
pub async fn list_mention_causes(tx: &mut PgTransaction<'_>, interactions: &[PostActor]) -> sqlx::Result<Vec<Cause>> {
    let rows = sqlx::query!(
        r#"select mention.post_id, author_id, person_id, max(at) as "at!: Timestamp"
        from unnest($1::uuid[], $2::uuid[]) as touched (post_id, actor_id)
        join mention on mention.post_id = touched.post_id and author_id = touched.actor_id and mention.stands
        join post_card on post_card.id = mention.post_id and deleted_at is null
        where may_notify(person_id, author_id) and not hidden(person_id, post_card.user_id)
        group by mention.post_id, author_id, person_id"#,
        &interactions.iter().map(|touched| touched.post_id).collect::<Vec<_>>(),
        &interactions.iter().map(|touched| touched.actor_id).collect::<Vec<_>>()
    )
    .fetch_all(&mut **tx)
    .await?;
    let cause = rows.into_iter().map(|row| Cause {
        group: Group { user_id: row.person_id, r#type: Type::UserMentioned, subject_id: row.post_id, day: None },
        actor_id: row.author_id,
        at: row.at,
    });
    Ok(cause.collect())
}
