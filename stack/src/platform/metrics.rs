//! What a process counts and measures: its `/metrics`, in Prometheus's text format.
//!
//! Parsed here and not by a crate: the maintained one, prometheus-parse, ends the labels at the first `}` and splits them at
//! every comma, and our routes are labels like `/api/v1/posts/{id}`.
//!
//! <https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format>

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use reqwest::Client;

/// What a value belongs to: a name, and labels in the order of their names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Series {
    pub name: String,
    labels: BTreeMap<String, String>,
}

impl Series {
    /// The value of a label; empty when it has no such label, which means the same to Prometheus.
    pub fn label(&self, name: &str) -> &str {
        self.labels.get(name).map_or("", String::as_str)
    }
}

/// All series of one process at one time.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Metrics(BTreeMap<Series, f64>);

impl Metrics {
    /// Asks the process at this address.
    pub async fn scrape(http: &Client, url: &str) -> Result<Metrics> {
        let answer = http.get(format!("{}/metrics", url.trim_end_matches('/'))).send().await?.error_for_status()?;
        Metrics::parse(&answer.text().await.context("the metrics break off")?)
    }

    /// Parses the text; an error names the line that is not valid.
    pub fn parse(text: &str) -> Result<Metrics> {
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        let read = lines.map(|line| sample(line).with_context(|| format!("not a line of Prometheus's format: {line}")));
        read.collect::<Result<_>>().map(Metrics)
    }

    /// All series, with their values.
    pub fn all(&self) -> impl Iterator<Item = (&Series, f64)> {
        self.0.iter().map(|(series, value)| (series, *value))
    }

    /// All series of that name, with their values.
    pub fn of<'a>(&'a self, name: &'a str) -> impl Iterator<Item = (&'a Series, f64)> {
        self.all().filter(move |(series, _)| series.name == name)
    }

    /// By how much a counter has grown since `before`. One that was not there was 0; one that is smaller than it was has
    /// begun again at 0, because its process has.
    pub fn growth<'a>(&'a self, name: &'a str, before: &'a Metrics) -> impl Iterator<Item = (&'a Series, f64)> {
        self.of(name).map(|(series, now)| {
            let then = before.0.get(series).copied().unwrap_or_default();
            (series, if now < then { now } else { now - then })
        })
    }
}

/// `name{label="value",…} value [timestamp]`
fn sample(line: &str) -> Option<(Series, f64)> {
    let end = line.find(|c: char| c == '{' || c.is_whitespace())?;
    let (name, rest) = line.split_at(end);
    let (labels, rest) = match rest.strip_prefix('{') {
        Some(rest) => labels(rest)?,
        None => (BTreeMap::new(), rest),
    };
    // Rust reads +Inf, -Inf and NaN as Go writes them.
    let value = rest.split_whitespace().next()?.parse().ok()?;
    Some((Series { name: name.to_owned(), labels }, value))
}

/// The labels up to the closing brace, and what comes behind it.
fn labels(mut rest: &str) -> Option<(BTreeMap<String, String>, &str)> {
    let mut labels = BTreeMap::new();
    loop {
        rest = rest.trim_start_matches([' ', ',']);
        if let Some(rest) = rest.strip_prefix('}') {
            return Some((labels, rest));
        }
        let (name, value) = rest.split_once('=')?;
        let (value, behind) = quoted(value.trim_start().strip_prefix('"')?)?;
        labels.insert(name.trim().to_owned(), value);
        rest = behind;
    }
}

/// A value up to its closing quote, and what comes behind that.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Some((value, &text[at + 1..])),
            '\\' => value.push(match chars.next()?.1 {
                'n' => '\n',
                escaped => escaped,
            }),
            c => value.push(c),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"# HELP http_requests_total The total number of HTTP requests.
# TYPE http_requests_total counter
http_requests_total{method="post",code="200"} 1027 1395066363000
http_requests_total{method="post",code="400"}    3 1395066363000

msdos_file_access_time_seconds{path="C:\\DIR\\FILE.TXT",error="Cannot find file:\n\"FILE.TXT\""} 1.458255915e9
metric_without_timestamp_and_labels 12.47
something_weird{problem="division by zero"} +Inf -3982045
http_request_duration_seconds_bucket{ route="/api/v1/posts/{id}", le="0.05", } 24054
"#;

    #[test]
    fn the_example_of_its_specification_is_read() {
        let metrics = Metrics::parse(TEXT).unwrap();
        let all: Vec<_> =
            metrics.of("http_requests_total").map(|(series, value)| (series.label("code"), value)).collect();
        assert_eq!(all, [("200", 1027.0), ("400", 3.0)]);
        let (file, value) = metrics.of("msdos_file_access_time_seconds").next().unwrap();
        assert_eq!((file.label("path"), value), (r"C:\DIR\FILE.TXT", 1.458_255_915e9));
        assert_eq!(file.label("error"), "Cannot find file:\n\"FILE.TXT\"");
        let bare = metrics.of("metric_without_timestamp_and_labels").chain(metrics.of("something_weird"));
        assert_eq!(bare.map(|(_, value)| value).collect::<Vec<_>>(), [12.47, f64::INFINITY]);
        let (route, _) = metrics.of("http_request_duration_seconds_bucket").next().unwrap();
        assert_eq!(
            (route.label("route"), route.label("le"), route.label("method")),
            ("/api/v1/posts/{id}", "0.05", "")
        );
    }

    #[test]
    fn an_invalid_line_is_named() {
        for line in ["<html>", "name", "name{a=\"b\"", "name{a=b} 1", "name one"] {
            let error = Metrics::parse(line).unwrap_err().to_string();
            assert_eq!(error, format!("not a line of Prometheus's format: {line}"));
        }
    }

    #[test]
    fn a_counter_that_began_again_has_grown_from_nothing() {
        let before = Metrics::parse("a{x=\"1\"} 10\na{x=\"2\"} 10").unwrap();
        let now = Metrics::parse("a{x=\"1\"} 14\na{x=\"2\"} 3\na{x=\"3\"} 2").unwrap();
        let growth: Vec<_> = now.growth("a", &before).map(|(series, by)| (series.label("x"), by)).collect();
        assert_eq!(growth, [("1", 4.0), ("2", 3.0), ("3", 2.0)]);
    }
}
