//! The pictures of posts in the database: all of the SQL of this feature.
use sqlx::{PgExecutor, PgTransaction};
use uuid::Uuid;

use crate::media::models::Media;
use crate::media::{MediaStatus, Purpose};
use crate::posts::models::Post;

/// A picture that a post shows.
#[derive(Clone, Debug)]
pub struct PostMedia {
    pub post_id: Uuid,
    pub id: Uuid,
    /// With it a feed shows the picture.
    pub key: Uuid,
    pub status: MediaStatus,
    pub alt: String,
    pub width: Option<i32>,
    pub height: Option<i32>,
    pub blurhash: Option<String>,
    /// Whether it has its original beside the renditions, as an animation has.
    pub animated: bool,
}

/// A picture that is to be attached.
pub struct Attachable {
    pub id: Uuid,
    pub purpose: Purpose,
    pub status: MediaStatus,
    /// Whether moderation hides it.
    pub hidden: bool,
}

/// The pictures of posts, in their order; refused and hidden ones are left out.
pub async fn list_post_media(db: impl PgExecutor<'_>, posts: &[Uuid]) -> sqlx::Result<Vec<PostMedia>> {
    sqlx::query_as!(
        PostMedia,
        r#"select post_id as "post_id!", media.id, key as "key!", status, alt, width, height, blurhash,
            exists (select from media_rendition where media_id = media.id and name = 'original') as "animated!"
        from shown_media join media on media.id = media_id
        where post_id = any($1) order by post_id, place"#,
        posts
    )
    .fetch_all(db)
    .await
}

/// Whether a post that all users may read shows a picture.
pub async fn is_on_public_post(db: impl PgExecutor<'_>, media: Uuid) -> sqlx::Result<bool> {
    sqlx::query_scalar!(
        r#"select exists (select from post_media join post on post.id = post_id
            where media_id = $1 and post.status = 'POSTED' and post.hidden_at is null) as "shown!""#,
        media
    )
    .fetch_one(db)
    .await
}

/// Those of the pictures that are a person's, and those that their post shows now, locked until the transaction ends: in one
/// order, so that two posts that exchange pictures do not deadlock.
pub async fn lock_attachable(
    tx: &mut PgTransaction<'_>,
    post: Uuid,
    owner: Uuid,
    media: &[Uuid],
) -> sqlx::Result<Vec<Attachable>> {
    sqlx::query_as!(
        Attachable,
        r#"select id, purpose, status, hidden_at is not null as "hidden!" from media
        where id = any($1::uuid[] || array(select media_id from post_media where post_id = $3)) and created_by = $2
        order by id for update"#,
        media,
        owner,
        post
    )
    .fetch_all(&mut **tx)
    .await
}

/// Lets a post show these pictures and no others; those that it has shown before and does not any more. A picture that stays
/// keeps its key.
pub async fn replace(tx: &mut PgTransaction<'_>, post: Uuid, media: &[Uuid]) -> sqlx::Result<Vec<Uuid>> {
    let before = sqlx::query!("delete from post_media where post_id = $1 returning media_id, key", post)
        .fetch_all(&mut **tx)
        .await?;
    let key = |id: &Uuid| before.iter().find(|row| row.media_id == *id).map(|row| row.key);
    let keys: Vec<Option<Uuid>> = media.iter().map(key).collect();
    sqlx::query!(
        "insert into post_media (post_id, place, media_id, key)
        select $1, place, id, coalesce(key, gen_random_uuid())
        from unnest($2::uuid[], $3::uuid[]) with ordinality as shown (id, key, place)",
        post,
        media,
        &keys as &[Option<Uuid>]
    )
    .execute(&mut **tx)
    .await?;
    Ok(before.into_iter().map(|row| row.media_id).filter(|id| !media.contains(id)).collect())
}

/// Takes the pictures off those of these posts that are deleted; those that no other post shows, locked.
pub async fn delete_of_posts(tx: &mut PgTransaction<'_>, posts: &[Uuid]) -> sqlx::Result<Vec<Uuid>> {
    if posts.is_empty() {
        return Ok(Vec::new());
    }
    let shown = sqlx::query_scalar!(
        "delete from post_media where post_id = any($1) and not exists (select from post where post.id = post_id)
        returning media_id",
        posts
    )
    .fetch_all(&mut **tx)
    .await?;
    if shown.is_empty() {
        return Ok(shown);
    }
    Media::lock(tx, &shown).await?;
    sqlx::query_scalar!(
        "select id from media where id = any($1) and not exists (select from post_media where media_id = media.id)
            and not exists (select from profile_picture where media_id = media.id)
        order by id",
        &shown
    )
    .fetch_all(&mut **tx)
    .await
}

impl Post {
    /// Makes posts new versions of themselves, since what is shown with them has changed: their pictures, or who may comment.
    pub async fn renew(tx: &mut PgTransaction<'_>, ids: &[Uuid]) -> sqlx::Result<Vec<Self>> {
        sqlx::query_as!(
            Self,
            r#"update post set updated_at = greatest(now(), updated_at + interval '1 microsecond')
            where id = any($1) and hidden_at is null
            returning id, created_at, created_by, updated_at,
                edited_at, publish_at, publish_refused,
                updated_by, title, content, types, status, comments, total_views, total_comments,
                total_reactions, score, popularity, published_at, hidden_at, hidden_reason, restored_at, labels,
                false as "truncated!""#,
            ids
        )
        .fetch_all(&mut **tx)
        .await
    }
}
