//! Seen posts in the database: all of the SQL of this feature.
use sqlx::{PgExecutor, PgPool, PgTransaction};
use uuid::Uuid;

use crate::core::api::pagination::Cursor;
use crate::core::contract::timestamp::Timestamp;
use crate::core::doors::personal_data::PersonalDataItem;

/// A post that a person has seen.
#[derive(Clone, Copy, Debug)]
pub struct SeenPost {
    pub user_id: Uuid,
    pub post_id: Uuid,
    pub seen_at: Timestamp,
}

impl SeenPost {
    /// Saves what was seen; what was seen before stays as it is, and nothing is saved of a person whose data are erased.
    pub async fn save(tx: &mut PgTransaction<'_>, seen: &[Self]) -> sqlx::Result<()> {
        sqlx::query!(
            "insert into seen_post (user_id, post_id, seen_at)
            select user_id, post_id, min(seen_at)
            from unnest($1::uuid[], $2::uuid[], $3::timestamptz[]) as seen (user_id, post_id, seen_at)
            where not exists (select from erasure where person = user_id)
            group by user_id, post_id order by user_id, post_id
            on conflict (user_id, post_id) do nothing",
            &seen.iter().map(|seen| seen.user_id).collect::<Vec<_>>(),
            &seen.iter().map(|seen| seen.post_id).collect::<Vec<_>>(),
            &seen.iter().map(|seen| seen.seen_at).collect::<Vec<_>>() as &[Timestamp]
        )
        .execute(&mut **tx)
        .await?;
        Ok(())
    }

    /// What a user has seen for their export, last first.
    pub async fn list_personal_data(
        db: &PgPool,
        user: Uuid,
        before: Cursor,
        rows: i64,
    ) -> sqlx::Result<Vec<PersonalDataItem>> {
        sqlx::query_as!(
            PersonalDataItem,
            r#"select seen_at as at, post_id as id, to_jsonb(seen_post) as "thing!" from seen_post
            where user_id = $1 and (seen_at, post_id) < ($2, $3) order by seen_at desc, post_id desc limit $4"#,
            user,
            before.at,
            before.id,
            rows
        )
        .fetch_all(db)
        .await
    }

    /// Deletes up to `rows` that were seen before a time; how many they were.
    pub async fn purge(db: impl PgExecutor<'_>, before: Timestamp, rows: i64) -> sqlx::Result<u64> {
        let purged = sqlx::query!(
            "delete from seen_post where (user_id, post_id) in (
                select user_id, post_id from seen_post where seen_at < $1 limit $2 for update skip locked
            )",
            before as Timestamp,
            rows
        );
        Ok(purged.execute(db).await?.rows_affected())
    }

    /// Deletes up to `rows` of what a user has seen; true when there may be more.
    pub async fn delete_by_user(tx: &mut PgTransaction<'_>, user: Uuid, rows: i64) -> sqlx::Result<bool> {
        let query = sqlx::query!(
            "delete from seen_post where user_id = $1 and post_id in (
                select post_id from seen_post where user_id = $1 limit $2
            )",
            user,
            rows
        );
        Ok(query.execute(&mut **tx).await?.rows_affected() > 0)
    }
}
