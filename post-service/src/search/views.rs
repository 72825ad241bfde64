//! The routes of search.
use std::sync::Arc;
use std::time::Instant;

use axum::extract::State;
use axum::response::Response;
use axum::{Extension, Json};

use super::schemas::{PostSearch, Prefix, SearchHit, SuggestionsOut};
use super::{reading, signals};
use crate::core::api::errors::{Error, Problem};
use crate::core::api::pagination::Page;
use crate::core::app::App;
use crate::core::app::identity::User;
use crate::core::contract::extract::Query;
use crate::media::library::MediaLibrary;

/// Search published posts by their words
///
/// Words, `"phrases"`, `or`, and `-` before what must not be there. Case and accents make no difference, and in the language of
/// a post neither do endings. By relevance, the newest 2,000 posts that match are ranked, and the list ends with them; of those that fit
/// equally well the newer one comes first.
///
/// Where a filter lets few of very many posts with common words through, a page has those that a bounded search has found, which can be
/// fewer than `limit`, or none. The list ends where there is no `Link` header.
///
/// Where more than 40,000 posts have the words, the order by relevance is one of stretches: the newest 40,000 posts are searched and what
/// is found there is ranked, then the 40,000 before these, and so on. Each stretch is in order by itself, and a post of an older one follows
/// behind all of the newer ones, however well it fits. `since` and `until` choose one stretch. Pages have each post once as long as the posts
/// stay as they are; one that is deleted, hidden or edited meanwhile can move others across the border of a page. By time, no page misses or
/// repeats a post.
#[utoipa::path(get, path = "/posts/search", tag = "search", params(
    ("q" = String, Query, min_length = 1, max_length = 200, example = "engine -\"steam power\"", description = "What is searched for; at least one word must not be excluded"),
    ("author" = Option<uuid::Uuid>, Query, description = "Only posts of this user"),
    ("category" = Option<String>, Query, max_length = 16, example = "TECHNOLOGY", description = "Only posts of this category"),
    ("tag" = Option<String>, Query, max_length = 100, description = "Only posts with this #tag, with or without the #"),
    ("has_media" = Option<bool>, Query, example = false, description = "Only posts that show pictures, or with `false` only those that show none"),
    ("since" = Option<String>, Query, max_length = 40, example = "2026-01-01", description = "Only posts published at this time or later: a day or a time with its zone"),
    ("until" = Option<String>, Query, max_length = 40, example = "2036-01-01T00:00:00Z", description = "Only posts published before this time"),
    ("order" = Option<String>, Query, max_length = 9, pattern = "^(relevance|time)$", description = "`relevance`, also when not given: what fits best first, within each stretch of the newest posts that are searched together; or `time`: the newest first"),
    ("limit" = Option<i64>, Query, minimum = 1, maximum = 200, description = "Items on a page, 1 to 200; 50 when not given"),
    ("cursor" = Option<String>, Query, description = "From the Link header of the page before"),
), responses(
    (status = 200, body = Vec<SearchHit>),
    (status = 422, body = Problem),
))]
pub async fn search_posts(
    user: User,
    State(app): State<App>,
    Extension(library): Extension<Arc<MediaLibrary>>,
    page: Page,
    query: Query,
) -> Result<Response, Error> {
    let search = PostSearch::read(query)?;
    let begun = Instant::now();
    let found = reading::find(&app, user.id, &search, page.before, page.limit, &library.urls).await?;
    signals::searched(search.order, begun.elapsed(), found.hits.is_empty());
    Ok(page.answer_with(found.hits, found.next))
}

/// Suggest tags and posts while a user types
#[utoipa::path(get, path = "/search/suggest", tag = "search", params(
    ("q" = String, Query, min_length = 1, max_length = 100, example = "eng", description = "The beginning of a tag, with or without the #, in any case; or of a word of a title, also without its accents"),
    ("most" = Option<i64>, Query, minimum = 1, maximum = 20, description = "Suggestions of each kind at most, 1 to 20; 10 when not given"),
), responses(
    (status = 200, body = SuggestionsOut),
    (status = 422, body = Problem),
))]
pub async fn suggest(user: User, State(app): State<App>, query: Query) -> Result<Json<SuggestionsOut>, Error> {
    let prefix = Prefix::read(query)?;
    let (tags, posts) = reading::suggest(&app, user.id, &prefix).await?;
    Ok(Json(SuggestionsOut::new(tags, posts)))
}
