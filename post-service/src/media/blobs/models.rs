//! Blobs in the database: all of the SQL of this feature.
use sqlx::{PgExecutor, PgTransaction};
use uuid::Uuid;

/// A file in the store.
#[derive(Clone, Debug)]
pub struct Blob {
    pub id: Uuid,
    pub content_type: String,
    pub bytes: i64,
    pub sha256: Vec<u8>,
}

/// A blob to which a picture of a person referred.
#[derive(Clone, Copy, Debug)]
pub struct OwnedBlob {
    pub id: Uuid,
    pub owner: Uuid,
}

impl Blob {
    /// The blob of these bytes, locked until the transaction ends: the one that is there, or else this one, whose object is in the
    /// store.
    pub async fn find_or_create(tx: &mut PgTransaction<'_>, new: &Self) -> sqlx::Result<Uuid> {
        // An update that changes nothing locks and returns the row that is there, which "do nothing" does not.
        sqlx::query_scalar!(
            "insert into media_blob (id, sha256, content_type, bytes) values ($1, $2, $3, $4)
            on conflict (sha256) where doomed_at is null do update set bytes = excluded.bytes
            returning id",
            new.id,
            &new.sha256,
            new.content_type,
            new.bytes
        )
        .fetch_one(&mut **tx)
        .await
    }

    /// Locks the blobs that have the bytes of these, and one more, as far as they are there: a transaction that is about to find several
    /// takes their locks in one order.
    pub async fn lock_equal(tx: &mut PgTransaction<'_>, new: &[Self], more: Uuid) -> sqlx::Result<()> {
        let hashes: Vec<Vec<u8>> = new.iter().map(|blob| blob.sha256.clone()).collect();
        sqlx::query!(
            "select id from media_blob where (sha256 = any($1) and doomed_at is null) or id = $2 order by id for update",
            &hashes,
            more
        )
        .fetch_all(&mut **tx)
        .await?;
        Ok(())
    }

    /// Marks those of these blobs to which nothing refers any more, each with the owner of the picture that referred to it.
    pub async fn doom_unreferenced(tx: &mut PgTransaction<'_>, blobs: &[OwnedBlob]) -> sqlx::Result<()> {
        let (ids, owners): (Vec<Uuid>, Vec<Uuid>) = blobs.iter().map(|blob| (blob.id, blob.owner)).unzip();
        // Locked by one statement and counted by the next, which sees what others have committed before they let go of the lock.
        sqlx::query!("select id from media_blob where id = any($1) order by id for update", &ids)
            .fetch_all(&mut **tx)
            .await?;
        sqlx::query!(
            "update media_blob set doomed_at = now(), owner = referred.owner
            from unnest($1::uuid[], $2::uuid[]) as referred (id, owner)
            where media_blob.id = referred.id and doomed_at is null
                and not exists (select from media where original = media_blob.id)
                and not exists (select from media_rendition where blob_id = media_blob.id)",
            &ids,
            &owners
        )
        .execute(&mut **tx)
        .await?;
        Ok(())
    }

    /// Blobs to which nothing refers, the oldest first.
    pub async fn list_doomed(db: impl PgExecutor<'_>, rows: i64) -> sqlx::Result<Vec<Uuid>> {
        sqlx::query_scalar!("select id from media_blob where doomed_at is not null order by doomed_at limit $1", rows)
            .fetch_all(db)
            .await
    }

    /// Puts a blob whose object cannot be deleted now behind all others that wait.
    pub async fn put_behind(db: impl PgExecutor<'_>, blob: Uuid) -> sqlx::Result<()> {
        sqlx::query!("update media_blob set doomed_at = now() where id = $1 and doomed_at is not null", blob)
            .execute(db)
            .await?;
        Ok(())
    }

    /// Deletes the row of a blob whose object is deleted.
    pub async fn delete_doomed(db: impl PgExecutor<'_>, blob: Uuid) -> sqlx::Result<()> {
        sqlx::query!("delete from media_blob where id = $1 and doomed_at is not null", blob).execute(db).await?;
        Ok(())
    }

    /// Which of these have no row.
    pub async fn without_row(db: impl PgExecutor<'_>, blobs: &[Uuid]) -> sqlx::Result<Vec<Uuid>> {
        sqlx::query_scalar!(
            r#"select id as "id!" from unnest($1::uuid[]) as stored (id)
            where not exists (select from media_blob where media_blob.id = stored.id)"#,
            blobs
        )
        .fetch_all(db)
        .await
    }
}
