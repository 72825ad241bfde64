//! The terminal: results on stdout, progress and errors on stderr.
//!
//! Nothing here fails: when the terminal has been closed there is no reader left, and the stop that follows must not be cut
//! short by a panic of `println!`.

use std::fmt::Display;
use std::io::{Write, stderr, stdout};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// A result, on stdout.
pub fn show(text: impl Display) {
    writeln!(stdout().lock(), "{text}").unwrap_or_default();
}

/// Progress, on stderr.
pub fn info(text: impl Display) {
    writeln!(stderr().lock(), "{text}").unwrap_or_default();
}

/// An error as one sentence with its causes, on stderr.
pub fn error(error: &anyhow::Error) {
    info(format_args!("error: {error:#}"));
}

/// Shows on a terminal that something is under way; silent elsewhere.
pub fn spinner(text: impl Into<String>) -> ProgressBar {
    let bar = ProgressBar::new_spinner().with_message(text.into());
    bar.enable_steady_tick(Duration::from_millis(100));
    bar
}

/// Counts to `length` on a terminal; silent elsewhere.
pub fn bar(length: u64, text: impl Into<String>) -> ProgressBar {
    let bar = ProgressBar::new(length).with_message(text.into());
    if let Ok(style) = ProgressStyle::with_template("{msg:14} {bar:40} {pos}/{len} {per_sec:.0} eta {eta}") {
        bar.set_style(style);
    }
    bar
}

/// Lines up rows in columns, the first row being the head.
pub fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|c| c.chars().count()).max();
    let widths: Vec<usize> = (0..columns).map(|column| width(column).unwrap_or(0)).collect();
    let line = |row: &Vec<String>| {
        let cells: Vec<String> = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        cells.join("  ").trim_end().to_owned()
    };
    let mut lines: Vec<String> = rows.iter().map(line).collect();
    if !lines.is_empty() {
        let rule: Vec<String> = widths.iter().map(|width| "-".repeat(*width)).collect();
        lines.insert(1, rule.join("  "));
    }
    lines.join("\n")
}

/// A duration in seconds: `0.42 s`.
pub fn seconds(duration: Duration) -> String {
    format!("{:.2} s", duration.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let rows = [["service", "url"], ["auth-service", "http://a"]].map(|row| row.map(str::to_owned).to_vec());
        assert_eq!(table(&rows), "service       url\n------------  --------\nauth-service  http://a");
    }

    #[test]
    fn no_rows_are_an_empty_table() {
        assert_eq!(table(&[]), "");
    }

    #[test]
    fn seconds_have_two_digits() {
        assert_eq!(seconds(Duration::from_millis(1234)), "1.23 s");
    }
}
