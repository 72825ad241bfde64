//! What may be served, by the database: all of the SQL of this feature.
use sqlx::PgExecutor;
use uuid::Uuid;

/// A file of a picture.
#[derive(Clone, Debug)]
pub struct ServedFile {
    pub blob: Uuid,
    pub content_type: String,
    pub bytes: i64,
    pub sha256: Vec<u8>,
    pub owner: Uuid,
    /// Whether moderation hides the picture from all but its owner.
    pub hidden: bool,
    /// Whether a profile shows it.
    pub on_profile: bool,
}

impl ServedFile {
    /// A rendition of a picture.
    pub async fn find(db: impl PgExecutor<'_>, media: Uuid, name: &str) -> sqlx::Result<Option<Self>> {
        sqlx::query_as!(
            Self,
            r#"select blob_id as blob, media_blob.content_type, media_blob.bytes, media_blob.sha256, created_by as owner,
                hidden_at is not null as "hidden!",
                exists (select from profile_picture where media_id = media.id) as "on_profile!"
            from media join media_rendition on media_id = media.id join media_blob on media_blob.id = blob_id
            where media.id = $1 and name = $2 and status = 'READY'"#,
            media,
            name
        )
        .fetch_optional(db)
        .await
    }
}

/// Whether a post that is published shows a picture.
pub async fn is_shown_by_post(db: impl PgExecutor<'_>, media: Uuid, post: Uuid) -> sqlx::Result<bool> {
    sqlx::query_scalar!(
        r#"select exists (select from post_media join post on post.id = post_id
            where media_id = $1 and post_id = $2 and post.status = 'POSTED' and post.hidden_at is null) as "shown!""#,
        media,
        post
    )
    .fetch_one(db)
    .await
}

/// Whether a post that is published shows a picture with this key.
pub async fn is_shown_with_key(db: impl PgExecutor<'_>, media: Uuid, key: Uuid) -> sqlx::Result<bool> {
    sqlx::query_scalar!(
        r#"select exists (select from post_media join post on post.id = post_id
            where media_id = $1 and key = $2 and post.status = 'POSTED' and post.hidden_at is null) as "shown!""#,
        media,
        key
    )
    .fetch_one(db)
    .await
}
