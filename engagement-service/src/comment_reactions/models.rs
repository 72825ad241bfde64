//! Reactions to comments in the database: all of the SQL of this feature.
use sqlx::PgTransaction;
use uuid::Uuid;

use crate::core::contract::timestamp::Timestamp;

/// One version of a reaction to a comment. Its type is of no use here.
#[derive(Clone, Debug, PartialEq)]
pub struct CommentReactionCard {
    pub id: Uuid,
    pub comment_id: Uuid,
    pub post_id: Uuid,
    pub user_id: Uuid,
    pub created_at: Timestamp,
    pub version: Timestamp,
    pub deleted: bool,
}

impl CommentReactionCard {
    /// The stored ones of these reactions; this transaction has locked the counts of their posts.
    pub async fn list(tx: &mut PgTransaction<'_>, ids: &[Uuid]) -> sqlx::Result<Vec<Self>> {
        sqlx::query_as!(
            Self,
            r#"select id, comment_id, post_id, user_id, created_at, version, deleted_at is not null as "deleted!"
            from comment_reaction_card where id = any($1)"#,
            ids
        )
        .fetch_all(&mut **tx)
        .await
    }

    /// Saves reactions.
    pub async fn save(tx: &mut PgTransaction<'_>, reactions: &[Self]) -> sqlx::Result<()> {
        sqlx::query!(
            "insert into comment_reaction_card (id, comment_id, post_id, user_id, created_at, version, deleted_at)
            select id, comment_id, post_id, user_id, created_at, version, case when deleted then now() end
            from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::timestamptz[], $6::timestamptz[], $7::boolean[])
                as seen (id, comment_id, post_id, user_id, created_at, version, deleted)
            on conflict (id) do update set version = excluded.version, deleted_at = excluded.deleted_at",
            &reactions.iter().map(|reaction| reaction.id).collect::<Vec<_>>(),
            &reactions.iter().map(|reaction| reaction.comment_id).collect::<Vec<_>>(),
            &reactions.iter().map(|reaction| reaction.post_id).collect::<Vec<_>>(),
            &reactions.iter().map(|reaction| reaction.user_id).collect::<Vec<_>>(),
            &reactions.iter().map(|reaction| reaction.created_at).collect::<Vec<_>>() as &[Timestamp],
            &reactions.iter().map(|reaction| reaction.version).collect::<Vec<_>>() as &[Timestamp],
            &reactions.iter().map(|reaction| reaction.deleted).collect::<Vec<_>>()
        )
        .execute(&mut **tx)
        .await?;
        Ok(())
    }
}
