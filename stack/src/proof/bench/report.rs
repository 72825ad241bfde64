//! The report of a benchmark, and `docs/benchmarks.md`: a section per benchmark, each replaced by the next run of its benchmark
//! and by nothing else.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::host::workspace;

/// The longest line of a paragraph, in characters.
const WIDTH: usize = 120;

pub struct BenchmarkReport {
    pub title: &'static str,
    pub measurements: Vec<Measurement>,
}

/// One of its tables.
pub struct Measurement {
    pub title: String,
    /// What was measured, and how.
    pub description: String,
    /// The first row is the head.
    pub rows: Vec<Vec<String>>,
}

/// A row of a table.
pub fn row<const N: usize>(cells: [&str; N]) -> Vec<String> {
    cells.map(str::to_owned).to_vec()
}

impl BenchmarkReport {
    /// As a section of the document.
    pub fn markdown(&self, machine: &str) -> String {
        let mut text = format!("## {}\n\n{machine}\n", self.title);
        for measurement in &self.measurements {
            write!(
                text,
                "\n### {}\n\n{}\n\n{}",
                measurement.title,
                wrapped(&measurement.description),
                table(&measurement.rows)
            )
            .unwrap_or_default();
        }
        text
    }
}

/// A paragraph in lines of the document.
fn wrapped(paragraph: &str) -> String {
    let mut lines = vec![String::new()];
    for word in paragraph.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.is_empty() => line.push_str(word),
            Some(line) if line.chars().count() + 1 + word.chars().count() <= WIDTH => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines.join("\n")
}

fn table(rows: &[Vec<String>]) -> String {
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let mut lines: Vec<String> = rows.iter().map(|row| line(row)).collect();
    if let Some(head) = rows.first() {
        lines.insert(1, format!("|{}\n", "---|".repeat(head.len())));
    }
    lines.concat()
}

/// What a section begins with.
const SECTION: &str = "## ";

/// Puts a section into the document, in place of the one with the same title; the path of the document.
pub fn write(section: &str) -> Result<PathBuf> {
    let path = workspace::root().join("docs/benchmarks.md");
    write_to(&path, section).with_context(|| format!("{} cannot be written", path.display()))?;
    Ok(path)
}

fn write_to(path: &Path, section: &str) -> Result<()> {
    Ok(fs::write(path, replace(&fs::read_to_string(path)?, section))?)
}

/// The document with this section instead of the one with the same title, or behind all others.
fn replace(document: &str, section: &str) -> String {
    let title = section.lines().next();
    let (head, sections) = document.split_once(SECTION).unwrap_or((document, ""));
    let separator = format!("\n{SECTION}");
    let sections = sections.split(&separator).filter(|old| !old.is_empty());
    let mut parts: Vec<String> = sections.map(|old| format!("{SECTION}{}", old.trim_end())).collect();
    match parts.iter_mut().find(|part| part.lines().next() == title) {
        Some(old) => section.trim_end().clone_into(old),
        None => parts.push(section.trim_end().to_owned()),
    }
    format!("{}\n\n{}\n", head.trim_end(), parts.join("\n\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_of_the_document_has_a_rule_under_its_head() {
        let rows = [row(["step", "events/s"]), row(["relay", "20,000"])];
        assert_eq!(table(&rows), "| step | events/s |\n|---|---|\n| relay | 20,000 |\n");
        assert_eq!(table(&[]), "");
    }

    #[test]
    fn a_paragraph_is_broken_between_words() {
        let words = ["word"; 60].join(" ");
        let lines: Vec<String> = wrapped(&words).lines().map(str::to_owned).collect();
        // 24 words of four letters and the blanks between them are 119 characters.
        assert_eq!(lines.iter().map(String::len).collect::<Vec<_>>(), [119, 119, 59]);
        assert_eq!(lines.join(" "), words);
    }

    #[test]
    fn a_section_replaces_its_former_self_and_leaves_the_others() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("benchmarks.md");
        fs::write(&path, "# Benchmarks\n\nText.\n").unwrap();
        write_to(&path, "## Events\n\nold\n\n### Part\n\nold too\n").unwrap();
        write_to(&path, "## Graph\n\nkept\n").unwrap();
        write_to(&path, "## Events\n\nnew\n").unwrap();
        assert_eq!(
            fs::read_to_string(path).unwrap(),
            "# Benchmarks\n\nText.\n\n## Events\n\nnew\n\n## Graph\n\nkept\n"
        );
    }
}
