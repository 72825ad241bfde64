//! What users have written in a day: all of the SQL of this feature.
use chrono::NaiveDate;
use sqlx::{PgExecutor, PgPool, PgTransaction};
use uuid::Uuid;

use crate::core::api::pagination::Cursor;
use crate::core::doors::personal_data::PersonalDataItem;

/// What a user has written in a day.
pub struct Usage;

impl Usage {
    /// Adds a text, by its bytes, to a user's day; false when the day would then hold more than `most`: texts, bytes.
    pub async fn add(
        tx: &mut PgTransaction<'_>,
        user: Uuid,
        day: NaiveDate,
        bytes: i64,
        most: (i64, i64),
    ) -> sqlx::Result<bool> {
        let added = sqlx::query!(
            "insert into quota (id, user_id, day, texts, bytes) select $1, $2, $3, 1, $4::bigint where $4 <= $6
            on conflict on constraint quota_user_id_day_key
            do update set texts = quota.texts + 1, bytes = quota.bytes + excluded.bytes
            where quota.texts < $5 and quota.bytes + excluded.bytes <= $6",
            Uuid::now_v7(),
            user,
            day,
            bytes,
            most.0,
            most.1
        )
        .execute(&mut **tx)
        .await?;
        Ok(added.rows_affected() == 1)
    }

    /// Deletes the days before one.
    pub async fn delete_before(db: impl PgExecutor<'_>, day: NaiveDate) -> sqlx::Result<()> {
        sqlx::query!("delete from quota where day < $1", day).execute(db).await?;
        Ok(())
    }

    /// Deletes the days of a user.
    pub async fn delete_by_user(tx: &mut PgTransaction<'_>, user: Uuid) -> sqlx::Result<()> {
        sqlx::query!("delete from quota where user_id = $1", user).execute(&mut **tx).await?;
        Ok(())
    }

    /// The days of a user for the export of personal data, newest first.
    pub async fn list_personal_data(
        db: &PgPool,
        user: Uuid,
        before: Cursor,
        rows: i64,
    ) -> sqlx::Result<Vec<PersonalDataItem>> {
        sqlx::query_as!(
            PersonalDataItem,
            r#"select created_at as at, id, to_json(quota) as "thing!" from quota
            where user_id = $1 and (created_at, id) < ($2, $3) order by created_at desc, id desc limit $4"#,
            user,
            before.at,
            before.id,
            rows
        )
        .fetch_all(db)
        .await
    }
}
