//! The checks after a run: what was promised, and what must agree, asked of all five schemas in one snapshot.
//!
//! Every check is a query that selects what is not as it must be, one row each with the ids that are needed to look for
//! the cause. No row, no violation.

mod counters;
mod effects;
mod events;
mod hashes;
mod promises;
mod tamper;

use std::{
    fmt::{self, Write as _},
    path::Path,
};

use anyhow::{Context, Result, bail};
use reqwest::Url;

use crate::proof::chaos::listeners::Listener;
use crate::proof::chaos::record::Record;
use crate::servers::roles;
use crate::system::{SERVICES, Service};

pub use hashes::{hashes, hashes_differ};
pub use tamper::{Tampered, tamper};

/// Rows shown of one check; the rest is counted.
const SHOWN: usize = 20;

/// In which way something is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Something that was promised, or follows from it, is not there.
    Lost,
    /// Something is there more often than it happened.
    Doubled,
    /// Anything else that must not be.
    Wrong,
}

/// One thing that is not as it must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    pub kind: Kind,
    /// With ids.
    pub what: String,
}

impl Violation {
    pub fn new(kind: Kind, what: impl Into<String>) -> Violation {
        Violation { kind, what: what.into() }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            Kind::Lost => "lost",
            Kind::Doubled => "doubled",
            Kind::Wrong => "wrong",
        };
        write!(f, "{kind}: {}", self.what)
    }
}

/// A query of one text column.
struct Check {
    kind: Kind,
    sql: String,
}

fn check(kind: Kind, sql: impl Into<String>) -> Check {
    Check { kind, sql: sql.into() }
}

fn all() -> Vec<Check> {
    [events::checks(), promises::checks(), counters::checks(), effects::checks()].into_iter().flatten().collect()
}

/// What all checks ask about: views over the services' tables, and the promises.
pub fn beginning(listeners: &[Listener], record: &Record) -> String {
    preamble(listeners) + &promises::tables(record)
}

/// All that is wrong in the database, which begins as `beginning` has it.
pub async fn database(psql: &Path, url: &Url, beginning: &str) -> Result<Vec<Violation>> {
    let mut script = beginning.to_owned();
    for (number, check) in all().iter().enumerate() {
        writeln!(script, "select '{number} ' || what from ({}) as found (what);", check.sql)?;
    }
    let rows = roles::run(psql, url, &script).await.context("the checks cannot be made")?;
    let mut violations = Vec::new();
    for (number, check) in all().iter().enumerate() {
        let found: Vec<&str> = rows.lines().filter_map(|row| row.strip_prefix(&format!("{number} "))).collect();
        violations.extend(found.iter().take(SHOWN).map(|what| Violation::new(check.kind, *what)));
        if found.len() > SHOWN {
            violations.push(Violation::new(check.kind, format!("… and {} more like that", found.len() - SHOWN)));
        }
    }
    Ok(violations)
}

/// Who has not applied what; nobody when all is quiet.
pub async fn behind(psql: &Path, url: &Url, listeners: &[Listener]) -> Result<Vec<String>> {
    let script = format!("{}select * from behind;\n", preamble(listeners));
    let rows = roles::run(psql, url, &script).await.context("nobody says who is behind")?;
    Ok(rows.lines().map(str::to_owned).collect())
}

/// How many events there are, in all five outboxes.
pub async fn events(psql: &Path, url: &Url) -> Result<u64> {
    let rows = roles::run(psql, url, &format!("{}select count(*) from told;\n", preamble(&[]))).await?;
    match rows.trim().parse() {
        Ok(events) => Ok(events),
        Err(_) => bail!("{rows:?} is no number of events"),
    }
}

/// Views over all schemas, in a transaction that sees one moment and is never committed.
fn preamble(listeners: &[Listener]) -> String {
    let all = |select: fn(&Service) -> String| SERVICES.iter().map(select).collect::<Vec<_>>().join(" union all ");
    let told = all(|service| {
        let noun = service.noun;
        format!("select '{noun}' as noun, stream, pos, prev, event_id, message, seq from {noun}.outbox")
    });
    let marks = all(|service| format!("select '{0}' as noun, stream, ms from {0}.inbox", service.noun));
    let numbers = all(|service| format!("select '{0}' as noun, stream, last_pos from {0}.relay_state", service.noun));
    let erasures =
        all(|service| format!("select '{0}' as noun, person, confirmed_at, done_at from {0}.erasure", service.noun));
    let parked = all(|service| {
        format!("select '{0}' as noun, stream, entry_id, event_id, error from {0}.dead_letter", service.noun)
    });
    let listeners: Vec<String> =
        listeners.iter().map(|listener| format!(", ('{}', '{}')", listener.noun, listener.stream)).collect();
    format!(
        "begin isolation level repeatable read;
        set local client_min_messages = warning;
        create temp view told as {told};
        create temp view marks as {marks};
        create temp view numbers as {numbers};
        create temp view parked as {parked};
        create temp view erasures as {erasures};
        create temp view listeners as select * from (values (null, null){}) as heard (noun, stream) where noun is not null;
        create temp view behind as
            select format('%s has an event of %s without a number (seq %s)', noun, stream, seq) from told where pos is null
            union all
            select format('%s applied %s up to %s of %s', listeners.noun, listeners.stream,
                coalesce(ms, 0), last_pos)
            from listeners join numbers on numbers.stream = listeners.stream left join marks on marks.noun = listeners.noun
                and marks.stream = listeners.stream
            where coalesce(ms, 0) <> last_pos
            union all
            select format('auth has not written the hash of %s', user_id) from auth.user_detail where written < version
            union all
            select format('%s has not erased %s', noun, person) from erasures where confirmed_at is null;
        ",
        listeners.concat()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_violation_says_its_kind_first() {
        assert_eq!(Violation::new(Kind::Lost, "post 1").to_string(), "lost: post 1");
    }

    #[test]
    fn the_views_cover_every_service_and_listener() {
        let listeners = [Listener { noun: "post", stream: "post_viewed".to_owned() }];
        let sql = preamble(&listeners);
        for service in &SERVICES {
            assert!(sql.contains(&format!("from {}.outbox", service.noun)), "{sql}");
        }
        assert!(sql.contains("(values (null, null), ('post', 'post_viewed'))"), "{sql}");
    }
}
