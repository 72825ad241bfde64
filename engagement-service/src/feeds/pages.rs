//! Pages of feeds. A cursor is opaque to clients: base64url of a few bytes, which name a place in the order of the feed and not a
//! row, so that what is deleted meanwhile disturbs nothing. A page links to the older one (`next`), and to what was published
//! since its first item (`prev`).
use axum::extract::{FromRequestParts, OriginalUri};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, header};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use uuid::Uuid;

use crate::core::api::errors::Error;
use crate::core::api::pagination::{DEFAULT_LIMIT, MAX_LIMIT};
use crate::core::contract::extract::Query;
use crate::core::contract::fields::invalid;

/// A cursor, as bytes.
pub trait CursorBytes: Sized {
    /// What the text of a cursor stands for.
    fn to_bytes(&self) -> Vec<u8>;
    /// Reads what [`CursorBytes::to_bytes`] wrote; none when it is anything else.
    fn from_bytes(bytes: &[u8]) -> Option<Self>;
}

/// A place in a feed, between two keys, and in which direction the page lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The newest posts with a smaller key: a page further down.
    Before(Uuid),
    /// The oldest posts with a larger key: what came in since.
    After(Uuid),
}

impl Place {
    /// The top of a feed.
    pub const TOP: Self = Self::Before(Uuid::max());
}

impl CursorBytes for Place {
    fn to_bytes(&self) -> Vec<u8> {
        let (direction, key) = match self {
            Self::Before(key) => (b'<', key),
            Self::After(key) => (b'>', key),
        };
        [&[direction], &key.as_bytes()[..]].concat()
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (direction, key) = bytes.split_first()?;
        let key = Uuid::from_slice(key).ok()?;
        match direction {
            b'<' => Some(Self::Before(key)),
            b'>' => Some(Self::After(key)),
            _ => None,
        }
    }
}

/// Which page of a feed a request asks for: `limit` (1 to 200, default 50) and `cursor`.
pub struct FeedPage<C> {
    /// Items on a page, at most.
    pub limit: usize,
    /// None for the first page.
    pub cursor: Option<C>,
    /// The path and the query of the request less its cursor.
    link: String,
}

impl<C: CursorBytes> FeedPage<C> {
    /// How many rows to ask for: one more than are shown, to know whether there is a next page.
    pub fn rows(&self) -> i64 {
        i64::try_from(self.limit).unwrap_or(MAX_LIMIT) + 1
    }

    /// The header with the links to other pages: each relation with its cursor, or without one for the first page.
    pub fn links(&self, relations: &[(&str, Option<C>)]) -> Result<HeaderMap, Error> {
        let mut headers = HeaderMap::new();
        let text = |(relation, cursor): &(&str, Option<C>)| {
            let link = match cursor {
                Some(cursor) => format!("{}cursor={}", self.link, BASE64_URL_SAFE_NO_PAD.encode(cursor.to_bytes())),
                None => self.link.trim_end_matches(['&', '?']).to_owned(),
            };
            format!("<{link}>; rel=\"{relation}\"")
        };
        if !relations.is_empty() {
            let links = relations.iter().map(text).collect::<Vec<_>>().join(", ");
            let links = HeaderValue::try_from(links).map_err(|cause| Error::Internal(cause.into()))?;
            headers.insert(header::LINK, links);
        }
        Ok(headers)
    }
}

impl<C: CursorBytes + Send, S: Send + Sync> FromRequestParts<S> for FeedPage<C> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Error> {
        let mut query = Query::from_request_parts(parts, state).await?;
        let limit = query.integer("limit", 1, MAX_LIMIT).unwrap_or(DEFAULT_LIMIT);
        let read = |text: &str| C::from_bytes(&BASE64_URL_SAFE_NO_PAD.decode(text).ok()?);
        let cursor = query.get("cursor").map(read);
        if matches!(cursor, Some(None)) {
            query.errors.push(invalid(&["query", "cursor"], "value is not a valid cursor", "value_error.cursor", None));
        }
        let kept: Vec<_> = query.pairs.iter().filter(|(name, _)| name != "cursor").collect();
        let kept = serde_urlencoded::to_string(kept).map_err(|cause| Error::Internal(cause.into()))?;
        // Routes are nested: the uri of the request as they see it has lost the prefix.
        let path = parts.extensions.get::<OriginalUri>().map_or(parts.uri.path(), |uri| uri.0.path());
        let link = format!("{path}?{kept}{}", if kept.is_empty() { "" } else { "&" });
        query.check()?;
        let limit = usize::try_from(limit).map_err(|cause| Error::Internal(cause.into()))?;
        Ok(Self { limit, cursor: cursor.flatten(), link })
    }
}

/// What a page shows of the keys that were read for it, the newest first, and where it leads.
pub struct ShownKeys {
    pub keys: Vec<Uuid>,
    next: Option<Place>,
    prev: Option<Place>,
}

impl ShownKeys {
    /// How many keys to read for a page of that many: one more, to know whether there is a next page.
    pub fn rows(limit: usize) -> i64 {
        i64::try_from(limit).unwrap_or(MAX_LIMIT) + 1
    }

    /// By the keys in the direction of a cursor, none for the first page, one more of which were asked for than are shown.
    pub fn of(cursor: Option<Place>, limit: usize, mut keys: Vec<Uuid>) -> Self {
        let more = keys.len() > limit;
        keys.truncate(limit);
        let place = cursor.unwrap_or(Place::TOP);
        if matches!(place, Place::After(_)) {
            keys.reverse();
        }
        let prev = match (keys.first(), place) {
            (Some(first), _) => Some(Place::After(*first)),
            // Nothing came in yet: the next look begins where this one did.
            (None, Place::After(_)) => Some(place),
            (None, Place::Before(_)) => cursor.is_none().then_some(Place::After(Uuid::nil())),
        };
        // Under what came in lies what the client has come from.
        let next = keys.last().filter(|_| more || matches!(place, Place::After(_))).map(|last| Place::Before(*last));
        Self { keys, next, prev }
    }

    /// The relations of its links, each with its place.
    pub fn relations(&self) -> impl Iterator<Item = (&'static str, Place)> {
        let all = [("next", self.next), ("prev", self.prev)];
        all.into_iter().filter_map(|(relation, place)| Some((relation, place?)))
    }
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    async fn page(uri: &str) -> Result<FeedPage<Place>, Error> {
        let (mut parts, ()) = Request::get(uri).body(()).unwrap().into_parts();
        FeedPage::from_request_parts(&mut parts, &()).await
    }

    #[tokio::test]
    async fn a_cursor_leads_where_it_was_made_and_nothing_else_is_one() {
        let places = [Place::TOP, Place::Before(Uuid::from_u128(5)), Place::After(Uuid::from_u128(5))];
        for place in places {
            let links = page("/feed?limit=7").await.unwrap().links(&[("next", Some(place))]).unwrap();
            let uri = links[header::LINK].to_str().unwrap().strip_prefix('<').unwrap();
            let next = page(uri.split_once('>').unwrap().0).await.unwrap();
            assert_eq!((next.cursor, next.limit), (Some(place), 7));
        }
        for wrong in ["x", "", "PAAAAAAAAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAAAAAAAAAU", "%3D"] {
            let Err(Error::Invalid(errors)) = page(&format!("/feed?limit=0&cursor={wrong}")).await else {
                panic!("{wrong} was taken")
            };
            assert_eq!(errors.iter().map(|e| e.loc[1].as_str().unwrap()).collect::<Vec<_>>(), ["limit", "cursor"]);
        }
    }
}
