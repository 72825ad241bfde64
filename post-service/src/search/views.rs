//! The routes of search.
use std::sync::Arc;
use std::time::Instant;

use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};

use super::schemas::{PostSearch, Prefix, SearchHit, SuggestionsOut};
use super::{reading, signals};
use crate::core::api::errors::{Error, Problem};
use crate::core::api::pagination::{Cursor, Page};
use crate::core::app::App;
use crate::core::app::identity::User;
use crate::core::contract::extract::Query;
use crate::media::library::MediaLibrary;

/// Search published posts by their words
///
/// Words, `"phrases"`, `or`, and `-` before what must not be there. Case and accents make no difference, and in the language of
/// a post neither do endings. By relevance, the newest 2,000 posts that match are ranked, and the list ends with them.
///
/// Where a filter lets few of very many posts with common words through, a page has those that a bounded search has found, which can be
/// fewer than `limit`, or none. The list ends where there is no `Link` header. By relevance, what is found further on follows behind.
#[utoipa::path(get, path = "/posts/search", tag = "search", params(
    ("q" = String, Query, min_length = 1, max_length = 200, example = "engine -\"steam power\"", description = "What is searched for; at least one word must not be excluded"),
    ("author" = Option<uuid::Uuid>, Query, description = "Only posts of this user"),
    ("category" = Option<String>, Query, max_length = 16, example = "TECHNOLOGY", description = "Only posts of this category"),
    ("tag" = Option<String>, Query, max_length = 100, description = "Only posts with this #tag, with or without the #"),
    ("has_media" = Option<bool>, Query, example = false, description = "Only posts that show pictures, or with `false` only those that show none"),
    ("since" = Option<String>, Query, max_length = 40, example = "2026-01-01", description = "Only posts published at this time or later: a day or a time with its zone"),
    ("until" = Option<String>, Query, max_length = 40, example = "2036-01-01T00:00:00Z", description = "Only posts published before this time"),
    ("order" = Option<String>, Query, max_length = 9, pattern = "^(relevance|time)$", description = "`relevance`, also when not given, or `time`"),
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
    let link = found.next.and_then(|next| link_to(page, next)).map(|link| [(header::LINK, link)]);
    Ok((link, Json(found.hits)).into_response())
}

/// The `Link` header to the page behind a place, which need not be the place of a result.
fn link_to(mut page: Page, next: Cursor) -> Option<HeaderValue> {
    page.limit = 1;
    page.answer(vec![(), ()], |()| (next.at, next.id)).headers_mut().remove(header::LINK)
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
