//! The route of what other services copy.
use axum::Json;
use axum::extract::State;

use super::models::{PostRow, begin_snapshot, view_watermark};
use super::schemas::{RowPage, RowRange};
use super::services::PostWithFacets;
use crate::core::api::errors::Error;
use crate::core::app::App;
use crate::core::doors::callers::Operator;
use crate::items::models::Item;
use crate::posts::events::POST_VIEWED;

/// The posts in the order of their ids; hidden ones have `hidden_at`. `total_views` and `repeated_views` are those up to the page's
/// watermark.
pub async fn list_posts(
    _: Operator,
    State(app): State<App>,
    range: RowRange,
) -> Result<Json<RowPage<PostWithFacets>>, Error> {
    let (mut tx, as_of) = begin_snapshot(&app.db).await?;
    let watermark = view_watermark(&mut tx).await?;
    let posts = PostRow::list(&mut tx, range.after.0, range.limit).await?;
    let ids: Vec<_> = posts.iter().map(|post| post.id).collect();
    let mut items = Item::list(&mut *tx, &ids).await?;
    drop(tx);
    // Megabytes of text are read for their facets: on a thread where no request waits behind it, and behind the snapshot.
    let with_items = move || -> Vec<PostWithFacets> {
        let with_item = |post: PostRow| {
            let item = items.remove(&post.id);
            PostWithFacets::new(post, item)
        };
        posts.into_iter().map(with_item).collect()
    };
    let posts = tokio::task::spawn_blocking(with_items).await.map_err(anyhow::Error::from)?;
    let mut page = RowPage::new(as_of, posts, |post: &PostWithFacets| post.post.id.into());
    page.watermarks.insert(POST_VIEWED, watermark.to_string());
    Ok(Json(page))
}
