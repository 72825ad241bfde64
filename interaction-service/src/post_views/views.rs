//! The route of views.
use axum::Json;
use axum::extract::State;

use super::schemas::PostViewed;
use super::signals;
use crate::app::App;
use crate::core::api::errors::{Error, Problem};
use crate::core::app::identity::User;
use crate::posts::lookup::CurrentPost;

/// View a post; every view counts, also the author's
#[utoipa::path(get, path = "/{post_id}/view", tag = "post-view", params(("post_id" = uuid::Uuid, Path)), responses(
    (status = 200, body = PostViewed),
    (status = 404, body = Problem),
    (status = 503, body = Problem, description = "The post service is unavailable"),
))]
pub async fn view_post(
    user: User,
    CurrentPost(post): CurrentPost,
    State(app): State<App>,
) -> Result<Json<PostViewed>, Error> {
    let view = PostViewed::new(post, user.id);
    let mut tx = app.db.begin().await?;
    signals::viewed(&mut tx, &view).await?;
    app.commit_with_answer(tx).await?;
    Ok(Json(view))
}
