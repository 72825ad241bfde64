//! The routes of comments.
use std::future::ready;
use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use axum::{Extension, Json};

use super::NOT_FOUND;
use super::models::Comment;
use super::schemas::{CommentIn, CommentOut};
use super::signals;
use super::threads::models::{Tally, Thread};
use super::threads::schemas::{FirstOnly, NewComment};
use super::threads::services::tallied;
use crate::app::App;
use crate::core::api::errors::{Error, Problem};
use crate::core::api::pagination::Page;
use crate::core::app::identity::{Role, User};
use crate::core::contract::extract::{Json as Body, Path};
use crate::core::doors::audit::{self, Entry};
use crate::posts::lookup::VisiblePost;
use crate::posts::models::Post;
use crate::posts::{Commenters, NOT_FOUND as POST_NOT_FOUND};
use crate::pre_publish::PrePublish;
use crate::quotas::Quota;

/// List the comments on a post, newest first
#[utoipa::path(get, path = "/{post_id}/comments", tag = "comment", params(
    ("post_id" = uuid::Uuid, Path),
    ("limit" = Option<i64>, Query, description = "Items on a page, 1 to 200; 50 when not given"),
    ("cursor" = Option<String>, Query, description = "From the Link header of the page before"),
    ("top_level" = Option<bool>, Query, description = "true: without replies; false when not given"),
), responses(
    (status = 200, body = Vec<CommentOut>),
    (status = 404, body = Problem),
    (status = 422, body = Problem),
    (status = 503, body = Problem, description = "The post service is unavailable"),
))]
pub async fn get_post_comments(
    user: User,
    VisiblePost(post): VisiblePost,
    State(app): State<App>,
    FirstOnly(first_only): FirstOnly,
    page: Page,
) -> Result<Response, Error> {
    let comments = Comment::list(&app.db, post, user.id, page.before, page.rows(), first_only).await?;
    let comments = tallied(&app.db, comments, user.id).await?;
    Ok(page.answer(comments, |comment| (comment.created_at, comment.id)))
}

/// Comment on a post
#[utoipa::path(post, path = "/{post_id}/comments", tag = "comment", params(("post_id" = uuid::Uuid, Path)),
    request_body = NewComment, responses(
    (status = 201, body = CommentOut),
    (status = 403, body = Problem, description = "The author of the post lets others comment"),
    (status = 404, body = Problem, description = "No post, or no comment on it to reply to"),
    (status = 503, body = Problem, description = "The post service is unavailable"),
))]
pub async fn create_post_comment(
    user: User,
    VisiblePost(post): VisiblePost,
    State(app): State<App>,
    Extension(quota): Extension<Quota>,
    Extension(pre_publish): Extension<Arc<PrePublish>>,
    Body(comment): Body<NewComment>,
) -> Result<(StatusCode, Json<CommentOut>), Error> {
    pre_publish.check("content", &comment.content, ready(Ok(true))).await?;
    let mut tx = app.db.begin().await?;
    quota.charge(&mut tx, user.id, &[&comment.content]).await?;
    if !Post::lock_visible(&mut tx, post, user.id).await? {
        return Err(POST_NOT_FOUND);
    }
    if let Some(commenters) = Post::find_bar(&mut tx, post, user.id).await? {
        let detail = if commenters == Commenters::Locked {
            "Moderators have closed the post for comments"
        } else {
            "The author of the post has limited who may comment"
        };
        return Err(Error::Refused(StatusCode::FORBIDDEN, detail));
    }
    let thread = match comment.reply_to {
        Some(replied) => Some(Thread::lock(&mut tx, post, replied, user.id).await?.ok_or(NOT_FOUND)?.id),
        None => None,
    };
    let comment = Comment::create(&mut tx, post, user.id, &comment.content, thread).await?;
    signals::created(&mut tx, &comment).await?;
    app.commit_with_answer(tx).await?;
    Ok((StatusCode::CREATED, Json(comment.into())))
}

/// List hidden comments, newest first: the caller's, or as a moderator all of them
#[utoipa::path(get, path = "/comments/hidden", tag = "comment", params(
    ("limit" = Option<i64>, Query, description = "Items on a page, 1 to 200; 50 when not given"),
    ("cursor" = Option<String>, Query, description = "From the Link header of the page before"),
), responses(
    (status = 200, body = Vec<CommentOut>),
))]
pub async fn get_hidden_comments(user: User, State(app): State<App>, page: Page) -> Result<Response, Error> {
    let author = (user.role < Role::Moderator).then_some(user.id);
    let comments = Comment::list_hidden(&app.db, author, page.before, page.rows()).await?;
    let comments: Vec<CommentOut> = comments.into_iter().map(CommentOut::from).collect();
    Ok(page.answer(comments, |comment| (comment.created_at, comment.id)))
}

/// Restore a hidden comment, as a moderator
#[utoipa::path(post, path = "/comments/{comment_id}/restore", tag = "comment", params(
    ("comment_id" = uuid::Uuid, Path),
), responses(
    (status = 200, body = CommentOut),
    (status = 403, body = Problem, description = "The caller is no moderator"),
    (status = 404, body = Problem, description = "No hidden comment"),
    (status = 422, body = Problem),
))]
pub async fn restore_comment(user: User, State(app): State<App>, Path(id): Path) -> Result<Json<CommentOut>, Error> {
    if user.role < Role::Moderator {
        return Err(Error::Refused(StatusCode::FORBIDDEN, "Only moderators can do this"));
    }
    let mut tx = app.db.begin().await?;
    let comment = Comment::restore(&mut tx, id).await?.ok_or(NOT_FOUND)?;
    let (who, target) = (Some(user.id), Some(comment.created_by));
    audit::record(&mut *tx, Entry { who, action: "comment_restored", target, result: "by moderator" }).await?;
    signals::restored(&mut tx, &comment).await?;
    app.commit_with_answer(tx).await?;
    Ok(Json(comment.into()))
}

/// Read a comment
#[utoipa::path(get, path = "/comments/{comment_id}", tag = "comment", params(("comment_id" = uuid::Uuid, Path)),
    responses(
    (status = 200, body = CommentOut),
    (status = 404, body = Problem),
    (status = 422, body = Problem),
))]
pub async fn retrieve_post_comment_detail(
    user: User,
    State(app): State<App>,
    Path(id): Path,
) -> Result<Json<CommentOut>, Error> {
    let comment = Comment::find_visible(&app.db, id, user.id).await?.ok_or(NOT_FOUND)?;
    let tally = Tally::list(&app.db, &[id], user.id).await?.remove(&id);
    Ok(Json(CommentOut::tallied(comment, tally.as_ref())))
}

/// Update the caller's comment
#[utoipa::path(put, path = "/comments/{comment_id}", tag = "comment", params(("comment_id" = uuid::Uuid, Path)),
    request_body = CommentIn, responses(
    (status = 200, body = CommentOut),
    (status = 404, body = Problem),
))]
pub async fn update_post_comment(
    user: User,
    State(app): State<App>,
    Path(id): Path,
    Extension(quota): Extension<Quota>,
    Extension(pre_publish): Extension<Arc<PrePublish>>,
    Body(comment): Body<CommentIn>,
) -> Result<Json<CommentOut>, Error> {
    pre_publish.check("content", &comment.content, ready(Ok(true))).await?;
    let mut tx = app.db.begin().await?;
    quota.charge(&mut tx, user.id, &[&comment.content]).await?;
    let comment = Comment::update(&mut tx, id, user.id, &comment.content).await?.ok_or(NOT_FOUND)?;
    signals::updated(&mut tx, &comment).await?;
    let tally = Tally::list(&mut *tx, &[id], user.id).await?.remove(&id);
    app.commit_with_answer(tx).await?;
    Ok(Json(CommentOut::tallied(comment, tally.as_ref())))
}

/// Delete the caller's comment, or as a moderator any comment, with its NFT record
#[utoipa::path(delete, path = "/comments/{comment_id}", tag = "comment", params(("comment_id" = uuid::Uuid, Path)),
    responses(
    (status = 204, description = "The comment is deleted, and so are the replies and reactions to it"),
    (status = 404, body = Problem),
    (status = 422, body = Problem),
))]
pub async fn delete_post_comment(user: User, State(app): State<App>, Path(id): Path) -> Result<StatusCode, Error> {
    let mut tx = app.db.begin().await?;
    let author = (user.role < Role::Moderator).then_some(user.id);
    let comment = Comment::delete(&mut tx, id, author).await?;
    let comment = comment.ok_or(Error::Refused(StatusCode::NOT_FOUND, "Post comment not found for deletion"))?;
    if comment.created_by != user.id {
        let who = Some(user.id);
        let entry = Entry { who, action: "comment_deleted", target: Some(comment.created_by), result: "by moderator" };
        audit::record(&mut *tx, entry).await?;
    }
    signals::deleted(&mut tx, &comment).await?;
    app.commit_with_answer(tx).await?;
    Ok(StatusCode::NO_CONTENT)
}
