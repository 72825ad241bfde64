//! Random histories against an oracle: what people read and are notified of follows from what happened, in whatever order the
//! streams are consumed and however often an event comes.
//!
//! A history is a few people who connect, write, publish, edit, archive, delete, react to posts and comments, comment, reply, name each
//! other, block, mute, hide and leave at random, and moderation, which hides, restores, limits and labels.
//! The oracle is the state itself, kept in the simplest way: sets and lists. The events of all histories are put into the streams,
//! each stream in its own order and the streams in any, some events again later. Reads, mutes and hides come in between, so that
//! feeds are built from half of the truth and have to follow the rest. In the end every person's feed and notifications are those
//! of the oracle.
mod oracle;

use std::collections::{BTreeMap, VecDeque};

use clap::FromArgMatches;
use rand::rngs::StdRng;
use rand::seq::{IndexedRandom, IteratorRandom};
use rand::{RngExt, SeedableRng};
use serde_json::Value;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use uuid::Uuid;

use self::oracle::{Call, Groups, History};
use crate::SERVICE;
use crate::core::ground::worker::{Outcome, Worker};
use crate::core::testing::Platform;
use crate::feeds::Feeds;
use crate::feeds::fan_out::schedulers::FeedWorker;
use crate::people::events::USER_UPDATED;
use crate::settings::Settings;

/// Histories of each of two tests, which share the cores, and the steps of each.
const HISTORIES: usize = 250;
const STEPS: usize = 30;
/// The most events of a stream that are consumed in a row.
const BURST: usize = 400;
/// People who read between two bursts.
const READERS: usize = 12;

/// What waits in the streams, and what was consumed of them.
struct Streams {
    waiting: BTreeMap<&'static str, VecDeque<Value>>,
    consumed: Vec<(&'static str, Value)>,
}

impl Streams {
    /// The events of all histories: each history's in its order, next to those of others at random.
    fn of(histories: &[History], dice: &mut StdRng) -> Self {
        let mut waiting: BTreeMap<&'static str, VecDeque<Value>> = BTreeMap::new();
        let mut rest: Vec<_> = histories.iter().map(|history| history.events.iter()).collect();
        while !rest.is_empty() {
            let place = dice.random_range(0..rest.len());
            match rest[place].next() {
                Some((stream, message)) => waiting.entry(stream).or_default().push_back(message.clone()),
                None => drop(rest.swap_remove(place)),
            }
        }
        Self { waiting, consumed: Vec::new() }
    }

    /// Consumes some events of a stream, and some that came before, once more; false when nothing waits.
    async fn consume(&mut self, platform: &Platform, dice: &mut StdRng) -> bool {
        self.waiting.retain(|_, events| !events.is_empty());
        let Some((stream, events)) = self.waiting.iter_mut().choose(dice) else { return false };
        let mut pipeline = redis::pipe();
        let burst = dice.random_range(1..=BURST.min(events.len()));
        let fresh: Vec<_> = events.drain(..burst).map(|message| (*stream, message)).collect();
        let again: Vec<_> = (0..burst / 8).filter_map(|_| self.consumed.choose(dice).cloned()).collect();
        let mut streams = vec![*stream];
        for (stream, message) in fresh.iter().chain(&again) {
            pipeline.xadd(stream, "*", &[("message", message.to_string()), ("type", "json".to_owned())]).ignore();
            streams.push(stream);
        }
        let () = pipeline.query_async(&mut platform.app.redis.clone()).await.unwrap();
        streams.sort_unstable();
        streams.dedup();
        for stream in streams {
            platform.consume_waiting(stream).await;
        }
        self.consumed.extend(fresh);
        true
    }
}

/// Lets the service know all people by their names.
async fn introduce(platform: &Platform, histories: &[History]) {
    let mut pipeline = redis::pipe();
    for message in histories.iter().flat_map(|history| &history.named) {
        pipeline.xadd(USER_UPDATED, "*", &[("message", message.to_string()), ("type", "json".to_owned())]).ignore();
    }
    let () = pipeline.query_async(&mut platform.app.redis.clone()).await.unwrap();
    platform.consume_waiting(USER_UPDATED).await;
}

/// Makes the next call of each of some histories. One that is refused is made again later: what it is about may not be known yet.
async fn call_some(platform: &Platform, histories: &mut [History], calls: usize, dice: &mut StdRng) {
    for _ in 0..calls {
        let Some(history) = histories.iter_mut().filter(|history| !history.calls.is_empty()).choose(dice) else {
            return;
        };
        let Call { by, method, path } = history.calls[0].clone();
        let reply = platform.call(method, &path, Some(&by.to_string()), None).await;
        if reply.status.is_success() {
            history.calls.remove(0);
        }
        assert!(reply.status.is_success() || reply.status == 404, "{method} {path}: {reply:?}");
    }
}

#[sqlx::test(migrations = false)]
async fn what_people_find_is_what_happened_in_every_order(_: PgPoolOptions, database: PgConnectOptions) {
    play(seed(), database).await;
}

#[sqlx::test(migrations = false)]
async fn what_other_people_find_is_what_happened_in_every_order(_: PgPoolOptions, database: PgConnectOptions) {
    play(seed().wrapping_add(1), database).await;
}

/// A random seed, or the one that is to be played again: `HISTORIES_SEED=1 cargo stack test -p engagement-service histories`.
fn seed() -> u64 {
    let seed = option_env!("HISTORIES_SEED").map_or_else(rand::random, |seed| seed.parse().unwrap());
    // Before all else: whatever fails, the test runner shows it.
    eprintln!("HISTORIES_SEED={seed}");
    seed
}

/// Plays the histories of a seed.
async fn play(seed: u64, database: PgConnectOptions) {
    let mut dice = StdRng::seed_from_u64(seed);
    // Some authors are big, and some readers have many connections.
    let platform =
        Platform::start(&SERVICE, database, &["--feed-big-author", "3", "--feed-many-connections", "3"]).await;
    let settings = Settings::from_arg_matches(&platform.settings()).unwrap();
    let mut worker = FeedWorker(Feeds::open(&platform.app, settings.feeds).unwrap());
    let mut histories: Vec<History> = (0..HISTORIES).map(|_| History::play(&mut dice, STEPS)).collect();
    introduce(&platform, &histories).await;
    let mut streams = Streams::of(&histories, &mut dice);
    while streams.consume(&platform, &mut dice).await {
        call_some(&platform, &mut histories, 8, &mut dice).await;
        for _ in 0..READERS {
            let reader = histories.choose(&mut dice).unwrap().people.choose(&mut dice).unwrap().to_string();
            let reply = platform.call("GET", "/me/feed", Some(&reader), None).await;
            assert_eq!(reply.status, 200, "seed {seed}: {reply:?}");
        }
        for _ in 0..dice.random_range(0..40) {
            worker.step().await.unwrap();
        }
    }
    for history in &mut histories {
        for Call { by, method, path } in std::mem::take(&mut history.calls) {
            let reply = platform.call(method, &path, Some(&by.to_string()), None).await;
            let post = path.trim_start_matches("/posts/").trim_end_matches("/hide");
            assert!(reply.status.is_success() || !history.finds(by, post), "seed {seed}: {path}: {reply:?}");
        }
    }
    for person in histories.iter().flat_map(History::left) {
        platform.erase(person).await;
    }
    while worker.step().await.unwrap() == Outcome::Busy {}
    for (number, history) in histories.iter().enumerate() {
        for (place, person) in history.people.iter().enumerate().filter(|(place, _)| history.is_here(*place)) {
            let what = format!("seed {seed}, history {number}, person {place} ({person})");
            assert_eq!(feed(&platform, *person).await, history.feed(place), "{what}");
            assert_eq!(notifications(&platform, *person).await, history.notifications(place), "{what}");
        }
    }
}

/// The posts of a reader's feed, with their labels.
async fn feed(platform: &Platform, reader: Uuid) -> Vec<(Uuid, Vec<String>)> {
    let reply = platform.call("GET", "/me/feed", Some(&reader.to_string()), None).await;
    let items: Vec<Value> = serde_json::from_value(reply.body).unwrap();
    let labels =
        |item: &Value| item.get("labels").map_or_else(Vec::new, |all| serde_json::from_value(all.clone()).unwrap());
    items.iter().map(|item| (serde_json::from_value(item["id"].clone()).unwrap(), labels(item))).collect()
}

async fn notifications(platform: &Platform, recipient: Uuid) -> Groups {
    let reply = platform.call("GET", "/me/notifications", Some(&recipient.to_string()), None).await;
    let mut groups = Groups::new();
    for item in serde_json::from_value::<Vec<Value>>(reply.body).unwrap() {
        // Levels follow from activity alone, and have tests of their own.
        let kinds = [
            "POST_COMMENT_RECEIVED",
            "POST_REACTION_RECEIVED",
            "USER_CONNECTED",
            "USER_MENTIONED",
            "COMMENT_REPLY",
            "COMMENT_REACTION_RECEIVED",
        ];
        let Some(kind) = kinds.into_iter().find(|kind| item["type"] == *kind) else { continue };
        let post: Option<Uuid> = serde_json::from_value(item["post"]["id"].clone()).unwrap();
        let actors = item["actors"].as_array().unwrap().iter();
        let actors = actors.map(|actor| serde_json::from_value(actor["id"].clone()).unwrap()).collect();
        assert_eq!(item["total_actors"], item["actors"].as_array().unwrap().len());
        assert!(groups.insert((kind, post), actors).is_none(), "two groups of {kind} about {post:?}");
    }
    groups
}
