//! The route of explore.
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};

use super::models::{Edition, EditionPage};
use super::{EDITION_GONE, EditionPlace};
use crate::core::api::errors::{Error, Problem};
use crate::core::app::identity::User;
use crate::feeds::models::load;
use crate::feeds::pages::FeedPage;
use crate::feeds::reading::Feeds;
use crate::feeds::schemas::FeedItem;

/// Explore the posts of all: the best and freshest first, those in the caller's interests before the others
#[utoipa::path(get, path = "/feed/explore", tag = "feeds", params(
    ("limit" = Option<i64>, Query, description = "Items on a page, 1 to 200; 50 when not given"),
    ("cursor" = Option<String>, Query, description = "From a Link header: `next` leads on in the same list; `prev` leads to the \
        first page of a newer list, once there is one"),
), responses(
    (status = 200, body = Vec<FeedItem>),
    (status = 410, body = Problem, description = "The list of the cursor is older than an hour"),
))]
pub async fn explore_feed(
    user: User,
    State(feeds): State<Feeds>,
    page: FeedPage<EditionPlace>,
) -> Result<Response, Error> {
    let db = &feeds.app.db;
    let edition = Edition::read(db, user.id, page.cursor, page.rows()).await?;
    let Some(EditionPage { id, newest, mut entries }) = edition else {
        // The first edition is made when the service starts.
        return if page.cursor.is_none() { Ok(Json([(); 0]).into_response()) } else { Err(EDITION_GONE) };
    };
    if page.cursor.is_some_and(|cursor| cursor.edition != id) {
        return Err(EDITION_GONE);
    }
    let more = entries.len() > page.limit;
    entries.truncate(page.limit);
    let last = entries.last().filter(|_| more);
    let next = last.map(|last| EditionPlace { edition: id, beyond: last.beyond, place: last.place });
    let mut relations: Vec<_> = next.map(|next| ("next", Some(next))).into_iter().collect();
    relations.extend((!newest).then_some(("prev", None)));
    let links = page.links(&relations)?;
    let keys: Vec<_> = entries.iter().map(|entry| entry.feed_key).collect();
    let items: Vec<FeedItem> = load(db, user.id, &keys).await?.into_iter().map(FeedItem::from).collect();
    Ok((links, Json(items)).into_response())
}
