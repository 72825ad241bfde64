//! The routes of reactions.
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;

use super::models::Reaction;
use super::schemas::{PostReactionIn, PostReactionOut};
use super::{Type, signals};
use crate::app::App;
use crate::core::api::errors::{Error, Problem};
use crate::core::api::pagination::Page;
use crate::core::app::identity::User;
use crate::core::contract::extract::{Json as Body, Path};
use crate::posts::NOT_FOUND as POST_NOT_FOUND;
use crate::posts::lookup::VisiblePost;
use crate::posts::models::Post;

const NOT_FOUND: Error = Error::Refused(StatusCode::NOT_FOUND, "Post reaction not found");

/// List the reactions to a post, newest first
#[utoipa::path(get, path = "/{post_id}/post-reactions", tag = "reaction", params(
    ("post_id" = uuid::Uuid, Path),
    ("limit" = Option<i64>, Query, description = "Items on a page, 1 to 200; 50 when not given"),
    ("cursor" = Option<String>, Query, description = "From the Link header of the page before"),
), responses(
    (status = 200, body = Vec<PostReactionOut>),
    (status = 404, body = Problem),
    (status = 422, body = Problem),
    (status = 503, body = Problem, description = "The post service is unavailable"),
))]
pub async fn get_post_reactions(
    user: User,
    Path(_): Path,
    VisiblePost(post): VisiblePost,
    State(app): State<App>,
    page: Page,
) -> Result<Response, Error> {
    let reactions = Reaction::list(&app.db, post, user.id, page.before, page.rows()).await?;
    let reactions: Vec<PostReactionOut> = reactions.into_iter().map(PostReactionOut::from).collect();
    Ok(page.answer(reactions, |reaction| (reaction.created_at, reaction.id)))
}

/// React to a post; a user has at most one reaction to a post
#[utoipa::path(post, path = "/{post_id}/post-reactions", tag = "reaction", params(("post_id" = uuid::Uuid, Path)),
    request_body = PostReactionIn, responses(
    (status = 201, body = PostReactionOut),
    (status = 400, body = Problem, description = "A second reaction to the same post"),
    (status = 404, body = Problem),
    (status = 503, body = Problem, description = "The post service is unavailable"),
))]
pub async fn create_post_reaction(
    user: User,
    VisiblePost(post): VisiblePost,
    State(app): State<App>,
    Body(reaction): Body<PostReactionIn>,
) -> Result<(StatusCode, Json<PostReactionOut>), Error> {
    let mut tx = app.db.begin().await?;
    if !Post::lock_visible(&mut tx, post, user.id).await? {
        return Err(POST_NOT_FOUND);
    }
    let reaction = Reaction::create(&mut tx, post, user.id, reaction.r#type.unwrap_or(Type::Like)).await?;
    let duplicate = Error::Refused(StatusCode::BAD_REQUEST, "Can not react duplicate on same post.");
    let reaction = reaction.ok_or(duplicate)?;
    signals::created(&mut tx, &reaction).await?;
    app.commit_with_answer(tx).await?;
    Ok((StatusCode::CREATED, Json(reaction.into())))
}

/// Set the caller's reaction to a post, whichever it was before
///
/// A client needs no id of the reaction, and a request that is repeated changes nothing.
#[utoipa::path(put, path = "/{post_id}/post-reactions/mine", tag = "reaction", params(("post_id" = uuid::Uuid, Path)),
    request_body = PostReactionIn, responses(
    (status = 200, body = PostReactionOut, description = "The reaction, changed or as it was"),
    (status = 201, body = PostReactionOut, description = "The caller's first reaction to the post"),
    (status = 404, body = Problem),
    (status = 503, body = Problem, description = "The post service is unavailable"),
))]
pub async fn put_own_post_reaction(
    user: User,
    VisiblePost(post): VisiblePost,
    State(app): State<App>,
    Body(reaction): Body<PostReactionIn>,
) -> Result<(StatusCode, Json<PostReactionOut>), Error> {
    let mut tx = app.db.begin().await?;
    if !Post::lock_visible(&mut tx, post, user.id).await? {
        return Err(POST_NOT_FOUND);
    }
    let kind = reaction.r#type.unwrap_or(Type::Like);
    let (status, reaction) = match Reaction::save(&mut tx, post, user.id, kind).await? {
        Some(saved) => {
            signals::saved(&mut tx, &saved).await?;
            (if saved.updated_by.is_none() { StatusCode::CREATED } else { StatusCode::OK }, saved)
        }
        // The attempt to save it has locked it, so it is still there.
        None => (StatusCode::OK, Reaction::find_own(&mut tx, post, user.id).await?.ok_or(NOT_FOUND)?),
    };
    app.commit_with_answer(tx).await?;
    Ok((status, Json(reaction.into())))
}

/// Delete the caller's reaction to a post, whether they may see the post or not
#[utoipa::path(delete, path = "/{post_id}/post-reactions/mine", tag = "reaction", params(
    ("post_id" = uuid::Uuid, Path),
), responses(
    (status = 204, description = "There is no reaction of the caller to the post, whether there was one or not"),
    (status = 422, body = Problem),
))]
pub async fn delete_own_post_reaction(
    user: User,
    State(app): State<App>,
    Path(post): Path,
) -> Result<StatusCode, Error> {
    let mut tx = app.db.begin().await?;
    if let Some(reaction) = Reaction::delete_own(&mut tx, post, user.id).await? {
        signals::deleted(&mut tx, &reaction).await?;
    }
    app.commit_with_answer(tx).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Read a reaction
#[utoipa::path(get, path = "/post-reactions/{reaction_id}", tag = "reaction", params(
    ("reaction_id" = uuid::Uuid, Path),
), responses(
    (status = 200, body = PostReactionOut),
    (status = 404, body = Problem),
    (status = 422, body = Problem),
))]
pub async fn retrieve_post_reaction_detail(
    user: User,
    State(app): State<App>,
    Path(id): Path,
) -> Result<Json<PostReactionOut>, Error> {
    let reaction = Reaction::find_visible(&app.db, id, user.id).await?;
    Ok(Json(reaction.ok_or(NOT_FOUND)?.into()))
}

/// Update the caller's reaction; a type that is not given stays as it is
#[utoipa::path(put, path = "/post-reactions/{reaction_id}", tag = "reaction", params(
    ("reaction_id" = uuid::Uuid, Path),
), request_body = PostReactionIn, responses(
    (status = 200, body = PostReactionOut),
    (status = 404, body = Problem),
))]
pub async fn update_post_reaction(
    user: User,
    State(app): State<App>,
    Path(id): Path,
    Body(reaction): Body<PostReactionIn>,
) -> Result<Json<PostReactionOut>, Error> {
    let mut tx = app.db.begin().await?;
    let reaction = Reaction::update(&mut tx, id, user.id, reaction.r#type).await?.ok_or(NOT_FOUND)?;
    signals::updated(&mut tx, &reaction).await?;
    app.commit_with_answer(tx).await?;
    Ok(Json(reaction.into()))
}

/// Delete the caller's reaction
#[utoipa::path(delete, path = "/post-reactions/{reaction_id}", tag = "reaction", params(
    ("reaction_id" = uuid::Uuid, Path),
), responses(
    (status = 204),
    (status = 404, body = Problem),
    (status = 422, body = Problem),
))]
pub async fn delete_post_reaction(user: User, State(app): State<App>, Path(id): Path) -> Result<StatusCode, Error> {
    let mut tx = app.db.begin().await?;
    let reaction = Reaction::delete(&mut tx, id, user.id).await?;
    let reaction = reaction.ok_or(Error::Refused(StatusCode::NOT_FOUND, "Post reaction not found for deletion"))?;
    signals::deleted(&mut tx, &reaction).await?;
    app.commit_with_answer(tx).await?;
    Ok(StatusCode::NO_CONTENT)
}
