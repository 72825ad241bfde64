//! The post in a request's path, looked up for the caller. Extractors, so that the post is looked up after the token is
//! checked and before the body is read: the order of refusals is the original's.
use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::header;
use axum::http::request::Parts;
use uuid::Uuid;

use super::NOT_FOUND;
use super::models::Post;
use super::schemas::PostOut;
use crate::app::App;
use crate::core::api::errors::{Error, NOT_AUTHENTICATED};
use crate::core::app::identity::User;
use crate::core::doors::callers::EvenMuted;

/// The post in the path, which the caller may see. If the stored version does not show it, the post service is asked for a
/// newer one.
pub struct VisiblePost(pub Uuid);

impl FromRequestParts<App> for VisiblePost {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Error> {
        // Whether a muted caller may go on is the handler's to say.
        let EvenMuted(user) = EvenMuted::from_request_parts(parts, app).await?;
        let id = post_id(parts, app).await?;
        match Post::find_visibility(&app.db, id, user.id).await? {
            Some(post) if post.deleted => return Err(NOT_FOUND),
            Some(post) if post.visible => return Ok(Self(id)),
            _ => {}
        }
        let post = fetch_post(parts, app, id).await?;
        check_visibility(app, &post, user.id).await?;
        Ok(Self(id))
    }
}

/// The post in the path, which the caller may see, as it is now. The post service is always called.
pub struct CurrentPost(pub PostOut);

impl FromRequestParts<App> for CurrentPost {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Error> {
        let user = User::from_request_parts(parts, app).await?;
        let id = post_id(parts, app).await?;
        let post = fetch_post(parts, app, id).await?;
        check_visibility(app, &post, user.id).await?;
        Ok(Self(post))
    }
}

/// Refuses a post that the viewer may not see. The post service has answered it, but the original one answers drafts, and
/// either may not have consumed a block yet: the rule is applied here, to the answered version, which is stored when it is new.
async fn check_visibility(app: &App, post: &PostOut, viewer: Uuid) -> Result<(), Error> {
    let mut stored = Post::find_visibility(&app.db, post.id, viewer).await?;
    if stored.as_ref().is_none_or(|stored| stored.updated_at != post.updated_at || stored.status != post.status) {
        Post::save(&app.db, &[Post::from(post)]).await?;
        stored = Post::find_visibility(&app.db, post.id, viewer).await?;
    }
    if stored.is_some_and(|stored| stored.visible) { Ok(()) } else { Err(NOT_FOUND) }
}

/// The id of the post in the path. An invalid id is answered like that of a post that does not exist.
async fn post_id(parts: &mut Parts, app: &App) -> Result<Uuid, Error> {
    let params = RawPathParams::from_request_parts(parts, app).await.map_err(|_| NOT_FOUND)?;
    params.iter().find(|(name, _)| *name == "post_id").and_then(|(_, id)| id.parse().ok()).ok_or(NOT_FOUND)
}

/// Requests the post from the post service with the caller's token.
async fn fetch_post(parts: &Parts, app: &App, id: Uuid) -> Result<PostOut, Error> {
    let authorization = parts.headers.get(header::AUTHORIZATION).ok_or(NOT_AUTHENTICATED)?;
    app.posts.get(id, authorization).await?.ok_or(NOT_FOUND)
}
