//! The laws of the house, one test each: what no compiler checks and every reader relies on.
//!
//! A failure names the file and the line. Where a law has exceptions, they are a list with a reason beside each.

mod containers;
mod events;
mod sources;
mod watching;

use std::collections::BTreeMap;

use sources::{SERVICES, all_sources, features, read, root, sources};

/// Files of the core that differ between services, each with its reason.
const DIFFERENT: &[(&str, &str, &str)] =
    &[("auth-service", "security.rs", "it issues the tokens that the others only check")];

/// Where SQL may stand beside a feature's `models.rs` and tests: mechanisms of the core that are made of it.
const SQL_IN_CORE: &[&str] = &[
    "core/events/",
    "core/database.rs",
    "core/scheduler.rs",
    "core/lease.rs",
    "core/audit.rs",
    "core/idempotency.rs",
    "core/erasure.rs",
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
    let cores: Vec<BTreeMap<String, String>> = SERVICES
        .iter()
        .map(|service| {
            let core = format!("{service}/src/core/");
            let files = sources(service).into_iter();
            files.filter_map(|file| Some((file.path.strip_prefix(&core)?.to_owned(), file.text))).collect()
        })
        .collect();
    // The post service's copy is the one that the others are compared with.
    let model = &cores[1];
    assert!(!model.is_empty(), "the post service has no core");
    let mut breaches = Vec::new();
    for (service, core) in SERVICES.iter().zip(&cores) {
        let excused = |file: &str| DIFFERENT.iter().any(|(who, what, _)| who == service && *what == file);
        for (file, text) in model.iter().filter(|(file, _)| !excused(file)) {
            match core.get(file) {
                None => breaches.push(format!("{service}/src/core/{file} is missing")),
                Some(other) if other != text => {
                    let same = other.lines().zip(text.lines()).take_while(|(one, two)| one == two).count();
                    breaches.push(format!("{service}/src/core/{file}:{} differs from post-service's", same + 1));
                }
                Some(_) => {}
            }
        }
        for file in core.keys().filter(|file| !model.contains_key(*file) && !excused(file)) {
            breaches.push(format!("{service}/src/core/{file} is in no other core"));
        }
    }
    assert_kept("What every service has is the same text in all five:", &breaches);
}

#[test]
fn no_service_depends_on_a_path_of_this_repository() {
    let mut breaches = Vec::new();
    for service in SERVICES {
        let manifest = read(&root().join(service).join("Cargo.toml"));
        for (number, line) in manifest.lines().enumerate() {
            // `path` of a [[bin]] stays inside; a dependency's is written in braces or in a table of its own.
            let line = line.split('#').next().unwrap_or_default();
            let names_member = SERVICES.iter().chain(&["stack"]).any(|member| line.trim_start().starts_with(member));
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
fn the_core_names_no_feature() {
    const ALLOWED: [&str; 3] = ["core::", "settings::Settings", "Resources"];
    // Its tests start the service at hand, whichever it is, and ask it for people and requests.
    const ALLOWED_IN_TESTS: [&str; 2] = ["SERVICE", "matrix"];
    let mut breaches = Vec::new();
    for service in SERVICES {
        let features = features(service);
        for file in sources(service).iter().filter(|file| file.path.contains("/src/core/")) {
            let tests = file.tests_from().unwrap_or(file.code.len());
            for at in file.occurrences("crate::") {
                let named = &file.code[at + "crate::".len()..];
                let in_tests = at >= tests && ALLOWED_IN_TESTS.iter().any(|allowed| named.starts_with(allowed));
                if !in_tests && !ALLOWED.iter().any(|allowed| named.starts_with(allowed)) {
                    let name: String = named.chars().take_while(|c| !"; \n({".contains(*c)).collect();
                    let kind =
                        if features.iter().any(|feature| name.starts_with(feature)) { "the feature " } else { "" };
                    breaches.push(format!("{}: it names {kind}crate::{name}", file.place(at)));
                }
            }
        }
    }
    let law = "Of its service the core knows crate::settings::Settings and crate::Resources, one per `use`:";
    assert_kept(law, &breaches);
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
