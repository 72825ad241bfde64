//! The sources of the workspace as the laws read them: by file and line, with and without comments and texts.

use std::fs;
use std::path::{Path, PathBuf};

pub const SERVICES: [&str; 5] =
    ["auth-service", "post-service", "interaction-service", "moderation-service", "engagement-service"];

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
        if is_tests("/tests.rs") || is_tests("/testing.rs") || self.path.contains("/tests/") {
            return Some(0);
        }
        self.code.find("#[cfg(test)]\nmod tests {")
    }
}

pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the crate is in the workspace")
}

/// Every source of a crate, in the order of their paths.
pub fn sources(package: &str) -> Vec<Source> {
    let mut paths = Vec::new();
    for folder in ["src", "tests"] {
        collect(&root().join(package).join(folder), &mut paths);
    }
    paths.sort();
    paths.iter().map(|path| Source::new(&relative(path), &read(path))).collect()
}

pub fn all_sources() -> Vec<Source> {
    SERVICES.iter().chain(&["stack"]).flat_map(|package| sources(package)).collect()
}

/// The folders in a service's `src`, other than its core.
pub fn features(service: &str) -> Vec<String> {
    let entries = fs::read_dir(root().join(service).join("src")).expect("a service has sources");
    let folders = entries.flatten().filter(|entry| entry.path().is_dir());
    folders.map(|entry| entry.file_name().to_string_lossy().into_owned()).filter(|name| name != "core").collect()
}

pub fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn relative(path: &Path) -> String {
    path.strip_prefix(root()).unwrap_or(path).to_string_lossy().into_owned()
}

fn collect(folder: &Path, paths: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for path in entries.flatten().map(|entry| entry.path()) {
        if path.is_dir() {
            collect(&path, paths);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            paths.push(path);
        }
    }
}

/// Blanks out comments and the insides of literals, so that a law does not stumble over words about code.
fn code_of(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let follows_a_name = code.ends_with(|last: char| last.is_alphanumeric() || last == '_');
        let (length, kept) = match first {
            '/' if rest.starts_with("//") => (rest.find('\n').unwrap_or(rest.len()), 0),
            '/' if rest.starts_with("/*") => (rest.find("*/").map_or(rest.len(), |end| end + 2), 0),
            '"' => (1 + quoted(&rest[1..], '"'), 1),
            'r' if !follows_a_name && is_raw(rest) => {
                let hashes = rest[1..].chars().take_while(|c| *c == '#').count();
                let start = 2 + hashes;
                let end = format!("\"{}", "#".repeat(hashes));
                (rest[start..].find(&end).map_or(rest.len(), |at| start + at + end.len()), 1)
            }
            '\'' => character(rest).map_or((1, 1), |length| (length, 1)),
            other => (other.len_utf8(), other.len_utf8()),
        };
        let (token, after) = rest.split_at(length);
        code.push_str(&token[..kept]);
        code.extend(token[kept..].bytes().map(|byte| if byte == b'\n' { '\n' } else { ' ' }));
        rest = after;
    }
    code
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
