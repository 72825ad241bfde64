//! The law of watching: what is counted is described, and what is described is counted.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    assert_kept,
    sources::{SERVICES, Source, read, root, sources},
};

/// Every metric that the services count, with a place where they do.
pub fn counted() -> BTreeMap<String, String> {
    let files = SERVICES.iter().flat_map(|service| sources(service));
    files.flat_map(|file| names(&file)).collect()
}

/// The names in `counter!("name"`, `gauge!("name"` and `histogram!("name"`, or in a helper of that name without the `!`;
/// tests aside.
fn names(file: &Source) -> Vec<(String, String)> {
    let end = file.tests_from().unwrap_or(file.text.len());
    let mut names = Vec::new();
    for call in ["counter!(", "gauge!(", "histogram!(", "gauge("] {
        for (at, _) in file.text[..end].match_indices(call) {
            let literal = file.text[at + call.len()..].trim_start().strip_prefix('"');
            let Some((name, _)) = literal.and_then(|rest| rest.split_once('"')) else { continue };
            // A helper may also take a label's value first.
            if call.ends_with("!(") || name.contains('_') {
                let line = file.text[..at].matches('\n').count() + 1;
                names.push((name.to_owned(), format!("{}:{line}", file.path)));
            }
        }
    }
    names
}

/// The metrics of the table in docs/operations.md.
pub fn described() -> BTreeSet<String> {
    let page = read(&root().join("docs/operations.md"));
    let seen = page.split("## What is seen").nth(1).and_then(|rest| rest.split("\n## ").next()).unwrap_or_default();
    let cells = seen.lines().filter_map(|line| line.strip_prefix("| `")?.split(" |").next());
    cells.flat_map(|cell| cell.split('`').step_by(2)).map(str::to_owned).collect()
}

#[test]
fn every_metric_is_described_and_every_described_one_is_counted() {
    let (counted, described) = (counted(), described());
    assert!(counted.len() >= 30, "the sources are understood: {counted:?}");
    let undescribed = counted.iter().filter(|(name, _)| !described.contains(*name));
    let mut breaches: Vec<_> =
        undescribed.map(|(name, place)| format!("{place}: {name} is not in docs/operations.md")).collect();
    let uncounted = described.iter().filter(|name| !counted.contains_key(*name));
    breaches.extend(uncounted.map(|name| format!("docs/operations.md: nobody counts {name}")));
    assert_kept("Operators know every metric from the table in docs/operations.md:", &breaches);
}

#[test]
fn names_of_metrics_are_found_where_they_are_counted() {
    let text = "metrics::counter!(\n    \"a_total\", \"stream\" => s);\ngauge(\"b_lag\", 1); gauge(\"waiting\", 2);\n\
                metrics::gauge!(\"c\").set(1.0);\n#[cfg(test)]\nmod tests { metrics::counter!(\"d_total\") }";
    let found = names(&Source::new("a-service/src/a.rs", text));
    assert_eq!(found.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["a_total", "c", "b_lag"]);
    assert_eq!(found[2].1, "a-service/src/a.rs:3");
}
