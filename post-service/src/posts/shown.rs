//! Posts as they are shown: with what they are about and their pictures, which are in rows of their own.
use sqlx::{PgConnection, PgTransaction};

use super::models::Post;
use super::schemas::PostOut;
use crate::items::services::with_items;
use crate::media::attachments::services::{with_keys, with_media};
use crate::media::grants::MediaUrls;

/// Posts as a reader gets them: the addresses of their pictures are good for an hour or two.
pub async fn to_reader(db: &mut PgConnection, urls: &MediaUrls, posts: Vec<Post>) -> sqlx::Result<Vec<PostOut>> {
    let posts = with_items(&mut *db, posts.into_iter().map(PostOut::from).collect()).await?;
    with_media(db, urls, posts).await
}

/// One post as a reader gets it.
pub async fn one_to_reader(db: &mut PgConnection, urls: &MediaUrls, post: Post) -> sqlx::Result<PostOut> {
    let plain = PostOut::from(post.clone());
    Ok(to_reader(db, urls, vec![post]).await?.pop().unwrap_or(plain))
}

/// Posts as events have them: their pictures with keys, which do not end while the post shows the picture.
pub async fn all_as_published(tx: &mut PgTransaction<'_>, posts: Vec<Post>) -> sqlx::Result<Vec<PostOut>> {
    let posts = with_items(&mut **tx, posts.into_iter().map(PostOut::from).collect()).await?;
    with_keys(&mut **tx, posts).await
}

/// One post as events have it.
pub async fn as_published(tx: &mut PgTransaction<'_>, post: Post) -> sqlx::Result<PostOut> {
    let plain = PostOut::from(post.clone());
    Ok(all_as_published(tx, vec![post]).await?.pop().unwrap_or(plain))
}
