//! The laws of the house, one test each: what no compiler checks and every reader relies on.
//!
//! A failure names the file and the line. Where a law has exceptions, they are a list with a reason beside each.

mod containers;
mod copies;
mod deploy;
mod documents;
mod events;
mod floors;
mod imports;
mod laws;
mod names;
mod production;
mod refusals;
mod rights;
mod sizes;
mod sources;
mod tokens;
mod watching;

use copies::{COPIES, differences};
use sources::{OTHERS, SERVICES, all_sources, read, root, sources};

/// Where SQL may stand beside a feature's `models.rs` and tests: mechanisms of the core that are made of it.
const SQL_IN_CORE: &[&str] = &[
    "core/events/",
    "core/ground/database.rs",
    "core/ground/jobs.rs",
    "core/ground/leases.rs",
    "core/ground/replica.rs",
    "core/doors/audit.rs",
    "core/doors/erasure.rs",
    "core/doors/idempotency.rs",
    "core/serve/operations.rs",
];

const SQL: &[&str] = &[
    "query!(",
    "query_as!(",
    "query_scalar!(",
    "query_file!(",
    "query_file_as!(",
    "query_file_scalar!(",
    "raw_sql(",
    "sqlx::query(",
    "sqlx::query_as(",
    "sqlx::query_scalar(",
    "QueryBuilder::",
    "AssertSqlSafe(",
];

/// Fails with every breach on a line of its own.
fn assert_kept(law: &str, breaches: &[String]) {
    assert!(breaches.is_empty(), "\n{law}\n  {}\n", breaches.join("\n  "));
}

#[test]
fn the_five_cores_are_one_text() {
    let breaches: Vec<_> = COPIES.iter().flat_map(|copies| differences(copies, sources)).collect();
    assert_kept("What several services have alike is the same text in all of them:", &breaches);
}

#[test]
fn no_service_depends_on_a_path_of_this_repository() {
    let mut breaches = Vec::new();
    for service in SERVICES {
        let manifest = read(&root().join(service).join("Cargo.toml"));
        for (number, line) in manifest.lines().enumerate() {
            // `path` of a [[bin]] stays inside; a dependency's is written in braces or in a table of its own.
            let line = line.split('#').next().unwrap_or_default();
            let names_member = SERVICES.iter().chain(&OTHERS).any(|member| line.trim_start().starts_with(member));
            let inline = line.contains('{') && line.replace(' ', "").contains("path=");
            if inline || names_member || line.contains("..") {
                breaches.push(format!("{service}/Cargo.toml:{}: {}", number + 1, line.trim()));
            }
        }
    }
    let shared = read(&root().join("Cargo.toml"));
    for (number, line) in shared.lines().enumerate() {
        if line.contains('{') && line.replace(' ', "").contains("path=") {
            breaches.push(format!("Cargo.toml:{}: {line}", number + 1));
        }
    }
    assert_kept("Services depend on published crates only:", &breaches);
}

#[test]
fn the_web_client_depends_on_no_member_and_none_on_it() {
    let mut breaches = Vec::new();
    for package in SERVICES.iter().chain(&OTHERS) {
        let manifest = read(&root().join(package).join("Cargo.toml"));
        let others = SERVICES.iter().chain(&OTHERS).filter(|other| *other != package);
        let named = others.filter(|other| manifest.lines().any(|line| line.trim_start().starts_with(**other)));
        breaches.extend(named.map(|other| format!("{package}/Cargo.toml names {other}")));
    }
    assert_kept("A crate of this workspace depends on no other:", &breaches);
}

#[test]
fn sql_stands_in_models_and_in_the_core() {
    let mut breaches = Vec::new();
    for service in SERVICES {
        for file in sources(service) {
            let inside = file.path.split_once("/src/").map_or("", |(_, inside)| inside);
            if inside.ends_with("/models.rs") || SQL_IN_CORE.iter().any(|place| inside.starts_with(place)) {
                continue;
            }
            let end = file.tests_from().unwrap_or(file.code.len());
            for word in SQL {
                let found = file.occurrences(word).into_iter().filter(|at| *at < end);
                breaches.extend(found.map(|at| format!("{}: {word}…)", file.place(at))));
            }
        }
    }
    assert_kept("SQL stands in models.rs, in the core's own mechanisms and in tests:", &breaches);
}

#[test]
fn every_file_says_first_what_it_is_for() {
    let files = all_sources();
    let silent = files.iter().filter(|file| !file.text.starts_with("//! "));
    let breaches: Vec<_> = silent.map(|file| format!("{}:1 does not begin with `//! `", file.path)).collect();
    assert_kept("The first line of a file is what the room is for, in one sentence:", &breaches);
}

#[test]
fn tests_wait_for_something_and_never_for_time() {
    let mut breaches = Vec::new();
    for file in all_sources() {
        let Some(start) = file.tests_from() else { continue };
        let found = file.occurrences("sleep(").into_iter().filter(|at| *at >= start);
        breaches.extend(found.map(|at| format!("{}: sleep(…)", file.place(at))));
    }
    assert_kept("A test calls the step or waits for the effect; it does not sleep:", &breaches);
}

#[test]
fn dead_code_is_deleted_and_not_excused() {
    let mut breaches = Vec::new();
    for file in all_sources() {
        for at in file.occurrences("allow(") {
            let lints = file.code[at..].split(')').next().unwrap_or_default();
            if lints.contains("dead_code") || lints.contains("unused") {
                breaches.push(format!("{}: {lints})", file.place(at)));
            }
        }
    }
    assert_kept("What nobody uses is deleted:", &breaches);
}
