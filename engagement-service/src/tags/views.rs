//! The routes of followed tags.
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;

use super::models::{TagCount, TagFollow};
use super::schemas::{TagFollowOut, TagOut, TagPath};
use super::{MAX_TAGS, TOO_MANY_TAGS, signals};
use crate::core::api::errors::{Error, Problem};
use crate::core::api::pagination::Page;
use crate::core::app::App;
use crate::core::app::identity::User;
use crate::core::doors::callers::EvenMuted;

/// What is counted of a tag at most.
const MOST_COUNTED: i64 = 10_000;

/// List the tags that the caller follows, the latest first
#[utoipa::path(get, path = "/me/tags", tag = "tags", params(
    ("limit" = Option<i64>, Query, description = "Items on a page, 1 to 200; 50 when not given"),
    ("cursor" = Option<String>, Query, description = "From the Link header of the page before"),
), responses(
    (status = 200, body = Vec<TagFollowOut>),
))]
pub async fn list_tags(user: User, State(app): State<App>, page: Page) -> Result<Response, Error> {
    let follows = TagFollow::list(&app.db, user.id, page.before, page.rows()).await?;
    let shown = follows.into_iter().map(TagFollowOut::from).collect();
    Ok(page.answer(shown, |follow: &TagFollowOut| (follow.followed_at, follow.id)))
}

/// Follow a tag: its posts are in the caller's home feed
#[utoipa::path(put, path = "/me/tags/{tag}", tag = "tags", params(
    ("tag" = String, Path, description = "Without its sign, in any spelling", example = "rust", max_length = 64),
), responses(
    (status = 204, description = "The caller follows it, whether they did before or not"),
    (status = 409, body = Problem, description = "The caller follows 100 others"),
    (status = 422, body = Problem, description = "There can be no such tag"),
))]
pub async fn follow_tag(
    EvenMuted(user): EvenMuted,
    State(app): State<App>,
    TagPath { tag, written }: TagPath,
) -> Result<StatusCode, Error> {
    let mut tx = app.db.begin().await?;
    if TagFollow::create(&mut tx, user.id, &tag, &written, MAX_TAGS).await?.ok_or(TOO_MANY_TAGS)? {
        signals::changed(&mut tx, user.id).await?;
    }
    app.commit_with_answer(tx).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Follow a tag no more
#[utoipa::path(delete, path = "/me/tags/{tag}", tag = "tags", params(
    ("tag" = String, Path, description = "Without its sign, in any spelling", example = "rust", max_length = 64),
), responses(
    (status = 204, description = "The caller does not follow it, whether they did or not"),
    (status = 422, body = Problem, description = "There can be no such tag"),
))]
pub async fn unfollow_tag(
    user: User,
    State(app): State<App>,
    TagPath { tag, .. }: TagPath,
) -> Result<StatusCode, Error> {
    let mut tx = app.db.begin().await?;
    if TagFollow::delete(&mut tx, user.id, &tag).await? {
        signals::changed(&mut tx, user.id).await?;
    }
    app.commit_with_answer(tx).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Read how much a tag is used and followed
#[utoipa::path(get, path = "/tags/{tag}", tag = "tags", params(
    ("tag" = String, Path, description = "Without its sign, in any spelling", example = "rust", max_length = 64),
), responses(
    (status = 200, body = TagOut),
    (status = 422, body = Problem, description = "There can be no such tag"),
))]
pub async fn retrieve_tag(
    user: User,
    State(app): State<App>,
    TagPath { tag, .. }: TagPath,
) -> Result<Json<TagOut>, Error> {
    let count = TagCount::count(&app.db, user.id, &tag, MOST_COUNTED).await?;
    Ok(Json(TagOut::new(tag, &count)))
}
