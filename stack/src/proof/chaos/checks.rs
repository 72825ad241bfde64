//! The checks after a run: what was promised, and what must agree, queried from all five schemas in one snapshot.
//!
//! `checks.sql` has them; `views.sql` has what they query beside the services' own tables and the promises.

use std::fmt::Write as _;

use anyhow::{Context, Result};
use reqwest::Url;

use crate::proof::chaos::metrics::StreamSubscription;
use crate::proof::chaos::promises::{Expected, INSULT, PromisedBulk, Promises};
use crate::proof::chaos::violation::{Statement, Violation};
use crate::servers::psql;

/// Rows shown of one check; the rest is counted.
const SHOWN: usize = 20;

/// All checks.
pub fn all() -> Result<Vec<Statement>> {
    Statement::parse_all(include_str!("checks.sql"))
}

/// The beginning of every script of checks: the views, and the promises as tables.
pub fn beginning(subscriptions: &[StreamSubscription], promises: &Promises) -> String {
    views(subscriptions) + &tables(promises)
}

/// Everything that is wrong in the database.
pub async fn database(url: &Url, beginning: &str) -> Result<Vec<Violation>> {
    let checks = all()?;
    let mut script = beginning.to_owned();
    for (number, check) in checks.iter().enumerate() {
        writeln!(script, "select '{number} ' || what from ({}) as found (what);", check.sql)?;
    }
    let rows = psql::run(url, &script).await.context("the checks cannot be made")?;
    let mut violations = Vec::new();
    for (number, check) in checks.iter().enumerate() {
        let found: Vec<&str> = rows.lines().filter_map(|row| row.strip_prefix(&format!("{number} "))).collect();
        violations.extend(found.iter().take(SHOWN).map(|what| Violation::new(check.kind, *what)));
        if found.len() > SHOWN {
            violations.push(Violation::new(check.kind, format!("… and {} more like that", found.len() - SHOWN)));
        }
    }
    Ok(violations)
}

/// What has not been applied everywhere; nothing when the platform has settled.
pub async fn behind(url: &Url, subscriptions: &[StreamSubscription]) -> Result<Vec<String>> {
    let script = format!("{}select * from behind;\n", views(subscriptions));
    let rows = psql::run(url, &script).await.context("the services that are behind cannot be queried")?;
    Ok(rows.lines().map(str::to_owned).collect())
}

/// The number of events in all five outboxes.
pub async fn count_events(url: &Url) -> Result<u64> {
    let rows = psql::run(url, &format!("{}select count(*) from published;\n", views(&[]))).await?;
    rows.trim().parse().with_context(|| format!("{rows:?} is not a number of events"))
}

/// The views, in a transaction that sees one moment and is never committed.
fn views(subscriptions: &[StreamSubscription]) -> String {
    let rows = subscriptions.iter().map(|StreamSubscription { noun, stream }| format!(", ('{noun}', '{stream}')"));
    format!(
        "\\set insult '{INSULT}'
        begin isolation level repeatable read;
        set local client_min_messages = warning;
        create temp view subscriptions as
        select * from (values (null, null){}) as subscribed (noun, stream) where noun is not null;
        {}",
        rows.collect::<String>(),
        include_str!("views.sql")
    )
}

/// The promises as tables of this session.
fn tables(promises: &Promises) -> String {
    let mut sql = String::new();
    let mut table = |name: &str, columns: &str, rows: Vec<String>| {
        writeln!(sql, "create temp table {name} ({columns});").unwrap_or_default();
        for rows in rows.chunks(1_000) {
            writeln!(sql, "insert into {name} values {};", rows.join(", ")).unwrap_or_default();
        }
    };
    let account = |(id, expected): (&String, &Expected)| format!("('{id}', {})", there(*expected));
    table("promised_account", "id uuid, there boolean", promises.accounts.iter().map(account).collect());
    table("promised_link", "id uuid, there boolean", promises.links.iter().map(account).collect());
    let sharing = promises.sharing.iter().filter_map(|(person, known)| Some(format!("('{person}', {})", (*known)?)));
    table("promised_sharing", "person uuid, shared boolean", sharing.collect());
    let relations = promises.relations.iter().filter_map(|((relation, from, to), known)| {
        known.map(|there| format!("('{}', '{from}', '{to}', {there})", relation.name()))
    });
    table("promised_relation", "kind text, user_id uuid, target_id uuid, there boolean", relations.collect());
    let posts = promises.posts.iter().map(|(id, post)| {
        let status = post.status.map_or("null".to_owned(), |status| format!("'{status}'"));
        format!("('{id}', {}, {status}, {})", there(post.expected), post.insult)
    });
    table("promised_post", "id uuid, there boolean, status text, insult boolean", posts.collect());
    for (name, answers) in [("promised_comment", &promises.comments), ("promised_reaction", &promises.reactions)] {
        let rows = answers
            .iter()
            .map(|(id, answer)| format!("('{id}', '{}', {}, {})", answer.post, there(answer.expected), answer.insult));
        table(name, "id uuid, post_id uuid, there boolean, insult boolean", rows.collect());
    }
    let denied = promises.denied.iter().map(|(what, id, person)| format!("('{what}', '{id}', '{person}')"));
    table("denied", "what text, id uuid, person uuid", denied.collect());
    let restricted = promises.restricted.iter().map(|(person, status)| format!("('{person}', {status})"));
    table("restricted", "person uuid, status integer", restricted.collect());
    table("claimed_twice", "id uuid", promises.claimed_twice.iter().map(|id| format!("('{id}')")).collect());
    let schedules = promises.schedules.iter().map(|(id, scheduled)| {
        let cancelled = scheduled.cancelled.map_or("null".to_owned(), |cancelled| cancelled.to_string());
        format!("('{id}', '{}', {cancelled})", scheduled.author)
    });
    table("promised_schedule", "id uuid, author uuid, cancelled boolean", schedules.collect());
    let bulk = |bulk: &PromisedBulk| format!("('{}', '{}', {})", bulk.moderator, bulk.key, bulk.subjects);
    table("promised_bulk", "moderator uuid, key text, subjects bigint", promises.bulks.iter().map(bulk).collect());
    for (name, feeds) in [("read_feed", &promises.feeds), ("read_explore", &promises.explored)] {
        let rows = feeds.iter().map(|(reader, posts)| format!("('{reader}', '{{{}}}')", posts.join(",")));
        table(name, "reader uuid, posts uuid[]", rows.collect());
    }
    let tallies = promises.tallies.iter().map(|((person, action), tally)| {
        format!("('{person}', '{}', {}, {})", action.stream(), tally.ok, tally.unknown)
    });
    table("tally", "person text, stream text, ok bigint, unknown bigint", tallies.collect());
    sql
}

fn there(expected: Expected) -> &'static str {
    match expected {
        Expected::Present => "true",
        Expected::Absent => "false",
        Expected::Unknown => "null",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::proof::chaos::promises::{CountedAction, Outcome, PromisedSchedule};
    use crate::proof::chaos::relations::Relation;

    #[test]
    fn a_promise_is_a_row_and_what_is_unknown_is_null() {
        let mut promises = Promises::default();
        promises.accounts.insert("a".to_owned(), Expected::Present);
        promises.accounts.insert("b".to_owned(), Expected::Unknown);
        promises.tally("a", CountedAction::View, &Outcome::Unknown);
        promises.related(Relation::Mute, ("a", "b"), true, &Outcome::Ok(Value::Null));
        promises.feeds.insert("a".to_owned(), vec!["p".to_owned(), "q".to_owned()]);
        promises.feeds.insert("b".to_owned(), Vec::new());
        promises.explored.insert("a".to_owned(), vec!["r".to_owned()]);
        let scheduled = PromisedSchedule { author: "a".to_owned(), cancelled: None };
        promises.schedules.insert("s".to_owned(), scheduled);
        promises.links.insert("l".to_owned(), Expected::Absent);
        promises.sharing.extend([("a".to_owned(), Some(true)), ("b".to_owned(), None)]);
        promises.bulks.push(PromisedBulk { moderator: "m".to_owned(), key: "k".to_owned(), subjects: 2 });
        let sql = tables(&promises);
        assert!(sql.contains("insert into promised_account values ('a', true), ('b', null);"), "{sql}");
        assert!(sql.contains("insert into tally values ('a', 'post_viewed', 0, 1);"), "{sql}");
        assert!(sql.contains("insert into promised_relation values ('mute', 'a', 'b', true);"), "{sql}");
        assert!(sql.contains("insert into read_feed values ('a', '{p,q}'), ('b', '{}');"), "{sql}");
        assert!(sql.contains("insert into read_explore values ('a', '{r}');"), "{sql}");
        assert!(sql.contains("insert into promised_schedule values ('s', 'a', null);"), "{sql}");
        assert!(sql.contains("insert into promised_link values ('l', false);"), "{sql}");
        assert!(sql.contains("insert into promised_sharing values ('a', true);"), "{sql}");
        assert!(sql.contains("insert into promised_bulk values ('m', 'k', 2);"), "{sql}");
        assert!(!sql.contains("insert into promised_post"), "no rows, no statement: {sql}");
    }

    #[test]
    fn checks_and_subscriptions_are_in_the_script() {
        let text = include_str!("checks.sql");
        let heads = ["-- lost\n", "-- doubled\n", "-- wrong\n"];
        assert_eq!(all().unwrap().len(), heads.iter().map(|head| text.matches(head).count()).sum::<usize>());
        let subscriptions = [StreamSubscription { noun: "post", stream: "post_viewed".to_owned() }];
        assert!(views(&subscriptions).contains("(values (null, null), ('post', 'post_viewed'))"));
    }
}
