//! Direct uploads in the database: all of the SQL of this feature.
use sqlx::{PgExecutor, PgPool, PgTransaction};
use uuid::Uuid;

use crate::core::api::pagination::Cursor;
use crate::core::contract::timestamp::Timestamp;
use crate::core::doors::personal_data::PersonalDataItem;
use crate::media::Purpose;
use crate::media::models::lock_used_bytes;

/// A direct upload that is not over.
#[derive(Clone, Debug)]
pub struct DirectUpload {
    pub id: Uuid,
    pub created_by: Uuid,
    pub purpose: Purpose,
    pub alt: String,
    /// As the client has announced.
    pub bytes: i64,
    /// Until when its address is good.
    pub expires_at: Timestamp,
}

impl DirectUpload {
    /// Inserts it, unless its owner would then use more than their quota; false then. Until it is over its bytes are reserved.
    pub async fn create(&self, tx: &mut PgTransaction<'_>, quota: i64) -> sqlx::Result<bool> {
        if lock_used_bytes(tx, self.created_by).await?.saturating_add(self.bytes) > quota {
            return Ok(false);
        }
        sqlx::query!(
            "insert into media_upload (id, created_by, purpose, alt, bytes, expires_at) values ($1, $2, $3, $4, $5, $6)",
            self.id,
            self.created_by,
            self.purpose as Purpose,
            self.alt,
            self.bytes,
            self.expires_at as Timestamp
        )
        .execute(&mut **tx)
        .await?;
        Ok(true)
    }

    /// A person's upload that is not over; none when it is, or does not exist, or is another one's.
    pub async fn find(db: impl PgExecutor<'_>, id: Uuid, owner: Uuid) -> sqlx::Result<Option<Self>> {
        sqlx::query_as!(
            Self,
            "select id, created_by, purpose, alt, bytes, expires_at from media_upload
            where id = $1 and created_by = $2 and ended_at is null",
            id,
            owner
        )
        .fetch_optional(db)
        .await
    }

    /// Ends it, which sets its bytes free; false when it is over already. Its row is locked until the transaction ends.
    pub async fn end(db: impl PgExecutor<'_>, id: Uuid) -> sqlx::Result<bool> {
        let query =
            sqlx::query!("update media_upload set ended_at = now(), alt = '' where id = $1 and ended_at is null", id);
        Ok(query.execute(db).await?.rows_affected() == 1)
    }

    /// Ends all uploads of a person.
    pub async fn end_all(tx: &mut PgTransaction<'_>, owner: Uuid) -> sqlx::Result<()> {
        sqlx::query!(
            "update media_upload set ended_at = now(), alt = '' where created_by = $1 and ended_at is null",
            owner
        )
        .execute(&mut **tx)
        .await?;
        Ok(())
    }

    /// Those that were not completed within an hour after their address has expired.
    pub async fn list_abandoned(db: impl PgExecutor<'_>, rows: i64) -> sqlx::Result<Vec<Uuid>> {
        sqlx::query_scalar!(
            "select id from media_upload where ended_at is null and expires_at < now() - interval '1 hour'
            order by created_at limit $1",
            rows
        )
        .fetch_all(db)
        .await
    }

    /// Those that are over and whose objects are to be deleted now, the oldest first.
    pub async fn list_ended(db: impl PgExecutor<'_>, rows: i64) -> sqlx::Result<Vec<Uuid>> {
        sqlx::query_scalar!("select id from media_upload where ended_at <= now() order by ended_at limit $1", rows)
            .fetch_all(db)
            .await
    }

    /// Puts one whose object cannot be deleted now behind all others that wait.
    pub async fn put_behind(db: impl PgExecutor<'_>, id: Uuid) -> sqlx::Result<()> {
        sqlx::query!("update media_upload set ended_at = now() where id = $1 and ended_at is not null", id)
            .execute(db)
            .await?;
        Ok(())
    }

    /// Deletes the row of one whose object is deleted; one whose address is still good is looked at once more when it has expired, since its
    /// client may write again until then.
    pub async fn delete_ended(db: impl PgExecutor<'_>, id: Uuid) -> sqlx::Result<()> {
        sqlx::query!(
            "with kept as (
                update media_upload set ended_at = expires_at where id = $1 and ended_at is not null and expires_at > now()
            )
            delete from media_upload where id = $1 and ended_at is not null and expires_at <= now()",
            id
        )
        .execute(db)
        .await?;
        Ok(())
    }

    /// Which of these objects, by their ids and sizes, belong to no upload, or are larger than was announced.
    pub async fn list_unwanted(db: impl PgExecutor<'_>, ids: &[Uuid], bytes: &[i64]) -> sqlx::Result<Vec<Uuid>> {
        sqlx::query_scalar!(
            r#"select id as "id!" from unnest($1::uuid[], $2::bigint[]) as stored (id, bytes)
            where not exists (
                select from media_upload where media_upload.id = stored.id and media_upload.bytes >= stored.bytes)"#,
            ids,
            bytes
        )
        .fetch_all(db)
        .await
    }

    /// A person's uploads that are not over, for the export of personal data, newest first.
    pub async fn list_personal_data(
        db: &PgPool,
        user: Uuid,
        before: Cursor,
        rows: i64,
    ) -> sqlx::Result<Vec<PersonalDataItem>> {
        sqlx::query_as!(
            PersonalDataItem,
            r#"select created_at as at, id, json_build_object('id', id, 'created_at', created_at, 'purpose', purpose,
                'alt', alt, 'bytes', bytes, 'expires_at', expires_at) as "thing!"
            from media_upload where created_by = $1 and ended_at is null and (created_at, id) < ($2, $3)
            order by created_at desc, id desc limit $4"#,
            user,
            before.at,
            before.id,
            rows
        )
        .fetch_all(db)
        .await
    }
}
