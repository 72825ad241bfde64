//! Pictures and the blocklist in the database: all of the SQL of this feature.
use sqlx::{PgExecutor, PgPool, PgTransaction};
use uuid::Uuid;

use super::services::PerceptualHash;
use crate::core::api::pagination::Cursor;
use crate::core::contract::timestamp::Timestamp;
use crate::core::doors::personal_data::PersonalDataItem;
use crate::subjects::reasons::Reason;

/// The constraint by which a hash is blocked once.
pub const BLOCKED_ONCE: &str = "blocked_picture_hash_key";
/// Rows erased in one statement.
const BATCH: i64 = 500;

/// A picture that is ready to be shown.
#[derive(Clone, Debug)]
pub struct NewPicture {
    pub id: Uuid,
    pub owner: Uuid,
    pub purpose: String,
    pub content_type: String,
    pub width: i32,
    pub height: i32,
    pub sha256: Vec<u8>,
    pub hash: PerceptualHash,
    pub version: i64,
}

impl NewPicture {
    /// Saves that its owner has a content of that id, and the picture, which then waits for the image model; none when it is known in
    /// this version or a later one, was deleted, or its owner's data are erased. The content is locked, as it is first wherever a
    /// picture is changed.
    pub async fn save(&self, tx: &mut PgTransaction<'_>) -> sqlx::Result<Option<Picture>> {
        let content = sqlx::query_scalar!(
            "insert into content (id, version, type, author, created_at)
            select $1, now(), 'MEDIA', $2, now() where not exists (select from erasure where person = $2)
            on conflict (id) do update set type = content.type
                where content.gone_at is null and content.type = excluded.type and content.author = excluded.author
            returning id",
            self.id,
            self.owner
        );
        if content.fetch_optional(&mut **tx).await?.is_none() {
            return Ok(None);
        }
        sqlx::query_as!(
            Picture,
            "insert into picture (id, owner, purpose, content_type, width, height, sha256, hash, version)
            values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
            on conflict (id) do update set purpose = excluded.purpose, content_type = excluded.content_type,
                width = excluded.width, height = excluded.height, sha256 = excluded.sha256, hash = excluded.hash,
                version = excluded.version, nudity = null, nudity_model = null, score_at = now(), score_tries = 0
            where picture.version < excluded.version and picture.owner = excluded.owner
            returning id, owner, sha256, hash, saved_at, nudity, nudity_model",
            self.id,
            self.owner,
            self.purpose,
            self.content_type,
            self.width,
            self.height,
            self.sha256,
            self.hash.0,
            self.version
        )
        .fetch_optional(&mut **tx)
        .await
    }
}

/// A picture as it is judged.
#[derive(Clone, Debug)]
pub struct Picture {
    pub id: Uuid,
    pub owner: Uuid,
    pub sha256: Vec<u8>,
    pub hash: i64,
    pub saved_at: Timestamp,
    /// How likely it shows nudity, 0 to 1; none: no model has said so.
    pub nudity: Option<f64>,
    /// The model that was shown it last.
    pub nudity_model: Option<String>,
}

impl Picture {
    /// Locks pictures that are to be judged again, their contents first, and takes that note from them.
    pub async fn take_due(tx: &mut PgTransaction<'_>, rows: i64) -> sqlx::Result<Vec<Self>> {
        let due = sqlx::query_scalar!(
            "select content.id from picture join content on content.id = picture.id
            where is_due order by content.id limit $1 for update of content skip locked",
            rows
        );
        let due = due.fetch_all(&mut **tx).await?;
        sqlx::query_as!(
            Self,
            "update picture set is_due = false where id = any($1) and is_due
            returning id, owner, sha256, hash, saved_at, nudity, nudity_model",
            &due
        )
        .fetch_all(&mut **tx)
        .await
    }

    /// Forgets pictures that were deleted, and what was found about them where no decision refers to that.
    pub async fn delete(tx: &mut PgTransaction<'_>, ids: &[Uuid]) -> sqlx::Result<()> {
        sqlx::query!("delete from picture where id = any($1)", ids).execute(&mut **tx).await?;
        sqlx::query!(
            "delete from analysis where content_id = any($1) and content_type = 'MEDIA'
                and not exists (select from decision where decision.analysis = analysis.id)",
            ids
        )
        .execute(&mut **tx)
        .await?;
        Ok(())
    }

    /// The perceptual hash of a picture.
    pub async fn find_hash(db: impl PgExecutor<'_>, id: Uuid) -> sqlx::Result<Option<PerceptualHash>> {
        let hash = sqlx::query_scalar!("select hash from picture where id = $1", id).fetch_optional(db).await?;
        Ok(hash.map(PerceptualHash))
    }

    /// Lets all pictures be judged again that are near a hash.
    pub async fn note_near(tx: &mut PgTransaction<'_>, hash: PerceptualHash, distance: i64) -> sqlx::Result<()> {
        sqlx::query!(
            "update picture set is_due = true
            where bands && hash_bands($1) and bit_count((hash # $1)::bit(64)) <= $2 and not is_due",
            hash.0,
            distance
        )
        .execute(&mut **tx)
        .await?;
        Ok(())
    }

    /// The pictures of a user for the export, newest first.
    pub async fn list_personal_data(
        db: &PgPool,
        owner: Uuid,
        before: Cursor,
        rows: i64,
    ) -> sqlx::Result<Vec<PersonalDataItem>> {
        sqlx::query_as!(
            PersonalDataItem,
            r#"select saved_at as "at!", id, to_json(held) as "thing!" from (
                select id, owner, purpose, content_type, width, height, encode(sha256, 'hex') as sha256,
                    lpad(to_hex(hash), 16, '0') as perceptual_hash, version, saved_at, nudity, nudity_model
                from picture where owner = $1 and (saved_at, id) < ($2, $3)
            ) as held order by saved_at desc, id desc limit $4"#,
            owner,
            before.at as Timestamp,
            before.id,
            rows
        )
        .fetch_all(db)
        .await
    }
}

/// Erases a batch of a user's pictures, and who and why of what they have blocked; true when there may be more.
pub async fn erase(tx: &mut PgTransaction<'_>, user: Uuid) -> sqlx::Result<bool> {
    sqlx::query!("update blocked_picture set created_by = null, note = null where created_by = $1", user)
        .execute(&mut **tx)
        .await?;
    let erased = sqlx::query!(
        "delete from picture where id in (select id from picture where owner = $1 order by id limit $2 for update)",
        user,
        BATCH
    );
    Ok(erased.execute(&mut **tx).await?.rows_affected() > 0)
}

/// An entry of the blocklist.
#[derive(Clone, Debug)]
pub struct BlockedPicture {
    pub id: Uuid,
    pub hash: i64,
    pub reason: Reason,
    pub note: Option<String>,
    pub created_at: Timestamp,
    pub created_by: Option<Uuid>,
}

impl BlockedPicture {
    /// Blocks a hash; violates [`BLOCKED_ONCE`] when it is blocked.
    pub async fn create(
        tx: &mut PgTransaction<'_>,
        hash: PerceptualHash,
        reason: Reason,
        note: Option<&str>,
        by: Uuid,
    ) -> sqlx::Result<Self> {
        sqlx::query_as!(
            Self,
            r#"insert into blocked_picture (id, hash, reason, note, created_by) values ($1, $2, $3, $4, $5)
            returning id, hash, reason as "reason: Reason", note, created_at, created_by"#,
            Uuid::now_v7(),
            hash.0,
            reason as Reason,
            note,
            by
        )
        .fetch_one(&mut **tx)
        .await
    }

    /// Takes an entry from the blocklist; none when there is none with that id.
    pub async fn delete(tx: &mut PgTransaction<'_>, id: Uuid) -> sqlx::Result<Option<Self>> {
        sqlx::query_as!(
            Self,
            r#"delete from blocked_picture where id = $1
            returning id, hash, reason as "reason: Reason", note, created_at, created_by"#,
            id
        )
        .fetch_optional(&mut **tx)
        .await
    }

    /// Entries, newest first.
    pub async fn list(db: impl PgExecutor<'_>, before: Cursor, rows: i64) -> sqlx::Result<Vec<Self>> {
        sqlx::query_as!(
            Self,
            r#"select id, hash, reason as "reason: Reason", note, created_at, created_by from blocked_picture
            where (created_at, id) < ($1, $2) order by created_at desc, id desc limit $3"#,
            before.at as Timestamp,
            before.id,
            rows
        )
        .fetch_all(db)
        .await
    }
}

/// The entry that a picture is taken for.
#[derive(Clone, Copy, Debug)]
pub struct Recognised {
    pub id: Uuid,
    pub reason: Reason,
    /// Bits in which the hashes differ.
    pub distance: i64,
}

impl Recognised {
    /// The nearest entry within a distance; of equally near ones, the oldest.
    pub async fn find(db: impl PgExecutor<'_>, hash: PerceptualHash, distance: i64) -> sqlx::Result<Option<Self>> {
        sqlx::query_as!(
            Self,
            r#"select id, reason as "reason: Reason", bit_count((hash # $1)::bit(64)) as "distance!" from blocked_picture
            where bands && hash_bands($1) and bit_count((hash # $1)::bit(64)) <= $2
            order by 3, id limit 1"#,
            hash.0,
            distance
        )
        .fetch_optional(db)
        .await
    }
}
