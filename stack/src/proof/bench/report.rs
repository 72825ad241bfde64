//! The report of a benchmark.

use std::fmt::Write as _;

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
}
