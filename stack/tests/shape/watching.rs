//! The law of metrics: what is counted is described, what is described is counted, and queries ask for nothing else.

use std::collections::{BTreeMap, BTreeSet};

use super::assert_kept;
use super::sources::{SERVICES, Source, read, root, sources};

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

/// The names of metrics in a query: what is left of it without texts, labels, durations and functions.
fn asked(query: &str) -> BTreeSet<String> {
    let mut rest = String::new();
    let (mut text, mut depth) = (false, 0);
    for c in query.chars() {
        match c {
            '"' => text = !text,
            '{' | '[' if !text => depth += 1,
            // What follows a metric's labels is no part of its name.
            '}' | ']' if !text => (depth -= 1, rest.push(' ')).1,
            _ if text || depth > 0 => {}
            _ => rest.push(c),
        }
    }
    // Names of labels stand in parentheses behind these words.
    for word in ["by", "without", "on", "ignoring", "group_left", "group_right"] {
        while let Some(at) = rest.find(&format!(" {word} (")) {
            let end = rest[at..].find(')').map_or(rest.len(), |length| at + length + 1);
            rest.replace_range(at..end, " ");
        }
    }
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
    let mut names = BTreeSet::new();
    for (at, _) in rest.match_indices(is_name).filter(|(at, _)| !rest[..*at].ends_with(is_name)) {
        let name: String = rest[at..].chars().take_while(|c| is_name(*c)).collect();
        let is_function = rest[at + name.len()..].trim_start().starts_with('(');
        let is_word = ["and", "or", "unless", "bool", "offset"].contains(&name.as_str());
        if !(is_function || is_word || name.starts_with(|c: char| c.is_ascii_digit())) {
            names.insert(name);
        }
    }
    names
}

/// Every query of rules and dashboards, with its file.
fn queries() -> Vec<(String, String)> {
    let observe = root().join("observe");
    let mut queries = Vec::new();
    for name in ["recording.yml", "alerts.yml"] {
        let text = read(&observe.join("prometheus").join(name));
        for expr in text.split("expr: ").skip(1) {
            let lines = expr.strip_prefix("|\n").map_or_else(
                || expr.lines().next().unwrap_or_default().to_owned(),
                // A block goes on for as long as it is indented deeper than its key.
                |block| block.lines().take_while(|line| line.starts_with("          ")).collect::<Vec<_>>().join("\n"),
            );
            queries.push((name.to_owned(), lines));
        }
    }
    for name in ["platform.json", "service.json", "events.json"] {
        let board: serde_json::Value =
            serde_json::from_str(&read(&observe.join("grafana/dashboards").join(name))).expect(name);
        let panels = board["panels"].as_array().into_iter().flatten();
        let targets = panels.filter_map(|panel| panel["targets"].as_array()).flatten();
        queries.extend(targets.map(|target| (name.to_owned(), target["expr"].as_str().expect("a query").to_owned())));
    }
    queries
}

#[test]
fn rules_and_dashboards_ask_for_what_is_counted() {
    let recording = read(&root().join("observe/prometheus/recording.yml"));
    let recorded = recording.split("record: ").skip(1).filter_map(|rule| rule.lines().next());
    // What Prometheus itself says of its targets and alerts.
    let mut known: BTreeSet<String> = recorded.chain(["up", "ALERTS"]).map(str::to_owned).collect();
    for name in counted().into_keys() {
        known.extend(["_bucket", "_count", "_sum"].map(|of| format!("{name}{of}")));
        known.insert(name);
    }
    let queries = queries();
    assert!(queries.len() > 80, "rules and dashboards are understood: {}", queries.len());
    let mut used = BTreeSet::new();
    let mut breaches = Vec::new();
    for (file, query) in &queries {
        let names = asked(query);
        assert!(!names.is_empty(), "{file}: {query}");
        let unknown = names.iter().filter(|name| !known.contains(*name));
        breaches.extend(unknown.map(|name| format!("observe: {file}: nobody counts {name}: {query}")));
        used.extend(names);
    }
    assert_kept("Rules and dashboards ask for metrics that exist:", &breaches);
    let events = counted().into_keys().filter(|name| name.starts_with("events_"));
    let unwatched = events.filter(|name| !used.iter().any(|used| used.starts_with(name.as_str())));
    assert_eq!(unwatched.collect::<Vec<_>>(), Vec::<String>::new(), "every number about events is on a dashboard");
}

#[test]
fn every_alert_says_where_it_is_written_what_to_do_and_is_tried() {
    let (alerts, tests) =
        ["alerts.yml", "tests.yml"].map(|name| read(&root().join("observe/prometheus").join(name))).into();
    let page = read(&root().join("docs/operations.md"));
    let headings = page.lines().filter_map(|line| line.strip_prefix("## "));
    let anchors: BTreeSet<String> = headings
        .map(|heading| {
            heading.to_lowercase().chars().filter(|c| c.is_alphanumeric() || " -".contains(*c)).collect::<String>()
        })
        .map(|heading| heading.replace(' ', "-"))
        .collect();
    let mut breaches = Vec::new();
    let rules: Vec<&str> = alerts.split("- alert: ").skip(1).collect();
    assert!(rules.len() >= 15, "the alerts are understood");
    for rule in rules {
        let name = rule.lines().next().unwrap_or_default();
        for part in ["expr:", "for:", "severity:", "summary:"] {
            if !rule.contains(part) {
                breaches.push(format!("{name} has no {part}"));
            }
        }
        let anchor = rule.split("runbook: docs/operations.md#").nth(1).and_then(|rest| rest.split_whitespace().next());
        if !anchor.is_some_and(|anchor| anchors.contains(anchor)) {
            breaches.push(format!("{name}: its runbook {anchor:?} is no section of docs/operations.md"));
        }
        let cases = tests.matches(&format!("alertname: {name}")).count();
        if cases < 2 {
            breaches.push(format!("{name} is not tried both silent and firing in tests.yml"));
        }
    }
    assert_kept("Whoever is woken by an alert knows what to do:", &breaches);
}

#[test]
fn names_are_found_in_queries() {
    let names = |query: &str| asked(query).into_iter().collect::<Vec<_>>();
    assert_eq!(
        names("histogram_quantile(0.99, sum by (service, le) (rate(a_bucket{x=\"b c\"}[5m]))) > 1"),
        ["a_bucket"]
    );
    assert_eq!(names("sum(a) / (s:b:rate5m > 0) or 0 * c unless on (service) d"), ["a", "c", "d", "s:b:rate5m"]);
}
