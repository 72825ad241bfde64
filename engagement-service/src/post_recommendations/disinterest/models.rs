//! What users are not interested in, in the database: all of the SQL of this feature.
use sqlx::{PgExecutor, PgPool, PgTransaction};
use uuid::Uuid;

use crate::core::api::pagination::Cursor;
use crate::core::contract::timestamp::Timestamp;
use crate::core::doors::personal_data::PersonalDataItem;

/// Posts in which a user is not interested.
pub struct Disinterest;

impl Disinterest {
    /// Saves that a user is not interested in a post; whether that is news. None when the post does not exist for the user.
    pub async fn create(tx: &mut PgTransaction<'_>, user: Uuid, post: Uuid) -> sqlx::Result<Option<bool>> {
        let row = sqlx::query!(
            r#"with post as (
                select id from post_card where id = $3 and is_public(post_card) and not hidden($2, post_card.user_id)
            ),
            fresh as (
                insert into not_interested (id, user_id, post_id) select $1, $2, id from post
                on conflict (user_id, post_id) do nothing returning id
            )
            select exists (select from post) as "exists!", exists (select from fresh) as "fresh!""#,
            Uuid::now_v7(),
            user,
            post
        )
        .fetch_one(&mut **tx)
        .await?;
        Ok(row.exists.then_some(row.fresh))
    }

    /// Takes that back; whether there was something to take back.
    pub async fn delete(tx: &mut PgTransaction<'_>, user: Uuid, post: Uuid) -> sqlx::Result<bool> {
        let query = sqlx::query!("delete from not_interested where user_id = $1 and post_id = $2", user, post);
        Ok(query.execute(&mut **tx).await?.rows_affected() > 0)
    }

    /// What a user is not interested in for their export, last first.
    pub async fn list_personal_data(
        db: &PgPool,
        user: Uuid,
        before: Cursor,
        rows: i64,
    ) -> sqlx::Result<Vec<PersonalDataItem>> {
        sqlx::query_as!(
            PersonalDataItem,
            r#"select said_at as at, id, to_jsonb(not_interested) as "thing!" from not_interested
            where user_id = $1 and (said_at, id) < ($2, $3) order by said_at desc, id desc limit $4"#,
            user,
            before.at,
            before.id,
            rows
        )
        .fetch_all(db)
        .await
    }

    /// Deletes up to `rows` that were said before a time; how many they were.
    pub async fn purge(db: impl PgExecutor<'_>, before: Timestamp, rows: i64) -> sqlx::Result<u64> {
        let purged = sqlx::query!(
            "delete from not_interested where id in (
                select id from not_interested where said_at < $1 limit $2 for update skip locked
            )",
            before as Timestamp,
            rows
        );
        Ok(purged.execute(db).await?.rows_affected())
    }

    /// Deletes up to `rows` of what a user is not interested in; true when there may be more.
    pub async fn delete_by_user(tx: &mut PgTransaction<'_>, user: Uuid, rows: i64) -> sqlx::Result<bool> {
        let query = sqlx::query!(
            "delete from not_interested where id in (select id from not_interested where user_id = $1 limit $2)",
            user,
            rows
        );
        Ok(query.execute(&mut **tx).await?.rows_affected() > 0)
    }
}
