//! Violations, and the statements that find or cause them.

use std::fmt;

use anyhow::{Context, Result};

/// In which way something is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ViolationKind {
    /// Something that was promised, or follows from it, is not there.
    Lost,
    /// Something is there more often than it happened.
    Doubled,
    /// Anything else that must not be.
    Wrong,
}

impl ViolationKind {
    fn name(self) -> &'static str {
        match self {
            ViolationKind::Lost => "lost",
            ViolationKind::Doubled => "doubled",
            ViolationKind::Wrong => "wrong",
        }
    }
}

/// One thing that is not as it must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    pub kind: ViolationKind,
    /// With ids.
    pub what: String,
}

impl Violation {
    pub fn new(kind: ViolationKind, what: impl Into<String>) -> Violation {
        Violation { kind, what: what.into() }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind.name(), self.what)
    }
}

/// A statement of a file of SQL, and the violations of it: those that it selects, or that it causes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    pub kind: ViolationKind,
    /// Words of the violation, where they are given.
    pub words: String,
    /// A constraint that is dropped beforehand, where one is given.
    pub without: String,
    pub sql: String,
}

impl Statement {
    /// Parses a file in which each statement follows a comment with its kind, as in `-- lost: words`. Under `-- counted: words` it is
    /// two, with the sign `±`: what is lost when a count falls, and doubled when it grows.
    pub fn parse_all(text: &str) -> Result<Vec<Statement>> {
        let signed = |rest: &str, kind, sign| format!("-- {kind}: {}", rest.replace('±', sign));
        let each = |paragraph: &str| match paragraph.strip_prefix("-- counted: ") {
            Some(rest) => vec![signed(rest, "lost", "-"), signed(rest, "doubled", "+")],
            None => vec![paragraph.to_owned()],
        };
        let paragraphs = text.split("\n\n").map(str::trim).filter(|paragraph| paragraph.ends_with(';'));
        paragraphs.flat_map(each).map(|paragraph| Statement::parse(&paragraph)).collect()
    }

    fn parse(paragraph: &str) -> Result<Statement> {
        let (head, rest) = paragraph.split_once('\n').context("a statement has no head")?;
        let head = head.trim_start_matches("-- ");
        let (kind, words) = head.split_once(": ").unwrap_or((head, ""));
        let kinds = [ViolationKind::Lost, ViolationKind::Doubled, ViolationKind::Wrong];
        let kind = kinds.into_iter().find(|known| known.name() == kind);
        let kind = kind.with_context(|| format!("{head} is not a kind of violation"))?;
        let without = rest.strip_prefix("-- without: ").and_then(|rest| rest.split_once('\n'));
        let (without, sql) = without.unwrap_or(("", rest));
        let (words, without, sql) = (words.to_owned(), without.to_owned(), sql.trim_end_matches(';').to_owned());
        Ok(Statement { kind, words, without, sql })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_violation_begins_with_its_kind() {
        assert_eq!(Violation::new(ViolationKind::Lost, "post 1").to_string(), "lost: post 1");
    }

    #[test]
    fn statements_are_parsed_with_what_stands_before_them() {
        let text = "-- A file.\n\n-- lost\nselect 1\nfrom a;\n\n-- wrong: b {}\n-- without: drop c;\ndelete from b;\n";
        let statement = |kind, words: &str, without: &str, sql: &str| {
            let (words, without, sql) = (words.to_owned(), without.to_owned(), sql.to_owned());
            Statement { kind, words, without, sql }
        };
        let expected = [
            statement(ViolationKind::Lost, "", "", "select 1\nfrom a"),
            statement(ViolationKind::Wrong, "b {}", "drop c;", "delete from b"),
        ];
        assert_eq!(Statement::parse_all(text).unwrap(), expected);
        let counted = Statement::parse_all("-- counted: a {}\nupdate a set b = b ± 1;").unwrap();
        let expected = [
            statement(ViolationKind::Lost, "a {}", "", "update a set b = b - 1"),
            statement(ViolationKind::Doubled, "a {}", "", "update a set b = b + 1"),
        ];
        assert_eq!(counted, expected);
        assert!(Statement::parse_all("-- odd\nselect 1;").is_err());
    }
}
