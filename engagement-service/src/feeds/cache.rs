//! Feeds in Redis: one sorted set per reader, whose members are the 16 bytes of posts' keys. All scores are 0, so that the set is in
//! the order of bytes, which is that of publication; and it is small enough for Redis to keep it as one packed list.
//!
//! The first member is the state of the set; no key of a post is as small. It says that a feed is being built, by a mark of its
//! own, or that it is there: whole, when the reader's feed has no older posts, or cut, when there are. Where there is no state
//! there is no feed, and the next read builds one. Whatever is in a set that is cut is the newest of the feed without a gap, so
//! a page that reaches its end goes on in Postgres.
//!
//! A build puts its mark first and reads the posts then, so that what is published in between is added to the set by a fan-out. It
//! ends by a script that takes effect only where the mark still is: a feed that was dropped meanwhile stays dropped.
//!
//! While Redis is away, feeds are read from Postgres, and nothing fails.
use std::pin::pin;
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures::{StreamExt, stream};
use rand::RngExt;
use redis::{RedisError, Script};
use uuid::Uuid;

use super::pages::Place;
use crate::core::ground::redis::Redis;

/// Posts that are kept of a feed: four pages of the largest size.
pub const CAPACITY: i64 = 800;
/// How long the feed of a reader is kept who does not come back.
const LIFETIME: Duration = Duration::from_hours(14 * 24);
/// How long that of a reader is kept who has very many connections: each of their posts would be a write for a reader who is away.
const BRIEF_LIFETIME: Duration = Duration::from_mins(10);
/// How long a build may take; the set of one that broke off vanishes then.
const BUILD_LIFETIME: Duration = Duration::from_secs(30);
/// How long Redis is waited for by a page; it answers in less than a millisecond.
pub const TIMEOUT: Duration = Duration::from_millis(250);
/// How long Redis is not asked after it did not answer, so that an outage delays one page in a while and not each.
const COOLDOWN: Duration = Duration::from_secs(1);
/// Feeds that one script changes. Redis does nothing else meanwhile: a few milliseconds.
const CHUNK: usize = 100;
/// The channel on which readers are named that have new posts: their ids, 16 bytes each.
const NEWS: &str = "feed:news";
/// The channel on which posts are named that are in no feed, but looked up by their readers: their ids, 16 bytes each.
const POSTS: &str = "feed:posts";

/// Six zeros and the kind: no time since 1970 is as small.
const BUILDING: [u8; 7] = [0, 0, 0, 0, 0, 0, 1];
const READY: [u8; 7] = [0, 0, 0, 0, 0, 0, 2];
/// Flags in the last byte of a feed that is ready.
const WHOLE: u8 = 1;
const BRIEF: u8 = 2;
/// Larger than every state, smaller than every key.
const LOWEST: [u8; 16] = [0, 0, 0, 0, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255];

/// Reads a part of a feed and keeps it alive, or begins its build. KEYS: the feed; ARGV: a mark, '<' or '>', the place, the lowest
/// key, how many, the lifetimes in ms: usual, brief, of a build. Answers the state, the lowest post, and the part.
static READ: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
        local feed = KEYS[1]
        local first = redis.call('ZRANGE', feed, 0, 1)
        if not first[1] then
            redis.call('ZADD', feed, 0, ARGV[1])
            redis.call('PEXPIRE', feed, ARGV[8])
            return {ARGV[1]}
        end
        if string.byte(first[1], 7) == 1 then
            return {first[1]}
        end
        local lifetime = tonumber(string.byte(first[1], 16) >= 2 and ARGV[7] or ARGV[6])
        -- Renewed now and then: a write for each read would fill the append-only file.
        if redis.call('PTTL', feed) < lifetime * 0.9 then
            redis.call('PEXPIRE', feed, lifetime)
        end
        local part
        if ARGV[2] == '<' then
            part = redis.call('ZRANGE', feed, '(' .. ARGV[3], '(' .. ARGV[4], 'BYLEX', 'REV', 'LIMIT', 0, ARGV[5])
        else
            part = redis.call('ZRANGE', feed, '(' .. ARGV[3], '+', 'BYLEX', 'LIMIT', 0, ARGV[5])
        end
        table.insert(part, 1, first[2] or '')
        table.insert(part, 1, first[1])
        return part
        ",
    )
});

/// Ends a build, unless the feed was dropped meanwhile. KEYS: the feed; ARGV: the mark, the state, the capacity, the lifetime in ms,
/// the keys.
static FINISH: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
        local feed, state, capacity = KEYS[1], ARGV[2], tonumber(ARGV[3])
        if not redis.call('ZSCORE', feed, ARGV[1]) then
            return 0
        end
        redis.call('ZREM', feed, ARGV[1])
        for key = 5, #ARGV do
            redis.call('ZADD', feed, 0, ARGV[key])
        end
        local over = redis.call('ZCARD', feed) - capacity
        if over > 0 then
            redis.call('ZREMRANGEBYRANK', feed, 0, over - 1)
            local flags = string.byte(state, 16)
            state = string.sub(state, 1, 15) .. string.char(flags - flags % 2)
        end
        redis.call('ZADD', feed, 0, state)
        redis.call('PEXPIRE', feed, ARGV[4])
        return 1
        ",
    )
});

/// Brings a post into feeds that exist, or out of them. KEYS: the feeds; ARGV: the capacity, the key that enters or nothing, the
/// number of those that leave, these, and the readers' ids. Answers how many feeds got it, and the ids of the readers to whom it is new,
/// one behind the other: of these feeds, and of those that do not exist, since a reader who has no feed now may have an open stream.
static SPREAD: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
        local capacity, enters, leaves = tonumber(ARGV[1]), ARGV[2], tonumber(ARGV[3])
        local added, news = 0, {}
        for place, feed in ipairs(KEYS) do
            local state = redis.call('ZRANGE', feed, 0, 0)[1]
            local is_new = enters ~= '' and not state
            for leaf = 4, state and 3 + leaves or 0 do
                redis.call('ZREM', feed, ARGV[leaf])
            end
            if state and enters ~= '' and redis.call('ZADD', feed, 0, enters) == 1 then
                local ready = string.byte(state, 7) == 2
                local flags = string.byte(state, 16)
                local over = redis.call('ZCARD', feed) - 1 - capacity
                local kept = true
                if ready and flags % 2 == 0 and redis.call('ZRANGE', feed, 1, 1)[1] == enters then
                    -- Older than all that is here: between the two may be posts that only Postgres has.
                    redis.call('ZREM', feed, enters)
                    kept = false
                elseif ready and over > 0 then
                    redis.call('ZREMRANGEBYRANK', feed, 1, over)
                    if flags % 2 == 1 then
                        redis.call('ZREM', feed, state)
                        redis.call('ZADD', feed, 0, string.sub(state, 1, 15) .. string.char(flags - 1))
                    end
                end
                if kept then
                    added = added + 1
                    is_new = true
                end
            end
            if is_new then
                news[#news + 1] = ARGV[3 + leaves + place]
            end
        end
        return {added, table.concat(news)}
        ",
    )
});

/// A part of a feed, from the place that was asked for on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeedPart {
    /// Its keys in the direction of the place.
    pub keys: Vec<Uuid>,
    /// Whether the reader's feed has no posts that are older than those in Redis.
    pub whole: bool,
    /// The oldest post in Redis.
    pub lowest: Option<Uuid>,
}

impl FeedPart {
    /// The part of a feed of which all keys are at hand, the newest first.
    pub fn of(keys: &[Uuid], whole: bool, place: Place, rows: usize) -> Self {
        let part = match place {
            Place::Before(key) => keys.iter().copied().filter(|found| *found < key).take(rows).collect(),
            Place::After(key) => keys.iter().copied().rev().filter(|found| *found > key).take(rows).collect(),
        };
        Self { keys: part, whole, lowest: keys.last().copied() }
    }

    /// Whether nothing is missing between the place and the first key of the part, or the end of the feed.
    pub fn joins(&self, place: Place) -> bool {
        match place {
            Place::Before(_) => self.whole || !self.keys.is_empty(),
            Place::After(key) => self.whole || self.lowest.is_some_and(|lowest| lowest <= key),
        }
    }
}

/// The mark of a build.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BuildMark(Vec<u8>);

/// What a read found.
#[derive(Debug)]
pub enum FeedLookup {
    Part(FeedPart),
    /// There is no feed: the caller is to build it.
    Missing(BuildMark),
}

/// The feeds.
pub struct FeedCache {
    redis: Redis,
    /// The Redis of the event streams, where live streams subscribe to news: the one of the feeds may be another server.
    news: Redis,
    /// Until when Redis is not asked.
    cooldown: Mutex<Option<Instant>>,
}

impl FeedCache {
    /// Feeds in one Redis, whose news are published in another, or the same.
    pub fn new(redis: Redis, news: Redis) -> Self {
        Self { redis, news, cooldown: Mutex::default() }
    }

    /// A part of a reader's feed; none while Redis is away.
    pub async fn read(&self, reader: Uuid, place: Place, rows: i64) -> Option<FeedLookup> {
        let mark = [&BUILDING[..], &rand::rng().random::<[u8; 9]>()].concat();
        let (direction, key) = match place {
            Place::Before(key) => ("<", key),
            // The state of the feed is larger than the smallest ids.
            Place::After(key) => (">", key.max(Uuid::from_bytes(LOWEST))),
        };
        let mut call = READ.key(name(reader));
        call.arg(&mark).arg(direction).arg(&key.as_bytes()[..]).arg(&LOWEST[..]).arg(rows);
        call.arg(millis(LIFETIME)).arg(millis(BRIEF_LIFETIME)).arg(millis(BUILD_LIFETIME));
        let mut redis = self.redis.clone();
        let answer = self.ask(call.invoke_async::<Vec<Vec<u8>>>(&mut redis)).await?;
        let mut members = answer.into_iter();
        let state = members.next()?;
        if state.get(..7) != Some(&READY[..]) {
            return Some(FeedLookup::Missing(BuildMark(state)));
        }
        let lowest = members.next().and_then(|key| Uuid::from_slice(&key).ok());
        let keys = members.filter_map(|key| Uuid::from_slice(&key).ok()).collect();
        let whole = state.last().is_some_and(|flags| flags & WHOLE != 0);
        Some(FeedLookup::Part(FeedPart { keys, whole, lowest }))
    }

    /// Ends a build. A feed that was dropped since it began stays dropped.
    pub async fn finish(&self, reader: Uuid, mark: &BuildMark, keys: &[Uuid], whole: bool, brief: bool) {
        let mut state = [&READY[..], &[0; 9]].concat();
        state[15] = if whole { WHOLE } else { 0 } | if brief { BRIEF } else { 0 };
        let mut call = FINISH.key(name(reader));
        call.arg(&mark.0).arg(&state).arg(CAPACITY);
        call.arg(millis(if brief { BRIEF_LIFETIME } else { LIFETIME }));
        for key in keys {
            call.arg(&key.as_bytes()[..]);
        }
        let mut redis = self.redis.clone();
        let outcome = match self.ask(call.invoke_async::<bool>(&mut redis)).await {
            Some(true) => "kept",
            Some(false) => "dropped",
            None => "unreachable",
        };
        metrics::counter!("feed_builds_total", "outcome" => outcome).increment(1);
    }

    /// Brings a post into the feeds of readers, and its former keys out of them, and publishes to which readers it is new. Fails while
    /// the Redis of the feeds is away.
    pub async fn spread(&self, readers: &[Uuid], enters: Option<Uuid>, leaves: &[Uuid]) -> Result<(), RedisError> {
        // In a cluster two feeds share no script, since they are on different servers; each has a call, and many are under way.
        let is_cluster = matches!(&self.redis, Redis::Shared(shared) if shared.is_cluster());
        let (feeds, at_once) = if is_cluster { (1, CHUNK) } else { (CHUNK, 1) };
        let calls: Vec<_> = readers.chunks(feeds).map(|readers| self.spread_among(readers, enters, leaves)).collect();
        let mut answers = pin!(stream::iter(calls).buffered(at_once).ready_chunks(CHUNK));
        while let Some(answers) = answers.next().await {
            // What was done before a failure is published, too: to be done again it is not new.
            let done: Vec<_> = answers.iter().filter_map(|answer| answer.as_ref().ok()).collect();
            metrics::counter!("feed_entries_added_total").increment(done.iter().map(|(added, _)| added).sum());
            let news: Vec<u8> = done.iter().flat_map(|(_, news)| news).copied().collect();
            if !news.is_empty() {
                self.publish(NEWS, &news).await;
            }
            answers.into_iter().try_for_each(|answer| answer.map(drop))?;
        }
        Ok(())
    }

    /// One call of [`SPREAD`]: how many feeds got the post, and the ids of the readers that have it newly.
    async fn spread_among(
        &self,
        readers: &[Uuid],
        enters: Option<Uuid>,
        leaves: &[Uuid],
    ) -> Result<(u64, Vec<u8>), RedisError> {
        let mut call = SPREAD.prepare_invoke();
        for reader in readers {
            call.key(name(*reader));
        }
        call.arg(CAPACITY).arg(enters.map_or(vec![], |key| key.as_bytes().to_vec()));
        call.arg(leaves.len());
        for id in leaves.iter().chain(readers) {
            call.arg(&id.as_bytes()[..]);
        }
        call.invoke_async(&mut self.redis.clone()).await
    }

    /// Publishes that there is a new post that readers look up: which of them have open streams is known where these are.
    pub async fn announce(&self, post: Uuid) {
        self.publish(POSTS, post.as_bytes()).await;
    }

    /// Publishes ids. An outage holds up no post: without it, readers find what is new when they look.
    async fn publish(&self, channel: &str, ids: &[u8]) {
        let mut publish = redis::cmd("PUBLISH");
        publish.arg(channel).arg(ids);
        let mut redis = self.news.clone();
        let cause = match tokio::time::timeout(TIMEOUT, publish.query_async::<u64>(&mut redis)).await {
            Ok(Ok(_)) => return,
            Ok(Err(cause)) => cause.to_string(),
            Err(late) => late.to_string(),
        };
        tracing::debug!(cause, "live streams are not woken for new posts");
    }

    /// Drops the feeds of readers. Fails while Redis is away.
    pub async fn drop_feeds(&self, readers: &[Uuid]) -> Result<(), RedisError> {
        let feeds: Vec<_> = readers.iter().map(|reader| name(*reader)).collect();
        redis::cmd("DEL").arg(&feeds).query_async(&mut self.redis.clone()).await
    }

    /// Which run of Redis it is: another one after a restart or a failover. Fails while Redis is away.
    pub async fn run_id(&self) -> Result<String, RedisError> {
        self.redis.clone().runs().await
    }

    /// The answer of Redis, if it comes in time.
    async fn ask<T>(&self, call: impl Future<Output = Result<T, RedisError>>) -> Option<T> {
        let cooldown = *self.cooldown.lock().unwrap_or_else(PoisonError::into_inner);
        if cooldown.is_some_and(|end| Instant::now() < end) {
            return None;
        }
        let cause = match tokio::time::timeout(TIMEOUT, call).await {
            Ok(Ok(answer)) => return Some(answer),
            Ok(Err(cause)) => cause.to_string(),
            Err(late) => late.to_string(),
        };
        tracing::warn!(cause, "feeds cannot be read from Redis; they are read from Postgres for a moment");
        *self.cooldown.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now() + COOLDOWN);
        None
    }
}

/// The key of a reader's feed.
fn name(reader: Uuid) -> String {
    format!("feed:{}", reader.simple())
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
