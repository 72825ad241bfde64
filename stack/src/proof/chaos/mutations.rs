//! Proof that the checks find what they are for: the data of a settled platform is spoilt in every way, one at a time and never
//! for good, and each time a check has to report what was spoilt. `mutations.sql` has the ways.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use anyhow::{Context, Result};
use reqwest::Url;

use crate::proof::chaos::violation::{Statement, Violation, ViolationKind};
use crate::servers::psql;

/// The outcome of all mutations.
pub struct MutationResults {
    /// How many there were, and how many of them a check has found.
    pub tried: u64,
    pub named: u64,
    /// Mutations that no check found, and checks that none of them triggered.
    pub violations: Vec<Violation>,
}

/// Carries out every mutation and all checks after each. `beginning` is the part of the script before the checks.
pub async fn run(url: &Url, beginning: &str, checks: &[Statement]) -> Result<MutationResults> {
    let mutations = Statement::parse_all(include_str!("mutations.sql"))?;
    let mut script = format!("{beginning}set local session_replication_role = replica;\n");
    for (place, Statement { without, sql, .. }) in mutations.iter().enumerate() {
        writeln!(script, "savepoint clean; {without}")?;
        writeln!(script, "with spoilt (id) as ({sql}) select 'spoilt {place} ' || id from spoilt;")?;
        for (number, check) in checks.iter().enumerate() {
            writeln!(script, "select 'found {place} {number} ' || what from ({}) as found (what);", check.sql)?;
        }
        writeln!(script, "rollback to savepoint clean;")?;
    }
    let rows = psql::run(url, &script).await.context("the data cannot be spoilt")?;
    let mut triggered = BTreeSet::new();
    let mut results = MutationResults { tried: mutations.len() as u64, named: 0, violations: Vec::new() };
    for (place, expected) in mutations.iter().enumerate() {
        let of_place = |kind: &str| {
            let head = format!("{kind} {place} ");
            rows.lines().filter_map(|row| row.strip_prefix(&head).map(str::to_owned)).collect::<Vec<_>>()
        };
        let Some(id) = of_place("spoilt").into_iter().next() else {
            let what = format!("there was nothing to spoil for \"{}\"", expected.words);
            results.violations.push(Violation::new(ViolationKind::Wrong, what));
            continue;
        };
        let words = expected.words.replace("{}", &id);
        let found = of_place("found");
        let found = found.iter().filter_map(|row| {
            let (number, what) = row.split_once(' ')?;
            let number: usize = number.parse().ok()?;
            (checks[number].kind == expected.kind && what.contains(&words)).then_some(number)
        });
        let numbers: Vec<usize> = found.collect();
        if numbers.is_empty() {
            let what = format!("no check has found \"{words}\"");
            results.violations.push(Violation::new(ViolationKind::Wrong, what));
        } else {
            results.named += 1;
            triggered.extend(numbers);
        }
    }
    let silent = (0..checks.len()).filter(|number| !triggered.contains(number));
    let silent = silent.map(|number| format!("no mutation has triggered the check: {}", checks[number].sql));
    results.violations.extend(silent.map(|what| Violation::new(ViolationKind::Wrong, what)));
    Ok(results)
}
