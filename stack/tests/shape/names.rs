//! The laws of names: a type name has one meaning in a crate, and comments begin in plain words.

use std::collections::BTreeMap;

use super::sources::{Part, Source, parts};
use super::tokens::{Token, tokens};

/// Type names that several places of one crate may give, each with the reason. `crate` is a package or `*` for all.
#[derive(Debug)]
pub struct SharedName {
    pub package: &'static str,
    pub name: &'static str,
    pub reason: &'static str,
}

/// The exceptions of the law. No type repeats its module (`posts::Status`), so a word of the contract may be needed twice.
pub const SHARED_NAMES: &[SharedName] = &[
    SharedName { package: "auth-service", name: "App", reason: APP_OF_ITS_OWN },
    SharedName { package: "interaction-service", name: "App", reason: APP_OF_ITS_OWN },
    SharedName { package: "post-service", name: "Status", reason: ACCOUNT_AND_CONTENT },
    SharedName { package: "interaction-service", name: "Status", reason: ACCOUNT_AND_CONTENT },
    SharedName { package: "moderation-service", name: "Status", reason: ACCOUNT_AND_CONTENT },
];

const APP_OF_ITS_OWN: &str = "what its handlers have beside what every service has, under the same name for both";
const ACCOUNT_AND_CONTENT: &str = "the contract has a `status` of accounts and one of content";

/// Words that no comment begins with, and what to write instead.
pub const BANNED_WORDS: &[(&str, &str)] = &[
    ("somebody", "the component, or: the caller, a user, a client"),
    ("nobody", "no service, no user, not … by any …"),
    ("whoever", "the caller that, the component that"),
    ("whom", "the users that, the accounts that"),
    ("everybody", "all users, every client"),
    ("so many", "a count, up to … per …"),
    ("tell", "publish, report, log, export"),
    ("tells", "publishes, reports, logs, exports"),
    ("told", "published, reported, logged, configured"),
    ("hear", "consume, subscribe to"),
    ("hears", "consumes, subscribes to"),
    ("heard", "consumed, received"),
];

/// Every type name of a crate's production sources that is defined more than once, with its places.
pub fn repeated_types(package: &str, files: &[Source], shared: &[SharedName]) -> Vec<String> {
    let mut places: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for file in files {
        for name in types(&file.code) {
            places.entry(name.text).or_default().push(file.place(name.at));
        }
    }
    let is_shared =
        |name: &str| shared.iter().any(|entry| entry.name == name && [package, "*"].contains(&entry.package));
    let repeated = places.iter().filter(|(name, places)| places.len() > 1 && !is_shared(name));
    let mut breaches: Vec<String> = repeated
        .map(|(name, places)| format!("{package}: {name} is {} types: {}", places.len(), places.join(", ")))
        .collect();
    for SharedName { name, reason, .. } in shared.iter().filter(|entry| entry.package == package) {
        if places.get(name).is_none_or(|places| places.len() < 2) {
            breaches.push(format!("{package}: {name} may be two types ({reason}), but is not: the exception goes"));
        }
    }
    breaches
}

/// The names that structs, enums, unions, traits and type aliases are given; types that belong to a trait aside.
fn types(code: &str) -> Vec<Token<'_>> {
    let tokens = tokens(code);
    let mut names = Vec::new();
    // Of each open block, whether it is that of a trait or an implementation.
    let mut blocks = Vec::new();
    let mut is_trait = false;
    for (at, token) in tokens.iter().enumerate() {
        let starts_an_item = at == 0 || [";", "{", "}", "]", ")", "pub", "unsafe"].contains(&tokens[at - 1].text);
        match token.text {
            // Also `impl Trait` in a signature: the block of the function then counts as well, which does no harm.
            "impl" if starts_an_item => is_trait = true,
            "{" => {
                blocks.push(is_trait);
                is_trait = false;
            }
            "}" => is_trait = blocks.pop().is_none(),
            "struct" | "enum" | "union" | "trait" | "type" if starts_an_item => {
                let Some(name) = tokens.get(at + 1).filter(|name| name.is_name()) else { continue };
                let belongs_to_a_trait = token.text == "type" && blocks.last() == Some(&true);
                if !belongs_to_a_trait {
                    names.push(*name);
                }
                is_trait = token.text == "trait";
            }
            _ => {}
        }
    }
    names
}

/// The first lines of comments in which a banned word stands.
pub fn banned_words(file: &Source) -> Vec<String> {
    let mut breaches = Vec::new();
    for (line, comment) in first_lines(&file.text) {
        let prose = prose(&comment);
        for (word, instead) in BANNED_WORDS {
            if has_word(&prose, word) {
                breaches.push(format!("{}:{line}: \"{word}\" ({instead}): {comment}", file.path));
            }
        }
    }
    breaches
}

/// The first line of every block of `//!`, `///` or `//`, with its number; comments behind code aside.
fn first_lines(text: &str) -> Vec<(usize, String)> {
    let mut lines = Vec::new();
    let mut at = 0;
    let mut line = 1;
    let mut last: (usize, &str) = (0, "");
    for (part, token) in parts(text) {
        if part == Part::Comment && token.starts_with("//") {
            let marker = ["//!", "///", "//"].into_iter().find(|marker| token.starts_with(marker)).unwrap_or_default();
            let begins_the_line = text[..at].rsplit('\n').next().is_none_or(|before| before.trim().is_empty());
            if begins_the_line {
                if last != (line - 1, marker) {
                    lines.push((line, token[marker.len()..].trim().to_owned()));
                }
                last = (line, marker);
            }
        }
        at += token.len();
        line += token.matches('\n').count();
    }
    lines
}

/// A sentence in lower case without the names in backticks.
fn prose(sentence: &str) -> String {
    sentence.split('`').step_by(2).collect::<Vec<_>>().join(" ` ").to_lowercase()
}

fn has_word(prose: &str, word: &str) -> bool {
    let is_letter = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    prose.match_indices(word).any(|(at, _)| {
        !is_letter(prose[..at].chars().next_back()) && !is_letter(prose[at + word.len()..].chars().next())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(code: &str) -> Vec<&str> {
        types(code).into_iter().map(|name| name.text).collect()
    }

    #[test]
    fn types_are_found_and_those_of_traits_left_out() {
        let text = "pub struct A<T>(T);\n#[derive(X)]\npub(crate) enum B { C }\ntype D = A<u8>;\nunion E {}\n\
                    impl Into for A { type Out = B; fn f(self) -> impl Sized { struct F; let r = a.type_of; } }\n\
                    pub trait G { type H; }\nmod inner { type I = A; }\nmacro_rules! m { ($n:ident) => { struct $n; } }";
        assert_eq!(names(text), ["A", "B", "D", "E", "F", "G", "I"]);
        assert_eq!(names("impl A {}\nfn f(a: impl B) {}\ntype C = A;"), ["C"]);
    }

    #[test]
    fn a_name_of_two_types_is_a_breach_unless_it_is_shared() {
        let files = [
            Source::new("s/src/a.rs", "struct Told;\nstruct Status;"),
            Source::new("s/src/b.rs", "enum Status {}\n\nenum Told {}"),
        ];
        let status = SharedName { package: "s", name: "Status", reason: "a sample" };
        assert_eq!(repeated_types("s", &files, &[status]), ["s: Told is 2 types: s/src/a.rs:1, s/src/b.rs:3"]);
        let once = SharedName { package: "s", name: "Status", reason: "a sample" };
        assert_eq!(
            repeated_types("s", &files[..1], &[once]),
            ["s: Status may be two types (a sample), but is not: the exception goes"]
        );
    }

    #[test]
    fn banned_words_are_found_in_first_lines_alone() {
        let text = "//! Whom it may concern.\n//! Nobody here.\n/// So many `told` in [`Heard`]\nfn told() {} // nobody\n\
                    // Tellers of overheard tales.\n// told\nlet a = \"\n// somebody\n\";\n";
        let breaches = banned_words(&Source::new("s/src/a.rs", text));
        let found: Vec<_> = breaches.iter().map(|breach| breach.split(" (").next().unwrap_or_default()).collect();
        assert_eq!(found, ["s/src/a.rs:1: \"whom\"", "s/src/a.rs:3: \"so many\""]);
    }
}
