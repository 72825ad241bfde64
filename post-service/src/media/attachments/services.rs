//! Puts the pictures of posts into answers, with addresses that are good for an hour or two, and into events, with keys.
use std::collections::HashMap;

use chrono::Utc;
use sqlx::PgExecutor;
use uuid::Uuid;

use super::models::{PostMedia, list_post_media};
use super::schemas::PostMediaOut;
use crate::media::MediaStatus;
use crate::media::grants::{Grant, MediaUrls};
use crate::posts::Status;
use crate::posts::schemas::PostOut;

/// Posts with the addresses of their pictures, as their readers get them. One statement for all of them.
pub async fn with_media(db: impl PgExecutor<'_>, urls: &MediaUrls, posts: Vec<PostOut>) -> sqlx::Result<Vec<PostOut>> {
    let mut by_post = media_by_post(db, &posts).await?;
    let now = Utc::now().timestamp().unsigned_abs();
    let answer = |post: PostOut| {
        let is_public = post.status == Status::Posted && post.hidden_at.is_none();
        let grant = if is_public { Grant::Reader { post: post.id } } else { Grant::Owner };
        let media = by_post.remove(&post.id).unwrap_or_default();
        let media = media.into_iter().map(|media| sign(urls, media, grant, now)).collect();
        PostOut { media, ..post }
    };
    Ok(posts.into_iter().map(answer).collect())
}

/// Posts with their pictures as events have them: with keys, which do not end while the post shows the picture.
pub async fn with_keys(db: impl PgExecutor<'_>, posts: Vec<PostOut>) -> sqlx::Result<Vec<PostOut>> {
    let mut by_post = media_by_post(db, &posts).await?;
    let published = |post: PostOut| {
        let media = by_post.remove(&post.id).unwrap_or_default();
        PostOut { media: media.into_iter().map(PostMediaOut::from).collect(), ..post }
    };
    Ok(posts.into_iter().map(published).collect())
}

async fn media_by_post(db: impl PgExecutor<'_>, posts: &[PostOut]) -> sqlx::Result<HashMap<Uuid, Vec<PostMedia>>> {
    let ids: Vec<Uuid> = posts.iter().map(|post| post.id).collect();
    let mut by_post: HashMap<Uuid, Vec<PostMedia>> = HashMap::new();
    if !ids.is_empty() {
        for media in list_post_media(db, &ids).await? {
            by_post.entry(media.post_id).or_default().push(media);
        }
    }
    Ok(by_post)
}

fn sign(urls: &MediaUrls, media: PostMedia, grant: Grant, now: u64) -> PostMediaOut {
    let (ready, animated) = (media.status == MediaStatus::Ready, media.animated);
    let url = |name: &str| ready.then(|| urls.sign(media.id, name, grant, now));
    let (thumbnail, medium) = (url("thumbnail"), url("medium"));
    let original = url("original").filter(|_| animated);
    PostMediaOut { thumbnail, medium, original, key: None, ..media.into() }
}
