//! Pictures in the database: all of the SQL of this feature but that of its parts.
use serde::Serialize;
use sqlx::{PgExecutor, PgPool, PgTransaction};
use uuid::Uuid;

use super::blobs::models::OwnedBlob;
use super::{MediaStatus, Purpose};
use crate::core::api::pagination::Cursor;
use crate::core::contract::timestamp::Timestamp;
use crate::core::doors::personal_data::PersonalDataItem;

/// A picture as it is stored.
#[derive(Clone, Debug)]
pub struct Media {
    pub id: Uuid,
    pub created_at: Timestamp,
    /// The owner.
    pub created_by: Uuid,
    pub purpose: Purpose,
    pub status: MediaStatus,
    /// Why it was refused.
    pub reason: Option<String>,
    /// Of the upload, by its content.
    pub content_type: String,
    /// Of the upload.
    pub bytes: i64,
    pub width: Option<i32>,
    pub height: Option<i32>,
    pub blurhash: Option<String>,
    pub alt: String,
    /// Whether moderation hides it.
    pub hidden: bool,
    /// The names of its renditions.
    pub renditions: Vec<String>,
}

/// A picture whose row is deleted, as its last event has it.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct DeletedMedia {
    pub media_id: Uuid,
    pub owner_id: Uuid,
    /// Above every version that it had.
    pub version: i64,
}

/// An upload whose bytes are in the store.
pub struct Upload<'a> {
    /// Of the picture.
    pub id: Uuid,
    pub owner: Uuid,
    pub purpose: Purpose,
    pub content_type: &'static str,
    pub bytes: i64,
    pub sha256: &'a [u8],
    pub alt: &'a str,
    pub blob: Uuid,
}

/// The bytes of the quota that a person uses: their pictures, and the direct uploads that are not over. Uploads of one person take turns
/// from here until the transaction ends, so that two at once do not both get the last free bytes.
pub async fn lock_used_bytes(tx: &mut PgTransaction<'_>, owner: Uuid) -> sqlx::Result<i64> {
    sqlx::query_scalar!(
        "insert into media_usage (owner, bytes) values ($1, 0)
        on conflict (owner) do update set bytes = media_usage.bytes returning bytes",
        owner
    )
    .fetch_one(&mut **tx)
    .await
}

/// The same without a lock: what may be another number in a moment.
pub async fn used_bytes(db: impl PgExecutor<'_>, owner: Uuid) -> sqlx::Result<i64> {
    let query = sqlx::query_scalar!("select bytes from media_usage where owner = $1", owner);
    Ok(query.fetch_optional(db).await?.unwrap_or_default())
}

/// Deletes what is counted of a person who has no pictures and no uploads any more.
pub async fn delete_usage(tx: &mut PgTransaction<'_>, owner: Uuid) -> sqlx::Result<()> {
    sqlx::query!("delete from media_usage where owner = $1", owner).execute(&mut **tx).await?;
    Ok(())
}

impl Media {
    /// Inserts a picture; its bytes count towards its owner's quota from then on.
    pub async fn create(tx: &mut PgTransaction<'_>, upload: &Upload<'_>) -> sqlx::Result<Self> {
        sqlx::query_as!(
            Self,
            r#"insert into media (id, created_by, purpose, content_type, bytes, sha256, alt, original)
            values ($1, $2, $3, $4, $5, $6, $7, $8)
            returning id, created_at, created_by, purpose, status, reason, content_type, bytes, width, height, blurhash, alt,
                hidden_at is not null as "hidden!", '{}'::text[] as "renditions!""#,
            upload.id,
            upload.owner,
            upload.purpose as Purpose,
            upload.content_type,
            upload.bytes,
            upload.sha256,
            upload.alt,
            upload.blob
        )
        .fetch_one(&mut **tx)
        .await
    }

    /// Pictures by their ids, in any order.
    pub async fn load(db: impl PgExecutor<'_>, ids: &[Uuid]) -> sqlx::Result<Vec<Self>> {
        sqlx::query_as!(
            Self,
            r#"select id, created_at, created_by, purpose, status, reason, content_type, bytes, width, height, blurhash, alt,
                hidden_at is not null as "hidden!",
                array(select name from media_rendition where media_id = media.id order by name) as "renditions!"
            from media where id = any($1)"#,
            ids
        )
        .fetch_all(db)
        .await
    }

    /// A picture of a person; none when it does not exist, or is another one's.
    pub async fn find(db: impl PgExecutor<'_>, id: Uuid, owner: Uuid) -> sqlx::Result<Option<Self>> {
        Ok(Self::load(db, &[id]).await?.pop().filter(|media| media.created_by == owner))
    }

    /// A person's pictures, newest first.
    pub async fn list(db: impl PgExecutor<'_>, owner: Uuid, before: Cursor, rows: i64) -> sqlx::Result<Vec<Self>> {
        sqlx::query_as!(
            Self,
            r#"select id, created_at, created_by, purpose, status, reason, content_type, bytes, width, height, blurhash, alt,
                hidden_at is not null as "hidden!",
                array(select name from media_rendition where media_id = media.id order by name) as "renditions!"
            from media where created_by = $1 and (created_at, id) < ($2, $3)
            order by created_at desc, id desc limit $4"#,
            owner,
            before.at,
            before.id,
            rows
        )
        .fetch_all(db)
        .await
    }

    /// Describes a person's picture in other words; false when it is not theirs, or does not exist.
    pub async fn describe(tx: &mut PgTransaction<'_>, id: Uuid, owner: Uuid, alt: &str) -> sqlx::Result<bool> {
        let query = sqlx::query!(
            "update media set alt = $3, version = version + 1 where id = $1 and created_by = $2",
            id,
            owner,
            alt
        );
        Ok(query.execute(&mut **tx).await?.rows_affected() == 1)
    }

    /// Deletes pictures that this transaction has locked, with their renditions; with the blobs to which they referred.
    pub async fn delete(tx: &mut PgTransaction<'_>, ids: &[Uuid]) -> sqlx::Result<(Vec<DeletedMedia>, Vec<OwnedBlob>)> {
        let blobs = sqlx::query_as!(
            OwnedBlob,
            r#"select blob_id as "id!", created_by as "owner!"
            from media_rendition join media on media.id = media_id where media_id = any($1)
            union select original, created_by from media where id = any($1) and original is not null"#,
            ids
        )
        .fetch_all(&mut **tx)
        .await?;
        // Their bytes are subtracted from what their owners use, whose rows all transactions lock in one order.
        sqlx::query!(
            "select owner from media_usage where owner in (select created_by from media where id = any($1))
            order by owner for update",
            ids
        )
        .fetch_all(&mut **tx)
        .await?;
        let deleted = sqlx::query_as!(
            DeletedMedia,
            r#"delete from media where id = any($1)
            returning id as media_id, created_by as owner_id, version + 1 as "version!""#,
            ids
        );
        Ok((deleted.fetch_all(&mut **tx).await?, blobs))
    }

    /// Up to `rows` pictures of a person, locked.
    pub async fn lock_some(tx: &mut PgTransaction<'_>, owner: Uuid, rows: i64) -> sqlx::Result<Vec<Uuid>> {
        sqlx::query_scalar!("select id from media where created_by = $1 order by id limit $2 for update", owner, rows)
            .fetch_all(&mut **tx)
            .await
    }

    /// Locks pictures until the transaction ends. What shows them is looked up by a later statement, which sees what others have
    /// committed before they let go of the lock.
    pub async fn lock(tx: &mut PgTransaction<'_>, ids: &[Uuid]) -> sqlx::Result<()> {
        Self::lock_with_posts(tx, ids, &[]).await
    }

    /// Locks pictures, and those that posts show, together: a transaction that locks both takes the locks in one order.
    pub async fn lock_with_posts(tx: &mut PgTransaction<'_>, ids: &[Uuid], posts: &[Uuid]) -> sqlx::Result<()> {
        sqlx::query!(
            "select id from media
            where id = any($1::uuid[] || array(select media_id from post_media where post_id = any($2)))
            order by id for update",
            ids,
            posts
        )
        .fetch_all(&mut **tx)
        .await?;
        Ok(())
    }

    /// Up to `rows` pictures that were not used for a day, locked. One that something shows after all is noted as used.
    pub async fn lock_abandoned(tx: &mut PgTransaction<'_>, rows: i64) -> sqlx::Result<Vec<Uuid>> {
        let unused = sqlx::query_scalar!(
            "select id from media where unused_since < now() - interval '1 day'
            order by unused_since limit $1 for update skip locked",
            rows
        )
        .fetch_all(&mut **tx)
        .await?;
        let shown = sqlx::query_scalar!(
            "update media set unused_since = null
            where id = any($1) and (exists (select from post_media where media_id = media.id)
                or exists (select from profile_picture where media_id = media.id))
            returning id",
            &unused
        )
        .fetch_all(&mut **tx)
        .await?;
        Ok(unused.into_iter().filter(|id| !shown.contains(id)).collect())
    }

    /// Notes of pictures whether something shows them now.
    pub async fn save_use(tx: &mut PgTransaction<'_>, ids: &[Uuid]) -> sqlx::Result<()> {
        Self::lock(tx, ids).await?;
        sqlx::query!(
            "update media set unused_since = case when exists (select from post_media where media_id = media.id)
                or exists (select from profile_picture where media_id = media.id) then null
                else coalesce(unused_since, now()) end
            where id = any($1)",
            ids
        )
        .execute(&mut **tx)
        .await?;
        Ok(())
    }

    /// A person's pictures for the export of personal data, newest first, with the paths at which their owner gets the files.
    pub async fn list_personal_data(
        db: &PgPool,
        user: Uuid,
        before: Cursor,
        rows: i64,
    ) -> sqlx::Result<Vec<PersonalDataItem>> {
        sqlx::query_as!(
            PersonalDataItem,
            r#"select created_at as at, id, json_build_object(
                'id', id, 'created_at', created_at, 'purpose', purpose, 'status', status, 'reason', reason,
                'content_type', content_type, 'bytes', bytes, 'sha256', encode(sha256, 'hex'), 'width', width, 'height', height,
                'alt', alt, 'posts', array(select post_id from post_media where media_id = media.id order by post_id),
                'files', array(select '/api/v1/media/' || media_id || '/' || name from media_rendition
                    where media_id = media.id order by name)) as "thing!"
            from media where created_by = $1 and (created_at, id) < ($2, $3)
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
