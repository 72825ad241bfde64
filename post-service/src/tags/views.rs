//! The routes of tags.
use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use axum::{Extension, Json};
use sqlx::PgPool;

use super::models::{PostTag, Trend};
use super::schemas::{TagPath, TrendLimit, TrendOut};
use crate::core::api::errors::{Error, Problem};
use crate::core::api::pagination::Page;
use crate::core::app::App;
use crate::core::app::identity::User;
use crate::media::library::MediaLibrary;
use crate::posts::schemas::PostOut;
use crate::posts::{reading, shown};

/// List the published posts with a tag, newest first
#[utoipa::path(get, path = "/tags/{tag}/posts", tag = "tags", params(
    ("tag" = String, Path, description = "Without its sign, in any spelling", example = "rust", max_length = 64),
    ("limit" = Option<i64>, Query, description = "Items on a page, 1 to 200; 50 when not given"),
    ("cursor" = Option<String>, Query, description = "From the Link header of the page before"),
), responses(
    (status = 200, body = Vec<PostOut>),
    (status = 304, description = "The reader has it, as `If-None-Match` says"),
    (status = 422, body = Problem, description = "Also when there can be no such tag"),
))]
pub async fn list_tagged_posts(
    user: User,
    State(app): State<App>,
    Extension(library): Extension<Arc<MediaLibrary>>,
    TagPath(tag): TagPath,
    page: Page,
) -> Result<Response, Error> {
    let (tag, viewer, before, rows) = (tag.as_str(), user.id, page.before, page.rows());
    let read = |db: PgPool| async move { PostTag::list_posts(&db, tag, viewer, before, rows).await };
    let posts = reading::list(&app, viewer, read).await?;
    let posts = shown::to_reader(&mut *app.db.acquire().await?, &library.urls, posts).await?;
    Ok(page.answer(posts, |post| (post.created_at, post.id)))
}

/// List the tags that are used more than usual, calculated once a minute
#[utoipa::path(get, path = "/tags/trending", tag = "tags", params(
    ("limit" = Option<i64>, Query, description = "Trends, 1 to 200; 50, which are all, when not given"),
), responses(
    (status = 200, body = Vec<TrendOut>),
    (status = 304, description = "The reader has it, as `If-None-Match` says"),
))]
pub async fn list_trends(
    _: User,
    State(app): State<App>,
    TrendLimit(limit): TrendLimit,
) -> Result<Json<Vec<TrendOut>>, Error> {
    let trends = Trend::list(&app.db, limit).await?;
    Ok(Json(trends.into_iter().map(TrendOut::from).collect()))
}
