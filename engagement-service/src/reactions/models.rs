//! Reactions in the database: all of the SQL of this feature.
use sqlx::PgTransaction;
use uuid::Uuid;

use crate::core::contract::timestamp::Timestamp;

/// One version of a reaction.
#[derive(Clone, Debug, PartialEq)]
pub struct ReactionCard {
    pub id: Uuid,
    pub post_id: Uuid,
    pub user_id: Uuid,
    /// LIKE, LOVE, ANGRY, SAD, FUNNY or JOY.
    pub r#type: String,
    pub created_at: Timestamp,
    pub version: Timestamp,
    pub deleted: bool,
}

impl ReactionCard {
    /// The stored ones of these reactions; this transaction has locked the counts of their posts.
    pub async fn list(tx: &mut PgTransaction<'_>, ids: &[Uuid]) -> sqlx::Result<Vec<Self>> {
        sqlx::query_as!(
            Self,
            r#"select id, post_id, user_id, type, created_at, version, deleted_at is not null as "deleted!"
            from reaction_card where id = any($1)"#,
            ids
        )
        .fetch_all(&mut **tx)
        .await
    }

    /// Saves reactions.
    pub async fn save(tx: &mut PgTransaction<'_>, reactions: &[Self]) -> sqlx::Result<()> {
        sqlx::query!(
            "insert into reaction_card (id, post_id, user_id, type, created_at, version, deleted_at)
            select id, post_id, user_id, type, created_at, version, case when deleted then now() end
            from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::timestamptz[], $6::timestamptz[], $7::boolean[])
                as seen (id, post_id, user_id, type, created_at, version, deleted)
            on conflict (id) do update
            set type = excluded.type, version = excluded.version, deleted_at = excluded.deleted_at",
            &reactions.iter().map(|reaction| reaction.id).collect::<Vec<_>>(),
            &reactions.iter().map(|reaction| reaction.post_id).collect::<Vec<_>>(),
            &reactions.iter().map(|reaction| reaction.user_id).collect::<Vec<_>>(),
            &reactions.iter().map(|reaction| reaction.r#type.clone()).collect::<Vec<_>>(),
            &reactions.iter().map(|reaction| reaction.created_at).collect::<Vec<_>>() as &[Timestamp],
            &reactions.iter().map(|reaction| reaction.version).collect::<Vec<_>>() as &[Timestamp],
            &reactions.iter().map(|reaction| reaction.deleted).collect::<Vec<_>>()
        )
        .execute(&mut **tx)
        .await?;
        Ok(())
    }
}
