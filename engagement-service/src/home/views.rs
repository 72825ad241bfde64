//! The route of the home feed.
use std::collections::HashMap;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};

use super::Home;
use super::pages::HomePlace;
use super::schemas::HomeItem;
use super::services::{mix, mixed_behind, mixed_places};
use crate::core::api::errors::Error;
use crate::core::app::identity::User;
use crate::feeds::models::load;
use crate::feeds::pages::{FeedPage, Place, ShownKeys};
use crate::feeds::schemas::FeedItem;
use crate::post_recommendations::schemas::RecommendationReason;

/// Read the caller's feed: the posts of their connections and their own, the newest first
///
/// Where the platform mixes recommended posts in, these have a `reason` and are no part of its order.
#[utoipa::path(get, path = "/me/feed", tag = "feeds", params(
    ("limit" = Option<i64>, Query, description = "Items on a page, 1 to 200; 50 when not given"),
    ("cursor" = Option<String>, Query, description = "From a Link header: `next` leads to older posts, `prev` to those since"),
), responses(
    (status = 200, body = Vec<HomeItem>),
))]
pub async fn home_feed(user: User, State(home): State<Home>, page: FeedPage<HomePlace>) -> Result<Response, Error> {
    let start = page.cursor.unwrap_or(HomePlace::TOP);
    // What came in since is news of the feed alone.
    let every = if matches!(start.feed, Place::After(_)) { 0 } else { home.every() };
    let places = mixed_places(page.limit, every);
    let limit = page.limit - places;
    let keys = home.feeds.home_keys(user.id, start.feed, ShownKeys::rows(limit)).await?;
    let shown = ShownKeys::of(page.cursor.map(|cursor| cursor.feed), limit, keys);
    let mixed = home.recommend(user.id, start.list, mixed_behind(shown.keys.len(), every, places)).await;
    let place = |(relation, feed)| (relation, Some(HomePlace { feed, list: mixed.list }));
    let links = page.links(&shown.relations().map(place).collect::<Vec<_>>())?;
    // Its author may have become a connection since the feed was read.
    let fresh: Vec<_> = mixed.entries.into_iter().filter(|entry| !shown.keys.contains(&entry.feed_key)).collect();
    let keys: Vec<_> = shown.keys.iter().copied().chain(fresh.iter().map(|entry| entry.feed_key)).collect();
    let mut entries: HashMap<_, _> = fresh.into_iter().map(|entry| (entry.post_id, entry)).collect();
    let rows = load(&home.feeds.app.db, user.id, &keys).await?;
    let item = |row| {
        let post = FeedItem::from(row);
        HomeItem { reason: entries.remove(&post.id).map(RecommendationReason::of), post }
    };
    let (own, recommended) = rows.into_iter().map(item).partition(|item| item.reason.is_none());
    Ok((links, Json(mix(own, recommended, every))).into_response())
}
