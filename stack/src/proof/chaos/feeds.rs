//! The feeds in Redis, from which home feeds are read: none misses a post that its reader must find. What is in one too many is
//! left out by the service when a page is read.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};
use reqwest::Url;

use crate::proof::chaos::violation::{Violation, ViolationKind};
use crate::proof::redis::RedisInspector;
use crate::servers::psql;

/// The keys of posts, in hexadecimal digits, by reader.
pub type Feeds = BTreeMap<String, BTreeSet<String>>;

/// The posts of each reader's connections and their own, recounted from the services that own connections and posts.
pub async fn expected(url: &Url) -> Result<Feeds> {
    let sql = "with reads as (
            select user_id as reader, target_id as author from auth.connection union all select id, id from auth.account
        )
        select replace(reader::text, '-', '') || ' ' || replace(engagement.feed_key(id, published_at)::text, '-', '')
        from reads join post.post on created_by = author
        where status = 'POSTED' and hidden_at is null and published_at is not null;";
    let rows = psql::run(url, sql).await.context("the posts of feeds cannot be read")?;
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
    fn a_post_that_is_missing_in_a_feed_that_is_kept_is_found() {
        let expected = feeds(&[("ada", &["1", "2"]), ("bob", &["1"]), ("cyd", &["3"])]);
        let found = compare(&expected, &feeds(&[("ada", &["1", "2", "9"]), ("bob", &["2"]), ("dan", &["4"])]));
        let found: Vec<_> = found.iter().map(ToString::to_string).collect();
        assert_eq!(found, ["lost: the post with the key 1 in the feed of bob"]);
    }
}
