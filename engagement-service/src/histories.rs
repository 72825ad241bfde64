//! Random histories against an oracle: what people read and are notified of follows from what happened, in whatever order the
//! streams are consumed and however often an event comes.
//!
//! A history is a few people who connect, write, publish, edit, archive, delete, react, comment, block, mute and hide at random.
//! The oracle is the state itself, kept in the simplest way: sets and lists. The events of all histories are put into the streams,
//! each stream in its own order and the streams in any, some events again later. Reads, mutes and hides come in between, so that
//! feeds are built from half of the truth and have to follow the rest. In the end every person's feed and notifications are those
//! of the oracle.
mod oracle;

use std::collections::{BTreeMap, VecDeque};

use rand::rngs::StdRng;
use rand::seq::{IndexedRandom, IteratorRandom};
use rand::{RngExt, SeedableRng};
use serde_json::Value;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use uuid::Uuid;

use self::oracle::{Call, Groups, History};
use crate::SERVICE;
use crate::core::testing::Platform;

/// Histories of a run, and the steps of each.
const HISTORIES: usize = 500;
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

/// Makes the next call of each of some histories. One that is refused is made again later: what it is about may not be known yet.
async fn call_some(platform: &Platform, histories: &mut [History], calls: usize, dice: &mut StdRng) {
    for _ in 0..calls {
        let Some(history) = histories.iter_mut().filter(|history| !history.calls.is_empty()).choose(dice) else { return };
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
    let seed = std::env::args().find_map(|_| option_env!("HISTORIES_SEED")).map_or_else(rand::random, |seed| seed.parse().unwrap());
    let mut dice = StdRng::seed_from_u64(seed);
    let platform = Platform::start(&SERVICE, database, &[]).await;
    let mut histories: Vec<History> = (0..HISTORIES).map(|_| History::play(&mut dice, STEPS)).collect();
    let mut streams = Streams::of(&histories, &mut dice);
    while streams.consume(&platform, &mut dice).await {
        call_some(&platform, &mut histories, 8, &mut dice).await;
        for _ in 0..READERS {
            let reader = histories.choose(&mut dice).unwrap().people.choose(&mut dice).unwrap().to_string();
            let reply = platform.call("GET", "/me/feed", Some(&reader), None).await;
            assert_eq!(reply.status, 200, "seed {seed}: {reply:?}");
        }
        work_some(&platform, &mut dice).await;
    }
    for history in &mut histories {
        for Call { by, method, path } in std::mem::take(&mut history.calls) {
            let reply = platform.call(method, &path, Some(&by.to_string()), None).await;
            let post = path.trim_start_matches("/posts/").trim_end_matches("/hide");
            assert!(reply.status.is_success() || !history.finds(by, post), "seed {seed}: {path}: {reply:?}");
        }
    }
    work_all(&platform).await;
    for (number, history) in histories.iter().enumerate() {
        for (place, person) in history.people.iter().enumerate() {
            let what = format!("seed {seed}, history {number}, person {place} ({person})");
            assert_eq!(feed(&platform, *person).await, history.feed(place), "{what}");
            assert_eq!(notifications(&platform, *person).await, history.notifications(place), "{what}");
        }
    }
}
