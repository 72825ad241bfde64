//! The route of views.
use axum::extract::State;
use axum::{Extension, Json};

use super::models::PostView;
use super::schemas::PostViewed;
use super::{ViewWindow, signals};
use crate::app::App;
use crate::core::api::errors::{Error, Problem};
use crate::core::app::identity::User;
use crate::posts::lookup::CurrentPost;

/// View a post; every view counts, also the author's. For the post's score those of one caller within half an hour are one
#[utoipa::path(get, path = "/{post_id}/view", tag = "post-view", params(("post_id" = uuid::Uuid, Path)), responses(
    (status = 200, body = PostViewed),
    (status = 404, body = Problem),
    (status = 503, body = Problem, description = "The post service is unavailable"),
))]
pub async fn view_post(
    user: User,
    CurrentPost(post): CurrentPost,
    State(app): State<App>,
    Extension(window): Extension<ViewWindow>,
) -> Result<Json<PostViewed>, Error> {
    let id = post.id;
    let view = PostViewed::new(post, user.id);
    let mut tx = app.db.begin().await?;
    // Of two first views at once, one waits for the other and is a repeated one.
    let repeated = !window.is_empty() && !PostView::save(&mut tx, user.id, id, view.total_views(), window).await?;
    signals::viewed(&mut tx, view.clone(), repeated).await?;
    app.commit_with_answer(tx).await?;
    Ok(Json(view))
}
