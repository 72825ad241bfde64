//! The routes of bookmarks.
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;

use super::models::{Bookmark, Folder};
use super::schemas::{BookmarkIn, BookmarkOut, FolderFilter, FolderOut};
use crate::app::App;
use crate::core::api::errors::{Error, Problem};
use crate::core::api::pagination::Page;
use crate::core::app::identity::User;
use crate::core::contract::extract::{Json as Body, Path};
use crate::core::doors::callers::EvenMuted;
use crate::posts::NOT_FOUND as POST_NOT_FOUND;
use crate::posts::lookup::VisiblePost;
use crate::posts::models::Post;

const TOO_MANY: Error = Error::Refused(StatusCode::CONFLICT, "No more than 10000 bookmarks can be kept");

/// Bookmark a post, or put its bookmark into another folder
#[utoipa::path(put, path = "/{post_id}/bookmark", tag = "bookmark", params(("post_id" = uuid::Uuid, Path)),
    request_body = BookmarkIn, responses(
    (status = 200, body = BookmarkOut),
    (status = 404, body = Problem),
    (status = 409, body = Problem, description = "The caller has 10,000 bookmarks"),
    (status = 503, body = Problem, description = "The post service is unavailable"),
))]
pub async fn put_bookmark(
    EvenMuted(user): EvenMuted,
    VisiblePost(post): VisiblePost,
    State(app): State<App>,
    Body(bookmark): Body<BookmarkIn>,
) -> Result<Json<BookmarkOut>, Error> {
    let mut tx = app.db.begin().await?;
    if !Post::lock_visible(&mut tx, post, user.id).await? {
        return Err(POST_NOT_FOUND);
    }
    let bookmark = Bookmark::save(&mut tx, user.id, post, bookmark.folder.as_deref()).await?.ok_or(TOO_MANY)?;
    app.commit_with_answer(tx).await?;
    Ok(Json(bookmark.into()))
}

/// Delete the caller's bookmark of a post, whether they may see the post or not
#[utoipa::path(delete, path = "/{post_id}/bookmark", tag = "bookmark", params(("post_id" = uuid::Uuid, Path)),
    responses(
    (status = 204, description = "There is no bookmark of the post, whether there was one or not"),
    (status = 422, body = Problem),
))]
pub async fn delete_bookmark(user: User, State(app): State<App>, Path(post): Path) -> Result<StatusCode, Error> {
    let mut tx = app.db.begin().await?;
    Bookmark::delete(&mut tx, user.id, post).await?;
    app.commit_with_answer(tx).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// List the caller's bookmarks of posts that they may see now, newest first
#[utoipa::path(get, path = "/me/bookmarks", tag = "bookmark", params(
    ("folder" = Option<String>, Query, max_length = 50, description = "Only those in this folder; at most 50 characters"),
    ("limit" = Option<i64>, Query, description = "Items on a page, 1 to 200; 50 when not given"),
    ("cursor" = Option<String>, Query, description = "From the Link header of the page before"),
), responses(
    (status = 200, body = Vec<BookmarkOut>),
    (status = 422, body = Problem),
))]
pub async fn list_bookmarks(
    user: User,
    State(app): State<App>,
    FolderFilter(folder): FolderFilter,
    page: Page,
) -> Result<Response, Error> {
    let bookmarks = Bookmark::list(&app.db, user.id, folder.as_deref(), page.before, page.rows()).await?;
    let bookmarks: Vec<BookmarkOut> = bookmarks.into_iter().map(BookmarkOut::from).collect();
    Ok(page.answer(bookmarks, |bookmark| (bookmark.created_at, bookmark.id)))
}

/// List the caller's folders of bookmarks by name, and last what is in none
#[utoipa::path(get, path = "/me/bookmarks/folders", tag = "bookmark", responses((status = 200, body = Vec<FolderOut>)))]
pub async fn list_bookmark_folders(user: User, State(app): State<App>) -> Result<Json<Vec<FolderOut>>, Error> {
    let folders = Folder::list(&app.db, user.id).await?;
    Ok(Json(folders.into_iter().map(FolderOut::from).collect()))
}
