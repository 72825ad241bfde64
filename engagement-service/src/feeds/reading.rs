//! Reading a home feed: from Redis where it is there, from Postgres where it is not, and the build of what is missing.
//!
//! A page from Redis is one round trip and two queries. The first query takes the keys from Redis, adds the newest posts of authors
//! who are in no feed, and leaves out what the reader does not see any more; the second loads the items. A few more keys are read
//! than are shown; where even they are too few, as at the end of what Redis has, the page is merged from
//! the posts of all connections in Postgres.
use std::sync::Arc;

use axum::extract::FromRef;
use secrecy::ExposeSecret;
use uuid::Uuid;

use super::cache::{BuildMark, CAPACITY, FeedCache, FeedLookup, FeedPart, TIMEOUT};
use super::merge::models::{self as merge, PlanMode};
use super::models::{HomeQuery, select_newest, select_oldest};
use super::pages::Place;
use super::settings::FeedSettings;
use crate::core::app::App;
use crate::core::ground::redis::RedisAddress;

/// Keys that are read beyond those that are shown, for posts that the reader does not see any more.
const SPARE: i64 = 16;
/// How long a merge may take, in milliseconds.
const MERGE_TIMEOUT: u32 = 2_000;

/// What the handlers and workers of feeds work with.
#[derive(Clone)]
pub struct Feeds {
    pub app: App,
    pub cache: Arc<FeedCache>,
    pub settings: FeedSettings,
}

impl FromRef<Feeds> for App {
    fn from_ref(feeds: &Feeds) -> Self {
        feeds.app.clone()
    }
}

impl Feeds {
    /// Feeds in the Redis of the settings, which is connected to on first use.
    pub fn open(app: &App, settings: FeedSettings) -> anyhow::Result<Self> {
        let url = settings.feed_redis_url.as_ref().unwrap_or(&app.settings.redis_url);
        let redis = url.expose_secret().parse::<RedisAddress>()?.open(TIMEOUT);
        Ok(Self { app: app.clone(), cache: Arc::new(FeedCache::new(redis, app.redis.clone())), settings })
    }

    /// The keys of a reader's home feed from a place on, in its direction.
    pub async fn home_keys(&self, reader: Uuid, place: Place, rows: i64) -> sqlx::Result<Vec<Uuid>> {
        let asked = rows + SPARE;
        let (keys, source) = match self.cache.read(reader, place, asked).await {
            Some(FeedLookup::Part(part)) => (self.keys_of_part(reader, place, rows, &part).await?, "redis"),
            Some(FeedLookup::Missing(mark)) => {
                let part = self.build(reader, &mark, place, rows).await?;
                (is_sufficient(&part, place, rows).then_some(part.keys), "build")
            }
            None => (None, "posts"),
        };
        let source = if keys.is_some() { source } else { "posts" };
        metrics::counter!("feed_pages_total", "source" => source).increment(1);
        match keys {
            Some(keys) => Ok(keys),
            None => self.merge(reader, place, rows).await,
        }
    }

    /// The keys of a page by what Redis has of it; none when that is not enough for a page.
    async fn keys_of_part(
        &self,
        reader: Uuid,
        place: Place,
        rows: i64,
        part: &FeedPart,
    ) -> sqlx::Result<Option<Vec<Uuid>>> {
        if !part.joins(place) {
            return Ok(None);
        }
        // Beyond the last key that was read there may be more, so that posts of other authors are taken up to it only.
        let is_end = part.keys.len() < usize::try_from(rows + SPARE).unwrap_or(usize::MAX);
        let is_complete = is_end && (part.whole || matches!(place, Place::After(_)));
        if is_end && !is_complete && part.keys.len() < usize::try_from(rows).unwrap_or(usize::MAX) {
            return Ok(None);
        }
        let end = part.keys.last().copied().filter(|_| !is_complete);
        let keys = self.select(reader, place, rows, &part.keys, end).await?;
        let is_enough = is_complete || i64::try_from(keys.len()).unwrap_or(i64::MAX) >= rows;
        Ok(is_enough.then_some(keys))
    }

    /// Selects a page of keys that Redis gave, and of posts that are in no feed, up to an end where there is one.
    async fn select(
        &self,
        reader: Uuid,
        place: Place,
        rows: i64,
        given: &[Uuid],
        end: Option<Uuid>,
    ) -> sqlx::Result<Vec<Uuid>> {
        let query = |above, below| HomeQuery { reader, above, below, rows };
        let db = &self.app.db;
        match place {
            Place::Before(key) => select_newest(db, given, query(end.unwrap_or(Uuid::nil()), key)).await,
            Place::After(key) => select_oldest(db, given, query(key, end.unwrap_or(Uuid::max()))).await,
        }
    }

    /// Merges a page of keys from the posts of all connections.
    async fn merge(&self, reader: Uuid, place: Place, rows: i64) -> sqlx::Result<Vec<Uuid>> {
        let query = |above, below| HomeQuery { reader, above, below, rows };
        let mut tx = merge::begin(&self.app.db, MERGE_TIMEOUT, PlanMode::Auto).await?;
        let keys = match place {
            Place::Before(key) => merge::list_newest(&mut tx, query(Uuid::nil(), key)).await?,
            Place::After(key) => merge::list_oldest(&mut tx, query(key, Uuid::max())).await?,
        };
        tx.commit().await?;
        Ok(keys)
    }

    /// Builds a reader's feed from Postgres, keeps it in Redis, and returns the part that was asked for.
    async fn build(&self, reader: Uuid, mark: &BuildMark, place: Place, rows: i64) -> sqlx::Result<FeedPart> {
        let mut tx = merge::begin(&self.app.db, MERGE_TIMEOUT, PlanMode::Auto).await?;
        let query = HomeQuery { reader, above: Uuid::nil(), below: Uuid::max(), rows: CAPACITY + 1 };
        let mut keys = merge::list_newest(&mut tx, query).await?;
        let brief = merge::has_more_connections(&mut tx, reader, self.settings.feed_many_connections).await?;
        tx.commit().await?;
        let capacity = usize::try_from(CAPACITY).unwrap_or(usize::MAX);
        let whole = keys.len() <= capacity;
        keys.truncate(capacity);
        self.cache.finish(reader, mark, &keys, whole, brief).await;
        Ok(FeedPart::of(&keys, whole, place, usize::try_from(rows).unwrap_or(usize::MAX)))
    }
}

/// Whether a part whose keys are all seen by the reader is a page, or the end of the feed.
fn is_sufficient(part: &FeedPart, place: Place, rows: i64) -> bool {
    let is_full = i64::try_from(part.keys.len()).unwrap_or(i64::MAX) >= rows;
    part.joins(place) && (is_full || part.whole || matches!(place, Place::After(_)))
}
