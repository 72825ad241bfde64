//! Searches and suggestions, read from a standby of Postgres where there is one.
//!
//! What it finds is held against the primary, as in lists ([`crate::posts::reading`]). Pictures are those of the primary, too:
//! moderation may have hidden one without a new version of its post.
use sqlx::PgPool;
use uuid::Uuid;

use super::results::{self, ResultPage};
use super::schemas::{PostSearch, Prefix, SearchHit};
use super::suggestions::models::{SuggestedPost, SuggestedTag, are_current};
use crate::core::api::pagination::Cursor;
use crate::core::app::App;
use crate::core::ground::replica::count_fallback;
use crate::media::attachments::services::with_media;
use crate::media::grants::MediaUrls;
use crate::posts::lists::models::PostVersionKey;
use crate::posts::reading;

/// The results of a search behind a cursor.
pub async fn find(
    app: &App,
    viewer: Uuid,
    search: &PostSearch,
    before: Cursor,
    limit: i64,
    urls: &MediaUrls,
) -> sqlx::Result<ResultPage> {
    let read = |db: PgPool| async move { results::find(&db, viewer, search, before, limit, urls).await };
    let (page, of_standby) = app.read(viewer, read).await?;
    if !of_standby {
        return Ok(page);
    }
    let shown: Vec<PostVersionKey> = page.hits.iter().map(|hit| PostVersionKey::from(&hit.post)).collect();
    if !reading::are_current(app, viewer, &shown, true).await? {
        return read(app.db.clone()).await;
    }
    let ResultPage { hits, next } = page;
    let (posts, marked): (Vec<_>, Vec<_>) =
        hits.into_iter().map(|hit| (hit.post, (hit.title_html, hit.excerpt_html))).unzip();
    let posts = with_media(&app.db, urls, posts).await?;
    let hits = posts.into_iter().zip(marked);
    let hits = hits.map(|(post, (title_html, excerpt_html))| SearchHit { post, title_html, excerpt_html }).collect();
    Ok(ResultPage { hits, next })
}

/// The tags and the posts that a user may mean.
pub async fn suggest(
    app: &App,
    viewer: Uuid,
    prefix: &Prefix,
) -> sqlx::Result<(Vec<SuggestedTag>, Vec<SuggestedPost>)> {
    let read = |db: PgPool| async move {
        // What can be no tag would be the beginning of all.
        let tags = match prefix.tag.as_str() {
            "" => Vec::new(),
            tag => SuggestedTag::list(&db, tag, prefix.limit).await?,
        };
        let posts = SuggestedPost::list(&db, viewer, &prefix.key, prefix.limit).await?;
        Ok::<_, sqlx::Error>((tags, posts))
    };
    let ((tags, posts), of_standby) = app.read(viewer, read).await?;
    if !of_standby || are_current(&app.db, viewer, &tags, &posts).await? {
        return Ok((tags, posts));
    }
    count_fallback("outdated");
    read(app.db.clone()).await
}
