//! Pages of a list, newest first: a bare JSON array as the original answers, and a `Link` header with an opaque cursor
//! to the next page. A page is found by its place in the order (time, id), so page 1,000 costs what page 1 costs.
use axum::extract::{FromRequestParts, OriginalUri};
use axum::http::header;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use chrono::DateTime;
use serde::Serialize;
use uuid::Uuid;

use crate::core::api::errors::Error;
use crate::core::contract::extract::Query;
use crate::core::contract::fields::invalid;
use crate::core::contract::timestamp::Timestamp;

/// Items on a page when the caller does not say.
pub const DEFAULT_LIMIT: i64 = 50;
/// Items on a page at most.
pub const MAX_LIMIT: i64 = 200;
/// The longest cursor, in characters: a time in hexadecimal digits, a point, and an id.
#[cfg(test)]
pub const LONGEST_CURSOR: usize = 16 + 1 + 32;

/// A place in a list that is ordered by time and id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    pub at: Timestamp,
    pub id: Uuid,
}

impl Cursor {
    fn encode(self) -> String {
        format!("{:x}.{}", self.at.0.timestamp_micros(), self.id.simple())
    }

    /// Takes what [`Cursor::encode`] made and nothing else: Postgres does not know every time that fits into the number.
    fn decode(text: &str) -> Option<Self> {
        let (at, id) = text.split_once('.')?;
        let at = DateTime::from_timestamp_micros(i64::from_str_radix(at, 16).ok()?)?;
        let cursor = Self { at: Timestamp(at), id: Uuid::try_parse(id).ok()? };
        (cursor.encode() == text && (DateTime::UNIX_EPOCH..=Self::end().at.0).contains(&at)).then_some(cursor)
    }

    /// The place before which everything lies: later than any item.
    pub fn end() -> Self {
        let at = DateTime::from_timestamp_micros(253_402_300_799_000_000).unwrap_or_default();
        Self { at: Timestamp(at), id: Uuid::max() }
    }
}

/// Which page a request asks for: `limit` (1 to 200, default 50) and `cursor`.
pub struct Page {
    /// Items on a page, at most.
    pub limit: i64,
    /// Only items that come after this place in the list, that is, that are older, belong to the page.
    pub before: Cursor,
    /// The path and the query of the request less its cursor, to which the next page's cursor is added.
    link: String,
}

impl Page {
    /// How many rows to ask for: one more than are shown, to know whether there is a next page.
    pub fn rows(&self) -> i64 {
        self.limit + 1
    }

    /// The answer: the items, and a link to the next page when there is one.
    pub fn answer<T: Serialize>(self, mut items: Vec<T>, place: impl Fn(&T) -> (Timestamp, Uuid)) -> Response {
        let limit = usize::try_from(self.limit).unwrap_or(usize::MAX);
        let more = items.len() > limit;
        items.truncate(limit);
        let next = items.last().filter(|_| more).map(place).map(|(at, id)| Cursor { at, id });
        self.answer_with(items, next)
    }

    /// The same, where the next page begins behind a place that need not be that of an item.
    pub fn answer_with<T: Serialize>(self, items: Vec<T>, next: Option<Cursor>) -> Response {
        let link = next.map(|next| format!("<{}cursor={}>; rel=\"next\"", self.link, next.encode()));
        (link.map(|link| [(header::LINK, link)]), axum::Json(items)).into_response()
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Page {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Error> {
        let mut query = Query::from_request_parts(parts, state).await?;
        let limit = query.integer("limit", 1, MAX_LIMIT).unwrap_or(DEFAULT_LIMIT);
        let before = query.get("cursor").map_or(Some(Cursor::end()), Cursor::decode).unwrap_or_else(|| {
            query.errors.push(invalid(&["query", "cursor"], "value is not a valid cursor", "value_error.cursor", None));
            Cursor::end()
        });
        let kept: Vec<_> = query.pairs.iter().filter(|(name, _)| name != "cursor").collect();
        let kept = serde_urlencoded::to_string(kept).map_err(|cause| Error::Internal(cause.into()))?;
        // Routes are nested: the uri of the request as they see it has lost the prefix.
        let path = parts.extensions.get::<OriginalUri>().map_or(parts.uri.path(), |uri| uri.0.path());
        let link = format!("{path}?{kept}{}", if kept.is_empty() { "" } else { "&" });
        query.check()?;
        Ok(Self { limit, before, link })
    }
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    async fn page(uri: &str) -> Result<Page, Error> {
        let (mut parts, ()) = Request::get(uri).body(()).unwrap().into_parts();
        Page::from_request_parts(&mut parts, &()).await
    }

    #[tokio::test]
    async fn a_page_that_is_full_links_to_the_next_and_the_last_one_does_not() {
        let items: Vec<_> =
            (0..3).map(|n| (Timestamp(DateTime::from_timestamp_micros(n).unwrap()), Uuid::max())).collect();
        let first = page("/things?limit=2&q=a%20b").await.unwrap();
        assert_eq!(first.rows(), 3);
        let answer = first.answer(items.clone(), |item| *item);
        let link = answer.headers()[header::LINK].to_str().unwrap().to_owned();
        let uri = link.strip_prefix('<').unwrap().strip_suffix(">; rel=\"next\"").unwrap();
        assert!(uri.starts_with("/things?limit=2&q=a+b&cursor="), "{uri}");
        let second = page(uri).await.unwrap();
        assert_eq!(second.before, Cursor { at: items[1].0, id: Uuid::max() });
        assert!(second.answer(items[2..].to_vec(), |item| *item).headers().get(header::LINK).is_none());
    }

    /// A list once answered 500 to a cursor whose time Postgres does not know.
    #[tokio::test]
    async fn a_cursor_that_was_tampered_with_is_refused() {
        let id = "0".repeat(32);
        let real = Cursor { at: Timestamp(DateTime::from_timestamp_micros(5).unwrap()), id: Uuid::nil() };
        assert_eq!(Cursor::decode(&format!("5.{id}")), Some(real));
        assert_eq!(Cursor::decode(&Cursor::end().encode()), Some(Cursor::end()));
        for at in
            ["-6fffffffffffffff", "-8000000000000000", "7000000000000000", "7fffffffffffffff", "+5", "-1", "05", ""]
        {
            assert_eq!(Cursor::decode(&format!("{at}.{id}")), None, "{at}");
        }
    }

    #[tokio::test]
    async fn a_wrong_limit_and_a_wrong_cursor_are_reported_together() {
        for limit in ["0", "201", "many"] {
            let Err(Error::Invalid(errors)) = page(&format!("/things?limit={limit}&cursor=x")).await else {
                panic!("{limit} was taken")
            };
            assert_eq!(errors.iter().map(|e| e.loc[1].as_str().unwrap()).collect::<Vec<_>>(), ["limit", "cursor"]);
        }
    }
}
