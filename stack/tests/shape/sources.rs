//! The sources of the workspace as the laws read them: by file and line, with and without comments and texts.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

pub const SERVICES: [&str; 5] =
    ["auth-service", "post-service", "interaction-service", "moderation-service", "engagement-service"];

/// The crates that are no services: the launcher, and the client of pages.
pub const OTHERS: [&str; 2] = ["stack", "web-client"];

/// One file of Rust.
#[derive(Debug, Clone)]
pub struct Source {
    /// Its path from the workspace's root, with `/`.
    pub path: String,
    pub text: String,
    /// The text with comments and the insides of string literals blanked out, line by line the same length.
    pub code: String,
}

impl Source {
    pub fn new(path: &str, text: &str) -> Source {
        Source { path: path.to_owned(), text: text.to_owned(), code: code_of(text) }
    }

    /// Where a byte of the code is, as an editor understands it.
    pub fn place(&self, at: usize) -> String {
        format!("{}:{}", self.path, self.code[..at].matches('\n').count() + 1)
    }

    /// Every place where `word` stands in the code and is not the end of a longer name.
    pub fn occurrences(&self, word: &str) -> Vec<usize> {
        let starts_a_name = |at: usize| {
            let before = self.code[..at].chars().next_back();
            !before.is_some_and(|before| before.is_alphanumeric() || before == '_')
        };
        self.code.match_indices(word).map(|(at, _)| at).filter(|at| starts_a_name(*at)).collect()
    }

    /// Where its tests begin; none when it has none. A file of tests is tests from its first line on.
    pub fn tests_from(&self) -> Option<usize> {
        let is_tests = |name: &str| self.path.ends_with(name);
        if is_tests("/tests.rs")
            || is_tests("/testing.rs")
            || ["/tests/", "/testing/"].iter().any(|folder| self.path.contains(folder))
        {
            return Some(0);
        }
        self.code.find("#[cfg(test)]\nmod tests {")
    }
}

pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the crate is in the workspace")
}

/// The sources of every crate, read once for all laws.
static SOURCES: LazyLock<BTreeMap<&str, Vec<Source>>> =
    LazyLock::new(|| SERVICES.iter().chain(&OTHERS).map(|package| (*package, load(package))).collect());

/// Every source of a crate, in the order of their paths.
pub fn sources(package: &str) -> Vec<Source> {
    SOURCES.get(package).unwrap_or_else(|| panic!("{package} is no crate of this workspace")).clone()
}

fn load(package: &str) -> Vec<Source> {
    let mut paths = Vec::new();
    for folder in ["src", "tests"] {
        collect(&root().join(package).join(folder), &mut paths);
    }
    paths.sort();
    paths.iter().map(|path| Source::new(&relative(path), &read(path))).collect()
}

pub fn all_sources() -> Vec<Source> {
    SERVICES.iter().chain(&OTHERS).flat_map(|package| sources(package)).collect()
}

pub fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn relative(path: &Path) -> String {
    path.strip_prefix(root()).unwrap_or(path).to_string_lossy().into_owned()
}

pub fn collect(folder: &Path, paths: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for path in entries.flatten().map(|entry| entry.path()) {
        if path.is_dir() {
            collect(&path, paths);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            paths.push(path);
        }
    }
}

/// What a stretch of a source is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    Code,
    /// A literal: its first byte stays in the code, its inside does not.
    Literal,
    Comment,
}

/// The parts of a source, one after the other without gaps.
pub fn parts(text: &str) -> impl Iterator<Item = (Part, &str)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let (part, length) = match special(text, at) {
            Some(found) => found,
            None if at == text.len() => return None,
            // Code goes on to the next comment or literal; only at these signs can one begin.
            None => {
                let begins =
                    |(byte_at, byte): &(usize, u8)| b"/\"'r".contains(byte) && special(text, *byte_at).is_some();
                let next = text.bytes().enumerate().skip(at + 1).find(begins);
                (Part::Code, next.map_or(text.len(), |(next, _)| next) - at)
            }
        };
        let token = &text[at..at + length];
        at += length;
        Some((part, token))
    })
}

/// The comment or literal that begins at a byte, and its length.
fn special(text: &str, at: usize) -> Option<(Part, usize)> {
    let rest = &text[at..];
    match rest.as_bytes().first()? {
        b'/' if rest.starts_with("//") => Some((Part::Comment, rest.find('\n').unwrap_or(rest.len()))),
        b'/' if rest.starts_with("/*") => Some((Part::Comment, rest.find("*/").map_or(rest.len(), |end| end + 2))),
        b'"' => Some((Part::Literal, 1 + quoted(&rest[1..], '"'))),
        b'r' if is_raw(rest) && !text[..at].ends_with(|last: char| last.is_alphanumeric() || last == '_') => {
            let hashes = rest[1..].chars().take_while(|c| *c == '#').count();
            let start = 2 + hashes;
            let end = format!("\"{}", "#".repeat(hashes));
            Some((Part::Literal, rest[start..].find(&end).map_or(rest.len(), |found| start + found + end.len())))
        }
        b'\'' => character(rest).map(|length| (Part::Literal, length)),
        _ => None,
    }
}

/// Blanks out comments and the insides of literals, so that a law does not stumble over words about code.
fn code_of(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    for (part, token) in parts(text) {
        let kept = match part {
            Part::Code => token.len(),
            Part::Literal => 1,
            Part::Comment => 0,
        };
        code.push_str(&token[..kept]);
        code.push_str(&blank(&token[kept..]));
    }
    code
}

/// As many bytes of spaces and line ends.
pub fn blank(text: &str) -> String {
    text.split('\n').map(|line| " ".repeat(line.len())).collect::<Vec<_>>().join("\n")
}

fn is_raw(rest: &str) -> bool {
    rest[1..].trim_start_matches('#').starts_with('"')
}

/// The length of what follows an opening quote, the closing one included.
fn quoted(rest: &str, end: char) -> usize {
    let mut escaped = false;
    for (at, character) in rest.char_indices() {
        if character == end && !escaped {
            return at + 1;
        }
        escaped = character == '\\' && !escaped;
    }
    rest.len()
}

/// The length of a character literal; none when the quote begins a lifetime.
fn character(rest: &str) -> Option<usize> {
    let mut following = rest[1..].chars();
    let first = following.next()?;
    if first == '\\' {
        return Some(1 + quoted(&rest[1..], '\''));
    }
    (following.next()? == '\'').then_some(2 + first.len_utf8())
}

#[test]
fn comments_and_texts_are_no_code() {
    let text =
        "let a = \"sleep(1) \\\" x\"; // sleep(2)\nlet b: &'a str = r#\"sleep(\"3)\"#; /* sleep(4) */ '\"'; sleep(5)";
    let source = Source::new("a/src/b.rs", text);
    assert_eq!(source.code.len(), text.len());
    let found = source.occurrences("sleep(");
    assert_eq!(found.len(), 1, "{}", source.code);
    assert_eq!(source.place(found[0]), "a/src/b.rs:2");
}

#[test]
fn a_name_that_ends_alike_is_another_name() {
    assert_eq!(Source::new("a", "oversleep(1); tokio::time::sleep(2)").occurrences("sleep(").len(), 1);
}
