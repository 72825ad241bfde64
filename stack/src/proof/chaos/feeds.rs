//! Home feeds. As they are read they have exactly the posts of a recount, in its order (`checks.sql`). Those in Redis, from which they
//! are read, miss no post that their readers must find; what is in one too many the service leaves out of each page.

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

/// Has users read their home feeds, now that nothing changes any more.
pub async fn read(workload: &Workload, seed: u64) {
    let mut dice = StdRng::seed_from_u64(seed);
    let sessions = readers(&workload.promises());
    for (person, token) in sessions {
        let (method, path, caller) = (Method::GET, "/me/feed?limit=200".to_owned(), Some((&*person, &*token)));
        let request = UserRequest { what: "read feed", service: &ENGAGEMENT, method, path, caller, body: None };
        // A user who is banned reads none.
        let Outcome::Ok(Value::Array(items)) = workload.ask(&mut dice, request).await else { continue };
        let posts = items.iter().filter_map(|item| item["id"].as_str().map(str::to_owned));
        workload.promises().feeds.insert(person, posts.collect());
    }
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
    fn a_post_that_is_missing_in_a_feed_that_is_kept_is_found() {
        let expected = feeds(&[("ada", &["1", "2"]), ("bob", &["1"]), ("cyd", &["3"])]);
        let found = compare(&expected, &feeds(&[("ada", &["1", "2", "9"]), ("bob", &["2"]), ("dan", &["4"])]));
        let found: Vec<_> = found.iter().map(ToString::to_string).collect();
        assert_eq!(found, ["lost: the post with the key 1 in the feed of bob"]);
    }
}
