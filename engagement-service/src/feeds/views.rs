//! The route of an author's feed.
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use uuid::Uuid;

use super::AUTHOR_NOT_FOUND;
use super::models::{AuthorQuery, list_author_keys, load};
use super::pages::{FeedPage, Place, ShownKeys};
use super::reading::Feeds;
use super::schemas::FeedItem;
use crate::core::api::errors::{Error, Problem};
use crate::core::app::identity::User;
use crate::core::contract::extract::Path;

/// Read the posts of a user, as the caller may see them, the newest first
#[utoipa::path(get, path = "/users/{user_id}/feed", tag = "feeds", params(
    ("user_id" = uuid::Uuid, Path),
    ("limit" = Option<i64>, Query, description = "Items on a page, 1 to 200; 50 when not given"),
    ("cursor" = Option<String>, Query, description = "From a Link header: `next` leads to older posts, `prev` to those since"),
), responses(
    (status = 200, body = Vec<FeedItem>),
    (status = 404, body = Problem, description = "Also when one of the two has blocked the other"),
))]
pub async fn author_feed(
    user: User,
    State(feeds): State<Feeds>,
    Path(author): Path,
    page: FeedPage<Place>,
) -> Result<Response, Error> {
    let (above, below, oldest) = match page.cursor.unwrap_or(Place::TOP) {
        Place::Before(key) => (Uuid::nil(), key, false),
        Place::After(key) => (key, Uuid::max(), true),
    };
    let query = AuthorQuery { reader: user.id, author, above, below, oldest, rows: page.rows() };
    let keys = list_author_keys(&feeds.app.db, query).await?.ok_or(AUTHOR_NOT_FOUND)?;
    let shown = ShownKeys::of(page.cursor, page.limit, keys);
    let links = page.links(&shown.relations().map(|(relation, place)| (relation, Some(place))).collect::<Vec<_>>())?;
    let rows = load(&feeds.app.db, user.id, &shown.keys).await?;
    Ok((links, Json(rows.into_iter().map(FeedItem::from).collect::<Vec<_>>())).into_response())
}
