//! The routes of posts.
use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use axum::{Extension, Json};
use sqlx::PgPool;

use super::checks::PublicationCheck;
use super::lists::models::{self as lists, PostFilter};
use super::lists::schemas::{PostCount, PostLookup};
use super::models::Post;
use super::schemas::{PostIn, PostOut};
use super::{CATEGORIES, ONLY_DRAFTS, Status, reading, shown, signals};
use crate::core::api::errors::{Error, Problem};
use crate::core::api::pagination::Page;
use crate::core::app::App;
use crate::core::app::identity::{Role, User};
use crate::core::contract::extract::{Json as Body, Path, Query};
use crate::core::doors::audit::{self, Entry};
use crate::core::doors::callers::EvenMuted;
use crate::history::models::keep_version;
use crate::items;
use crate::items::schemas::ItemChange;
use crate::media::attachments::signals::attached;
use crate::media::library::MediaLibrary;
use crate::quotas::Quota;

/// List the categories of posts
#[utoipa::path(get, path = "/posts/category-choices", tag = "post", responses(
    (status = 200, body = Vec<String>),
    (status = 304, description = "The reader has it, as `If-None-Match` says"),
))]
pub async fn get_available_categories(_: User) -> Json<[&'static str; 22]> {
    Json(CATEGORIES)
}

/// List published posts and the caller's drafts, newest first
#[utoipa::path(get, path = "/posts", tag = "post", params(
    ("author" = Option<uuid::Uuid>, Query, description = "Only posts of this user"),
    ("category" = Option<String>, Query, max_length = 16, example = "TECHNOLOGY", description = "Only posts of this category"),
    ("tag" = Option<String>, Query, max_length = 100, description = "Only published posts with this #tag, with or without the #"),
    ("has_media" = Option<bool>, Query, example = false, description = "Only posts that show pictures, or with `false` only those that show none"),
    ("limit" = Option<i64>, Query, description = "Items on a page, 1 to 200; 50 when not given"),
    ("cursor" = Option<String>, Query, description = "From the Link header of the page before"),
), responses(
    (status = 200, body = Vec<PostOut>),
    (status = 304, description = "The reader has it, as `If-None-Match` says"),
))]
pub async fn get_posts(
    user: User,
    State(app): State<App>,
    Extension(library): Extension<Arc<MediaLibrary>>,
    page: Page,
    query: Query,
) -> Result<Response, Error> {
    let filter = &PostFilter::read(query)?;
    let (viewer, before, rows) = (user.id, page.before, page.rows());
    let read = |db: PgPool| async move {
        if filter.is_empty() {
            Post::list(&db, viewer, before, rows).await
        } else {
            filter.list(&db, viewer, before, rows).await
        }
    };
    let posts = reading::list(&app, viewer, read).await?;
    let posts = shown::to_reader(&mut *app.db.acquire().await?, &library.urls, posts).await?;
    Ok(page.answer(posts, |post| (post.created_at, post.id)))
}

/// Count the published posts of a user that the caller may see, up to 10,000
#[utoipa::path(get, path = "/users/{user_id}/posts/count", tag = "post", params(("user_id" = uuid::Uuid, Path)), responses(
    (status = 200, body = PostCount),
    (status = 304, description = "The reader has it, as `If-None-Match` says"),
    (status = 422, body = Problem),
))]
pub async fn count_posts(user: User, State(app): State<App>, Path(author): Path) -> Result<Json<PostCount>, Error> {
    Ok(Json(PostCount { count: lists::count_posts(&app.db, author, user.id).await? }))
}

/// Create a post
#[utoipa::path(post, path = "/posts", tag = "post", request_body = PostIn, responses(
    (status = 201, body = PostOut),
    (status = 400, body = Problem, description = "An unknown category, or pictures that cannot be shown"),
    (status = 409, body = Problem, description = "`publish_at` is given, and the post is no draft"),
))]
pub async fn create_post(
    user: User,
    State(app): State<App>,
    Extension(quota): Extension<Quota>,
    Extension(check): Extension<Arc<PublicationCheck>>,
    Extension(library): Extension<Arc<MediaLibrary>>,
    Body(body): Body<PostIn>,
) -> Result<(StatusCode, Json<PostOut>), Error> {
    let types = body.categories()?;
    let draft = body.draft(&types);
    check.created(&app.db, user.id, &draft, body.media.as_deref()).await?;
    let mut tx = app.db.begin().await?;
    quota.charge(&mut tx, user.id, &draft.texts()).await?;
    let post = Post::create(&mut tx, user.id, &draft).await.map_err(only_drafts)?;
    if matches!(body.item, ItemChange::Replaced(_)) {
        items::signals::saved(&mut tx, &post, &body.item).await?;
    }
    attached(&mut tx, post.id, user.id, body.media.as_deref()).await?;
    signals::created(&mut tx, &post).await?;
    let answer = shown::one_to_reader(&mut tx, &library.urls, post).await?;
    app.commit_with_answer(tx).await?;
    Ok((StatusCode::CREATED, Json(answer)))
}

/// Read a post
#[utoipa::path(get, path = "/posts/{post_id}", tag = "post", params(("post_id" = uuid::Uuid, Path)), responses(
    (status = 200, body = PostOut),
    (status = 304, description = "The reader has it, as `If-None-Match` says"),
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
    Ok(Json(shown::one_to_reader(&mut *app.db.acquire().await?, &library.urls, post).await?))
}

/// Read up to 100 posts by their ids, in the order asked for; what does not exist or is not for the caller to see is left out
#[utoipa::path(post, path = "/posts/lookup", tag = "post", request_body = PostLookup, responses(
    (status = 200, body = Vec<PostOut>, description = "Each post once, whole, as `GET /api/v1/posts/{post_id}` shows it to the caller"),
))]
pub async fn lookup_posts(
    EvenMuted(user): EvenMuted,
    State(app): State<App>,
    Extension(library): Extension<Arc<MediaLibrary>>,
    Body(body): Body<PostLookup>,
) -> Result<Json<Vec<PostOut>>, Error> {
    let posts = lists::load_visible(&app.db, &body.ids, user.id).await?;
    Ok(Json(shown::to_reader(&mut *app.db.acquire().await?, &library.urls, posts).await?))
}

/// List hidden posts, newest first: the caller's, or as a moderator all of them
#[utoipa::path(get, path = "/posts/hidden", tag = "post", params(
    ("limit" = Option<i64>, Query, description = "Items on a page, 1 to 200; 50 when not given"),
    ("cursor" = Option<String>, Query, description = "From the Link header of the page before"),
), responses(
    (status = 200, body = Vec<PostOut>),
    (status = 304, description = "The reader has it, as `If-None-Match` says"),
))]
pub async fn get_hidden_posts(
    user: User,
    State(app): State<App>,
    Extension(library): Extension<Arc<MediaLibrary>>,
    page: Page,
) -> Result<Response, Error> {
    let author = (user.role < Role::Moderator).then_some(user.id);
    let posts = Post::list_hidden(&app.db, author, page.before, page.rows()).await?;
    let posts = shown::to_reader(&mut *app.db.acquire().await?, &library.urls, posts).await?;
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
    let answer = shown::one_to_reader(&mut tx, &library.urls, post).await?;
    app.commit_with_answer(tx).await?;
    Ok(Json(answer))
}

/// Update the caller's post; a title or status that is not given stays as it is
#[utoipa::path(put, path = "/posts/{post_id}", tag = "post", params(("post_id" = uuid::Uuid, Path)),
    request_body = PostIn, responses(
    (status = 200, body = PostOut),
    (status = 400, body = Problem, description = "An unknown category, or pictures that cannot be shown"),
    (status = 404, body = Problem),
    (status = 409, body = Problem, description = "`publish_at` is given, and the post is no draft"),
))]
pub async fn update_post(
    user: User,
    State(app): State<App>,
    Path(id): Path,
    Extension(quota): Extension<Quota>,
    Extension(check): Extension<Arc<PublicationCheck>>,
    Extension(library): Extension<Arc<MediaLibrary>>,
    Body(body): Body<PostIn>,
) -> Result<Json<PostOut>, Error> {
    let types = body.categories()?;
    let draft = body.draft(&types);
    let was_private = check.updated(&app.db, (id, user.id), &draft, &body.item, body.media.as_deref()).await?;
    let mut tx = app.db.begin().await?;
    quota.charge(&mut tx, user.id, &draft.texts()).await?;
    keep_version(&mut tx, id, user.id, &draft).await?;
    let post = Post::update(&mut tx, id, user.id, &draft).await.map_err(only_drafts)?;
    let post = post.ok_or(Error::Refused(StatusCode::NOT_FOUND, "Post not found for update"))?;
    // It was published between the question and the lock, and moderation was not asked.
    if was_private && post.status == Status::Posted {
        return Err(Error::Refused(StatusCode::CONFLICT, "The post was published meanwhile; send the change again"));
    }
    items::signals::saved(&mut tx, &post, &body.item).await?;
    attached(&mut tx, post.id, user.id, body.media.as_deref()).await?;
    signals::updated(&mut tx, &post).await?.check_caption()?;
    let answer = shown::one_to_reader(&mut tx, &library.urls, post).await?;
    app.commit_with_answer(tx).await?;
    Ok(Json(answer))
}

/// The refusal of a time at which a post that is no draft is to be published, as the database finds it.
fn only_drafts(error: sqlx::Error) -> Error {
    match error {
        sqlx::Error::Database(cause) if cause.constraint() == Some(ONLY_DRAFTS) => {
            Error::Refused(StatusCode::CONFLICT, "Only a draft can be published later")
        }
        error => error.into(),
    }
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
