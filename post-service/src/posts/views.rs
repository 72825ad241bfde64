//! The routes of posts.
use std::future::ready;
use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use axum::{Extension, Json};

use super::models::{Draft, Post};
use super::schemas::{PostIn, PostOut};
use super::{CATEGORIES, Status, signals};
use crate::core::api::errors::{Error, Problem};
use crate::core::api::pagination::Page;
use crate::core::app::App;
use crate::core::app::identity::{Role, User};
use crate::core::contract::extract::{Json as Body, Path};
use crate::core::doors::audit::{self, Entry};
use crate::media::attachments::services::{one_with_media, with_media};
use crate::media::attachments::signals::attached;
use crate::media::library::MediaLibrary;
use crate::pre_publish::PrePublish;
use crate::quotas::Quota;

/// List the categories of posts
#[utoipa::path(get, path = "/posts/category-choices", tag = "post", responses(
    (status = 200, body = Vec<String>),
))]
pub async fn get_available_categories(_: User) -> Json<[&'static str; 22]> {
    Json(CATEGORIES)
}

/// List published posts and the caller's drafts, newest first
#[utoipa::path(get, path = "/posts", tag = "post", params(
    ("limit" = Option<i64>, Query, description = "Items on a page, 1 to 200; 50 when not given"),
    ("cursor" = Option<String>, Query, description = "From the Link header of the page before"),
), responses(
    (status = 200, body = Vec<PostOut>),
))]
pub async fn get_posts(
    user: User,
    State(app): State<App>,
    Extension(library): Extension<Arc<MediaLibrary>>,
    page: Page,
) -> Result<Response, Error> {
    let posts = Post::list(&app.db, user.id, page.before, page.rows()).await?;
    let posts = with_media(&app.db, &library.urls, posts).await?;
    Ok(page.answer(posts, |post| (post.created_at, post.id)))
}

/// Create a post
#[utoipa::path(post, path = "/posts", tag = "post", request_body = PostIn, responses(
    (status = 201, body = PostOut),
    (status = 400, body = Problem, description = "An unknown category, or pictures that cannot be shown"),
))]
pub async fn create_post(
    user: User,
    State(app): State<App>,
    Extension(quota): Extension<Quota>,
    Extension(pre_publish): Extension<Arc<PrePublish>>,
    Extension(library): Extension<Arc<MediaLibrary>>,
    Body(body): Body<PostIn>,
) -> Result<(StatusCode, Json<PostOut>), Error> {
    let types = body.categories()?;
    let draft = Draft { title: body.title.as_deref(), content: &body.content, types: &types, status: body.status };
    pre_publish.check("content", &draft.text(), ready(Ok(draft.status == Some(Status::Posted)))).await?;
    let mut tx = app.db.begin().await?;
    quota.charge(&mut tx, user.id, &draft.texts()).await?;
    let post = Post::create(&mut tx, user.id, &draft).await?;
    attached(&mut tx, post.id, user.id, body.media.as_deref()).await?;
    signals::created(&mut tx, &post).await?;
    let answer = one_with_media(&mut *tx, &library.urls, post).await?;
    app.commit_with_answer(tx).await?;
    Ok((StatusCode::CREATED, Json(answer)))
}

/// Read a post
#[utoipa::path(get, path = "/posts/{post_id}", tag = "post", params(("post_id" = uuid::Uuid, Path)), responses(
    (status = 200, body = PostOut),
    (status = 404, body = Problem),
    (status = 422, body = Problem),
))]
pub async fn retrieve_post(
    user: User,
    State(app): State<App>,
    Extension(library): Extension<Arc<MediaLibrary>>,
    Path(id): Path,
) -> Result<Json<PostOut>, Error> {
    let post = Post::find_visible(&app.db, id, user.id).await?;
    let post = post.ok_or(Error::Refused(StatusCode::NOT_FOUND, "Post object not found"))?;
    Ok(Json(one_with_media(&app.db, &library.urls, post).await?))
}

/// List hidden posts, newest first: the caller's, or as a moderator all of them
#[utoipa::path(get, path = "/posts/hidden", tag = "post", params(
    ("limit" = Option<i64>, Query, description = "Items on a page, 1 to 200; 50 when not given"),
    ("cursor" = Option<String>, Query, description = "From the Link header of the page before"),
), responses(
    (status = 200, body = Vec<PostOut>),
))]
pub async fn get_hidden_posts(
    user: User,
    State(app): State<App>,
    Extension(library): Extension<Arc<MediaLibrary>>,
    page: Page,
) -> Result<Response, Error> {
    let author = (user.role < Role::Moderator).then_some(user.id);
    let posts = Post::list_hidden(&app.db, author, page.before, page.rows()).await?;
    let posts = with_media(&app.db, &library.urls, posts).await?;
    Ok(page.answer(posts, |post| (post.created_at, post.id)))
}

/// Restore a hidden post, as a moderator
#[utoipa::path(post, path = "/posts/{post_id}/restore", tag = "post", params(("post_id" = uuid::Uuid, Path)), responses(
    (status = 200, body = PostOut),
    (status = 403, body = Problem, description = "The caller is no moderator"),
    (status = 404, body = Problem, description = "No hidden post"),
    (status = 422, body = Problem),
))]
pub async fn restore_post(
    user: User,
    State(app): State<App>,
    Extension(library): Extension<Arc<MediaLibrary>>,
    Path(id): Path,
) -> Result<Json<PostOut>, Error> {
    if user.role < Role::Moderator {
        return Err(Error::Refused(StatusCode::FORBIDDEN, "Only moderators can do this"));
    }
    let mut tx = app.db.begin().await?;
    let post = Post::restore(&mut tx, id).await?;
    let post = post.ok_or(Error::Refused(StatusCode::NOT_FOUND, "Post object not found"))?;
    let (who, target) = (Some(user.id), Some(post.created_by));
    audit::record(&mut *tx, Entry { who, action: "post_restored", target, result: "by moderator" }).await?;
    signals::restored(&mut tx, &post).await?;
    let answer = one_with_media(&mut *tx, &library.urls, post).await?;
    app.commit_with_answer(tx).await?;
    Ok(Json(answer))
}

/// Update the caller's post; a title or status that is not given stays as it is
#[utoipa::path(put, path = "/posts/{post_id}", tag = "post", params(("post_id" = uuid::Uuid, Path)),
    request_body = PostIn, responses(
    (status = 200, body = PostOut),
    (status = 400, body = Problem, description = "An unknown category, or pictures that cannot be shown"),
    (status = 404, body = Problem),
))]
pub async fn update_post(
    user: User,
    State(app): State<App>,
    Path(id): Path,
    Extension(quota): Extension<Quota>,
    Extension(pre_publish): Extension<Arc<PrePublish>>,
    Extension(library): Extension<Arc<MediaLibrary>>,
    Body(body): Body<PostIn>,
) -> Result<Json<PostOut>, Error> {
    let types = body.categories()?;
    let draft = Draft { title: body.title.as_deref(), content: &body.content, types: &types, status: body.status };
    pre_publish.check("content", &draft.text(), becomes_public(&app, id, &user, draft.status)).await?;
    let mut tx = app.db.begin().await?;
    quota.charge(&mut tx, user.id, &draft.texts()).await?;
    let post = Post::update(&mut tx, id, user.id, &draft).await?;
    let post = post.ok_or(Error::Refused(StatusCode::NOT_FOUND, "Post not found for update"))?;
    attached(&mut tx, post.id, user.id, body.media.as_deref()).await?;
    signals::updated(&mut tx, &post).await?;
    let answer = one_with_media(&mut *tx, &library.urls, post).await?;
    app.commit_with_answer(tx).await?;
    Ok(Json(answer))
}

/// Whether other users will see an update of a post: one that says nothing of the status leaves a published post published.
async fn becomes_public(app: &App, id: uuid::Uuid, user: &User, status: Option<Status>) -> Result<bool, Error> {
    if let Some(status) = status {
        return Ok(status == Status::Posted);
    }
    let post = Post::find_visible(&app.db, id, user.id).await?;
    Ok(post.is_some_and(|post| post.created_by == user.id && post.status == Status::Posted))
}

/// Delete the caller's post, or as a moderator any post, with its comments, reactions and NFT records
#[utoipa::path(delete, path = "/posts/{post_id}", tag = "post", params(("post_id" = uuid::Uuid, Path)), responses(
    (status = 204),
    (status = 404, body = Problem),
    (status = 422, body = Problem),
))]
pub async fn delete_post(user: User, State(app): State<App>, Path(id): Path) -> Result<StatusCode, Error> {
    let mut tx = app.db.begin().await?;
    let author = (user.role < Role::Moderator).then_some(user.id);
    let post = Post::delete(&mut tx, id, author).await?;
    // The sentence is the original's, letter by letter.
    let post = post.ok_or(Error::Refused(StatusCode::NOT_FOUND, "Post not found for deleteing"))?;
    if post.created_by != user.id {
        let entry =
            Entry { who: Some(user.id), action: "post_deleted", target: Some(post.created_by), result: "by moderator" };
        audit::record(&mut *tx, entry).await?;
    }
    signals::deleted(&mut tx, &post).await?;
    app.commit_with_answer(tx).await?;
    Ok(StatusCode::NO_CONTENT)
}
