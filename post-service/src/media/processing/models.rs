//! The queue of pictures that wait to be processed: all of the SQL of this feature.
use sqlx::{PgExecutor, PgTransaction};
use uuid::Uuid;

use crate::media::Purpose;

/// How long a worker has a picture, in seconds: longer than it may take for all of it.
const LEASE: f64 = 120.0;

/// A picture that this worker has at hand.
#[derive(Clone, Debug)]
pub struct LeasedMedia {
    pub id: Uuid,
    pub owner: Uuid,
    pub purpose: Purpose,
    pub content_type: String,
    /// The blob of the upload.
    pub original: Uuid,
    /// How often a worker has begun, this one counted.
    pub attempts: i32,
}

/// What became of a picture.
pub struct ProcessedMedia {
    pub width: i32,
    pub height: i32,
    pub blurhash: Option<String>,
    pub perceptual_hash: i64,
}

/// A file that is served of a picture.
pub struct StoredRendition {
    pub name: &'static str,
    pub blob: Uuid,
    pub width: i32,
    pub height: i32,
}

/// What the event of a picture needs beside that.
pub struct ReadyMedia {
    pub version: i64,
    pub sha256: Vec<u8>,
}

impl LeasedMedia {
    /// Takes the picture that waits longest.
    pub async fn take(db: impl PgExecutor<'_>) -> sqlx::Result<Option<Self>> {
        sqlx::query_as!(
            Self,
            r#"update media set leased_until = now() + make_interval(secs => $1), attempts = attempts + 1
            where id = (
                select id from media
                where status = 'UPLOADED' and (leased_until is null or leased_until < now()) and original is not null
                order by created_at limit 1 for update skip locked)
            returning id, created_by as owner, purpose, content_type, original as "original!", attempts"#,
            LEASE
        )
        .fetch_optional(db)
        .await
    }

    /// Whether a worker has had it before and not given it back: it may have ended that worker, or was beside what did.
    pub fn is_suspect(&self) -> bool {
        self.attempts > 1
    }

    /// Gives it back for a while, as if it had not been taken: not the picture has failed.
    pub async fn give_back(&self, db: impl PgExecutor<'_>, seconds: f64) -> sqlx::Result<()> {
        sqlx::query!(
            "update media set leased_until = now() + make_interval(secs => $3), attempts = attempts - 1
            where id = $1 and attempts = $2 and status = 'UPLOADED'",
            self.id,
            self.attempts,
            seconds
        )
        .execute(db)
        .await?;
        Ok(())
    }

    /// Locks it before the files of its renditions, as a deletion does; false when it is deleted, or another worker has taken it meanwhile.
    pub async fn lock(&self, tx: &mut PgTransaction<'_>) -> sqlx::Result<bool> {
        let query = sqlx::query_scalar!(
            "select id from media where id = $1 and attempts = $2 and status = 'UPLOADED' for update",
            self.id,
            self.attempts
        );
        Ok(query.fetch_optional(&mut **tx).await?.is_some())
    }

    /// Makes it ready; none when it is deleted, or another worker has taken it meanwhile.
    pub async fn finish(
        &self,
        tx: &mut PgTransaction<'_>,
        processed: &ProcessedMedia,
    ) -> sqlx::Result<Option<ReadyMedia>> {
        sqlx::query_as!(
            ReadyMedia,
            "update media set status = 'READY', width = $3, height = $4, blurhash = $5, perceptual_hash = $6,
                original = null, leased_until = null, version = version + 1
            where id = $1 and attempts = $2 and status = 'UPLOADED' returning version, sha256",
            self.id,
            self.attempts,
            processed.width,
            processed.height,
            processed.blurhash,
            processed.perceptual_hash
        )
        .fetch_optional(&mut **tx)
        .await
    }

    /// Adds the files that are served of it.
    pub async fn save_renditions(
        &self,
        tx: &mut PgTransaction<'_>,
        renditions: &[StoredRendition],
    ) -> sqlx::Result<()> {
        for rendition in renditions {
            sqlx::query!(
                "insert into media_rendition (media_id, name, blob_id, width, height) values ($1, $2, $3, $4, $5)",
                self.id,
                rendition.name,
                rendition.blob,
                rendition.width,
                rendition.height
            )
            .execute(&mut **tx)
            .await?;
        }
        Ok(())
    }

    /// Refuses it; false when it is deleted, or another worker has taken it meanwhile.
    pub async fn refuse(&self, tx: &mut PgTransaction<'_>, reason: &str) -> sqlx::Result<bool> {
        let query = sqlx::query!(
            "update media set status = 'REFUSED', reason = $3, original = null, leased_until = null, version = version + 1
            where id = $1 and attempts = $2 and status = 'UPLOADED'",
            self.id,
            self.attempts,
            reason
        );
        Ok(query.execute(&mut **tx).await?.rows_affected() == 1)
    }
}

/// How many pictures wait, as far as they are counted, and for how long the first one has, in seconds.
pub struct QueueState {
    pub waiting: i64,
    pub oldest: f64,
}

impl QueueState {
    /// The queue at this moment, counted up to `most`.
    pub async fn load(db: impl PgExecutor<'_>, most: i64) -> sqlx::Result<Self> {
        sqlx::query_as!(
            Self,
            r#"select count(*) as "waiting!",
                coalesce(extract(epoch from now() - min(created_at)), 0)::double precision as "oldest!"
            from (select created_at from media where status = 'UPLOADED' order by created_at limit $1) as first"#,
            most
        )
        .fetch_one(db)
        .await
    }
}
