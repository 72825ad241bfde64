//! Home feeds, and explore. As home feeds are read they have exactly the posts of a recount, in its order (`checks.sql`). Those in
//! Redis, from which they are read, miss no post that their readers must find; what is in one too many the service leaves out of each
//! page.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};
use rand::SeedableRng;
use rand::rngs::StdRng;
use reqwest::{Method, Url};
use serde_json::Value;

use crate::proof::chaos::promises::{Expected, Outcome, Promises};
use crate::proof::chaos::violation::{Violation, ViolationKind};
use crate::proof::chaos::workload::{UserRequest, Workload};
use crate::proof::redis::RedisInspector;
use crate::servers::psql;
use crate::system::ENGAGEMENT;

/// How many users read their feeds: those who came last, whose access tokens are still good.
const READERS: usize = 100;

/// The keys of posts, in hexadecimal digits, by reader.
pub type Feeds = BTreeMap<String, BTreeSet<String>>;

/// Has users read their home feeds and explore, now that nothing changes any more: the last of the run, and one who is there for certain
/// and neither muted nor banned, with the access token. What could not be read is a violation, and that no home feed had a post; of
/// explore there may be no list since the first post of a short run.
pub async fn read(workload: &Workload, seed: u64, guest: (String, String)) -> Vec<Violation> {
    let mut dice = StdRng::seed_from_u64(seed);
    let mut sessions = readers(&workload.promises());
    sessions.push(guest);
    let (mut feeds, mut explored, mut violations) = (BTreeMap::new(), BTreeMap::new(), Vec::new());
    for (person, token) in &sessions {
        for (what, path, read) in
            [("read feed", "/me/feed?limit=200", &mut feeds), ("explore", "/feed/explore?limit=200", &mut explored)]
        {
            let (method, path, caller) = (Method::GET, path.to_owned(), Some((&**person, &**token)));
            let request = UserRequest { what, service: &ENGAGEMENT, method, path, caller, body: None };
            match workload.ask(&mut dice, request).await {
                Outcome::Ok(Value::Array(items)) => {
                    let posts = items.iter().filter_map(|item| item["id"].as_str().map(str::to_owned));
                    read.insert(person.clone(), posts.collect::<Vec<_>>());
                }
                // A user who is banned reads none; that no other is refused like this is one of the checks.
                Outcome::Refused(401) => {}
                outcome => violations.push(unread(what, person, &outcome)),
            }
        }
    }
    violations.extend(empty(&feeds));
    let mut promises = workload.promises();
    (promises.feeds, promises.explored) = (feeds, explored);
    violations
}

/// A reader who is there was not answered as such.
fn unread(what: &str, person: &str, outcome: &Outcome) -> Violation {
    Violation::new(ViolationKind::Lost, format!("the answer to {what} of {person}, which was {outcome:?}"))
}

/// No reader has found a post in their home feed: whatever is checked of them, nothing was.
fn empty(feeds: &BTreeMap<String, Vec<String>>) -> Option<Violation> {
    let is_empty = feeds.values().all(Vec::is_empty);
    is_empty.then(|| Violation::new(ViolationKind::Lost, "every post of every home feed"))
}

/// The last users who are there for certain, with their access tokens.
fn readers(promises: &Promises) -> Vec<(String, String)> {
    let is_there = |(person, _): &&(String, String)| promises.accounts.get(person) == Some(&Expected::Present);
    promises.sessions.iter().rev().filter(is_there).take(READERS).cloned().collect()
}

/// The posts of each reader, as the script whose beginning this is recounts them.
pub async fn expected(url: &Url, beginning: &str) -> Result<Feeds> {
    let sql = "select replace(reader::text, '-', '') || ' ' || replace(key::text, '-', '') from feed_recount;";
    let rows = psql::run(url, &format!("{beginning}{sql}")).await.context("the posts of feeds cannot be read")?;
    let mut feeds = Feeds::new();
    for row in rows.lines() {
        let (reader, key) = row.split_once(' ').with_context(|| format!("{row} is no post of a feed"))?;
        feeds.entry(reader.to_owned()).or_default().insert(key.to_owned());
    }
    Ok(feeds)
}

/// What is missing in the feeds that Redis keeps.
pub async fn missing(redis: &mut RedisInspector, expected: &Feeds) -> Result<Vec<Violation>> {
    Ok(compare(expected, &redis.feeds().await?))
}

fn compare(expected: &Feeds, kept: &Feeds) -> Vec<Violation> {
    let mut violations = Vec::new();
    for (reader, kept) in kept {
        let must = expected.get(reader).into_iter().flatten();
        let lost = must.filter(|key| !kept.contains(*key));
        violations.extend(lost.map(|key| {
            Violation::new(ViolationKind::Lost, format!("the post with the key {key} in the feed of {reader}"))
        }));
    }
    violations
}

#[cfg(test)]
mod tests {
    use super::*;

    fn feeds(all: &[(&str, &[&str])]) -> Feeds {
        let keys = |keys: &[&str]| keys.iter().map(|key| (*key).to_owned()).collect();
        all.iter().map(|(reader, feed)| ((*reader).to_owned(), keys(feed))).collect()
    }

    #[test]
    fn the_last_users_who_are_there_read_their_feeds() {
        let mut promises = Promises::default();
        for (person, expected) in [("a", Expected::Present), ("b", Expected::Absent), ("c", Expected::Present)] {
            promises.accounts.insert(person.to_owned(), expected);
            promises.sessions.push((person.to_owned(), "token".to_owned()));
        }
        let readers: Vec<_> = readers(&promises).into_iter().map(|(person, _)| person).collect();
        assert_eq!(readers, ["c", "a"]);
    }

    #[test]
    fn feeds_without_a_post_are_a_violation_and_so_is_an_answer_that_a_reader_cannot_get() {
        let read = |posts: &[&str]| {
            let posts = posts.iter().map(|post| (*post).to_owned()).collect::<Vec<_>>();
            BTreeMap::from([("ada".to_owned(), Vec::new()), ("bob".to_owned(), posts)])
        };
        assert_eq!(empty(&read(&["1"])), None);
        for feeds in [read(&[]), BTreeMap::new()] {
            assert_eq!(empty(&feeds).unwrap().to_string(), "lost: every post of every home feed");
        }
        let unread = unread("explore", "ada", &Outcome::Refused(403)).to_string();
        assert_eq!(unread, "lost: the answer to explore of ada, which was Refused(403)");
    }

    #[test]
    fn a_post_that_is_missing_in_a_feed_that_is_kept_is_found() {
        let expected = feeds(&[("ada", &["1", "2"]), ("bob", &["1"]), ("cyd", &["3"])]);
        let found = compare(&expected, &feeds(&[("ada", &["1", "2", "9"]), ("bob", &["2"]), ("dan", &["4"])]));
        let found: Vec<_> = found.iter().map(ToString::to_string).collect();
        assert_eq!(found, ["lost: the post with the key 1 in the feed of bob"]);
    }
}
