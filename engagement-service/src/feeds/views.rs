//! The routes of feeds.
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use uuid::Uuid;

use super::AUTHOR_NOT_FOUND;
use super::models::{AuthorQuery, list_author_keys, load};
use super::pages::{FeedPage, Place};
use super::reading::Feeds;
use super::schemas::FeedItem;
use crate::core::api::errors::{Error, Problem};
use crate::core::app::identity::User;
use crate::core::contract::extract::Path;

/// Read the caller's feed: the posts of their connections and their own, the newest first
#[utoipa::path(get, path = "/me/feed", tag = "feeds", params(
    ("limit" = Option<i64>, Query, description = "Items on a page, 1 to 200; 50 when not given"),
    ("cursor" = Option<String>, Query, description = "From a Link header: `next` leads to older posts, `prev` to those since"),
), responses(
    (status = 200, body = Vec<FeedItem>),
))]
pub async fn home_feed(user: User, State(feeds): State<Feeds>, page: FeedPage<Place>) -> Result<Response, Error> {
    let keys = feeds.home_keys(user.id, page.cursor.unwrap_or(Place::TOP), page.rows()).await?;
    answer(&feeds, user.id, &page, keys).await
}

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
    answer(&feeds, user.id, &page, keys).await
}

/// A page of the posts of these keys, which are in the direction of the page's place and one more than are shown.
async fn answer(feeds: &Feeds, reader: Uuid, page: &FeedPage<Place>, mut keys: Vec<Uuid>) -> Result<Response, Error> {
    let more = keys.len() > page.limit;
    keys.truncate(page.limit);
    let place = page.cursor.unwrap_or(Place::TOP);
    if matches!(place, Place::After(_)) {
        keys.reverse();
    }
    let since = match (keys.first(), place) {
        (Some(first), _) => Some(Place::After(*first)),
        // Nothing came in yet: the next look begins where this one did.
        (None, Place::After(_)) => Some(place),
        (None, Place::Before(_)) => page.cursor.is_none().then_some(Place::After(Uuid::nil())),
    };
    // Under what came in lies what the client has come from.
    let next = keys.last().filter(|_| more || matches!(place, Place::After(_))).map(|last| Place::Before(*last));
    let relations = [("next", next), ("prev", since)].into_iter().filter(|(_, cursor)| cursor.is_some());
    let links = page.links(&relations.collect::<Vec<_>>())?;
    let items: Vec<FeedItem> = load(&feeds.app.db, reader, &keys).await?.into_iter().map(FeedItem::from).collect();
    Ok((links, Json(items)).into_response())
}
