//! Who stands behind threads, in the database.
use sqlx::PgTransaction;
use uuid::Uuid;

use crate::notifications::causes::PostActor;

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
