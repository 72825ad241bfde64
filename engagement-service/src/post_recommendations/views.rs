//! The route of recommended posts.
use std::collections::HashMap;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};

use super::models::PostRecommendationList;
use super::recommender::PostRecommender;
use super::schemas::{RecommendationReason, RecommendedPost};
use super::{LIST_GONE, ListPlace};
use crate::core::api::errors::{Error, Problem};
use crate::core::app::identity::User;
use crate::feeds::models::load;
use crate::feeds::pages::FeedPage;
use crate::feeds::schemas::FeedItem;

/// Recommend posts to the caller that their home feed does not have, each with the reason why
#[utoipa::path(get, path = "/me/recommendations/posts", tag = "recommendations", params(
    ("limit" = Option<i64>, Query, description = "Items on a page, 1 to 200; 50 when not given"),
    ("cursor" = Option<String>, Query, description = "From a Link header: `next` leads on in the same list"),
), responses(
    (status = 200, body = Vec<RecommendedPost>),
    (status = 410, body = Problem, description = "The list of the cursor is older than an hour"),
))]
pub async fn recommend_posts(
    user: User,
    State(recommender): State<PostRecommender>,
    page: FeedPage<ListPlace>,
) -> Result<Response, Error> {
    let db = &recommender.app.db;
    let start = match page.cursor {
        Some(place) if PostRecommendationList::exists(db, user.id, place.list).await? => place,
        Some(_) => return Err(LIST_GONE),
        None => ListPlace { list: recommender.current(user.id).await?, place: 0 },
    };
    let mut entries = recommender.entries(user.id, start.list, start.place, page.rows()).await?;
    let more = entries.len() > page.limit;
    entries.truncate(page.limit);
    let last = entries.last().filter(|_| more);
    let next = last.map(|last| ("next", Some(ListPlace { list: start.list, place: last.place })));
    let links = page.links(&next.into_iter().collect::<Vec<_>>())?;
    let keys: Vec<_> = entries.iter().map(|entry| entry.feed_key).collect();
    let rows = load(db, user.id, &keys).await?;
    let mut reasons: HashMap<_, _> = entries.into_iter().map(|entry| (entry.post_id, entry)).collect();
    let posts = rows.into_iter().filter_map(|row| {
        let reason = RecommendationReason::of(reasons.remove(&row.id)?);
        Some(RecommendedPost { post: FeedItem::from(row), reason })
    });
    Ok((links, Json(posts.collect::<Vec<_>>())).into_response())
}
