//! Puts the pictures of posts into answers, with addresses that are good for an hour or two, and into events, with keys.
use std::collections::HashMap;

use chrono::Utc;
use sqlx::{PgExecutor, PgTransaction};
use uuid::Uuid;

use super::models::{PostMedia, list_post_media};
use super::schemas::PostMediaOut;
use crate::media::MediaStatus;
use crate::media::grants::{Grant, MediaUrls};
use crate::posts::Status;
use crate::posts::models::Post;
use crate::posts::schemas::PostOut;

/// Posts with the addresses of their pictures, as their readers get them. One statement for all of them.
pub async fn with_media(db: impl PgExecutor<'_>, urls: &MediaUrls, posts: Vec<Post>) -> sqlx::Result<Vec<PostOut>> {
    let ids: Vec<Uuid> = posts.iter().map(|post| post.id).collect();
    let mut by_post: HashMap<Uuid, Vec<PostMedia>> = HashMap::new();
    if !ids.is_empty() {
        for media in list_post_media(db, &ids).await? {
            by_post.entry(media.post_id).or_default().push(media);
        }
    }
    let now = Utc::now().timestamp().unsigned_abs();
    let answer = |post: Post| {
        let is_public = post.status == Status::Posted && post.hidden_at.is_none();
        let grant = if is_public { Grant::Reader { post: post.id } } else { Grant::Owner };
        let media = by_post.remove(&post.id).unwrap_or_default();
        let media = media.into_iter().map(|media| sign(urls, media, grant, now)).collect();
        PostOut { media, ..post.into() }
    };
    Ok(posts.into_iter().map(answer).collect())
}

/// One post with the addresses of its pictures.
pub async fn one_with_media(db: impl PgExecutor<'_>, urls: &MediaUrls, post: Post) -> sqlx::Result<PostOut> {
    let plain = PostOut::from(post.clone());
    Ok(with_media(db, urls, vec![post]).await?.pop().unwrap_or(plain))
}

/// A post with its pictures as events have them: with keys, which do not end while the post shows the picture.
pub async fn as_published(tx: &mut PgTransaction<'_>, post: Post) -> sqlx::Result<PostOut> {
    let media = list_post_media(&mut **tx, &[post.id]).await?;
    Ok(PostOut { media: media.into_iter().map(PostMediaOut::from).collect(), ..post.into() })
}

fn sign(urls: &MediaUrls, media: PostMedia, grant: Grant, now: u64) -> PostMediaOut {
    let (ready, animated) = (media.status == MediaStatus::Ready, media.animated);
    let url = |name: &str| ready.then(|| urls.sign(media.id, name, grant, now));
    let (thumbnail, medium) = (url("thumbnail"), url("medium"));
    let original = url("original").filter(|_| animated);
    PostMediaOut { thumbnail, medium, original, key: None, ..media.into() }
}
