//! The production code of a crate: its sources without tests.
//!
//! Tests are the files that [`Source::tests_from`] knows by their names, the files that are declared under
//! `#[cfg(test)]`, and every item, field or statement under `#[cfg(test)]`. What is left out is blanked, so that lines
//! keep their numbers.

use super::sources::{Part, Source, blank, parts};
use super::tokens::{Token, tokens};

const TEST_ONLY: [&str; 7] = ["#", "[", "cfg", "(", "test", ")", "]"];

/// The files of a crate's `src` without tests.
pub fn production(files: &[Source]) -> Vec<Source> {
    let mut kept: Vec<Source> = Vec::new();
    let mut test_modules = Vec::new();
    for file in files.iter().filter(|file| file.path.contains("/src/") && file.tests_from() != Some(0)) {
        let (mut text, mut code) = (file.text.clone(), file.code.clone());
        for item in test_items(&file.code) {
            if let Some(name) = item.module {
                test_modules.push(format!("{}{name}", folder_of_children(&file.path)));
            }
            let range = item.from..item.to;
            text.replace_range(range.clone(), &blank(&file.text[range.clone()]));
            code.replace_range(range.clone(), &blank(&file.code[range]));
        }
        kept.push(Source { path: file.path.clone(), text, code });
    }
    let is_test = |path: &str| {
        let below = |module: &String| {
            path.strip_prefix(module.as_str()).is_some_and(|rest| rest == ".rs" || rest.starts_with('/'))
        };
        test_modules.iter().any(below)
    };
    kept.retain(|file| !is_test(&file.path));
    kept
}

/// How many lines hold code: neither blank lines nor lines of comment alone.
pub fn lines_of_code(file: &Source) -> usize {
    let without_comments: String =
        parts(&file.text).map(|(part, token)| if part == Part::Comment { "" } else { token }).collect();
    without_comments.lines().filter(|line| !line.trim().is_empty()).count()
}

/// Where the files of a file's child modules are: `a/` for `a/mod.rs` and for `a.rs`.
fn folder_of_children(path: &str) -> String {
    let stem = path.trim_end_matches(".rs");
    let owns_its_folder = ["mod", "main", "lib"].iter().find_map(|name| stem.strip_suffix(&format!("/{name}")));
    format!("{}/", owns_its_folder.unwrap_or(stem))
}

struct TestItem {
    from: usize,
    to: usize,
    /// The name of the module that `mod name;` declares.
    module: Option<String>,
}

fn test_items(code: &str) -> Vec<TestItem> {
    if !code.contains("cfg(test)") {
        return Vec::new();
    }
    let tokens = tokens(code);
    let mut items = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let attribute = &tokens[at..(at + TEST_ONLY.len()).min(tokens.len())];
        if !attribute.iter().map(|token| token.text).eq(TEST_ONLY) {
            at += 1;
            continue;
        }
        let start = skip_attributes(&tokens, at);
        let end = end_of_item(&tokens, start);
        let head: Vec<&str> = tokens[start..end].iter().map(|token| token.text).collect();
        let module = match head[..] {
            [.., "mod", name, ";"] => Some(name.to_owned()),
            _ => None,
        };
        let to = tokens.get(end.saturating_sub(1)).map_or(code.len(), |last| last.at + last.text.len());
        items.push(TestItem { from: tokens[at].at, to, module });
        at = end;
    }
    items
}

/// The first token behind the attributes that begin at `at`.
fn skip_attributes(tokens: &[Token], mut at: usize) -> usize {
    while tokens.get(at).is_some_and(|token| token.text == "#") {
        let mut depth = 0;
        loop {
            at += 1;
            match tokens.get(at).map(|token| token.text) {
                Some("[") => depth += 1,
                Some("]") => depth -= 1,
                Some(_) => continue,
                None => return at,
            }
            if depth == 0 {
                break;
            }
        }
        at += 1;
    }
    at
}

/// The token behind an item, field, statement or arm that begins at `start`.
fn end_of_item(tokens: &[Token], start: usize) -> usize {
    const ITEMS: [&str; 10] = ["fn", "struct", "enum", "impl", "mod", "trait", "use", "const", "static", "type"];
    const WITHOUT_BLOCK: [&str; 5] = ["use", "const", "static", "type", "let"];
    let mut head = tokens[start..].iter().map(|token| token.text);
    let keyword = head.find(|word| !["pub", "(", "crate", "super", ")", "async", "unsafe"].contains(word));
    let next = head.next();
    let is_item = keyword.is_some_and(|word| ITEMS.contains(&word));
    let ends_with_block = !keyword.is_some_and(|word| WITHOUT_BLOCK.contains(&word)) || next == Some("fn");
    let mut depth = 0;
    for (at, token) in tokens.iter().enumerate().skip(start) {
        match token.text {
            "(" | "[" | "{" => depth += 1,
            // The list or block that it stands in ends here.
            ")" | "]" | "}" if depth == 0 => return at,
            ")" | "]" | "}" => {
                depth -= 1;
                let goes_on =
                    || tokens.get(at + 1).is_some_and(|next| [".", "?", ",", ";", "else"].contains(&next.text));
                if token.text == "}" && depth == 0 && ends_with_block && (is_item || !goes_on()) {
                    return at + 1;
                }
            }
            ";" if depth == 0 => return at + 1,
            "," if depth == 0 && !is_item => return at + 1,
            _ => {}
        }
    }
    tokens.len()
}

#[test]
fn tests_are_left_out_and_lines_keep_their_numbers() {
    let text = "struct A {\n    #[cfg(test)]\n    made: Arc<u32>,\n    kept: u8,\n}\n#[cfg(test)]\n#[rustfmt::skip]\n\
                pub fn only<A, B>(a: A) -> B {\n    a; b\n}\nfn stays() {\n    #[cfg(test)]\n    self.made.add(1, 2);\n}\n\
                #[cfg(test)]\nuse a::{b, c};\n#[cfg(test)]\nmod helpers;\n// the end\nmod last;";
    let files = ["main.rs", "helpers.rs", "helpers/deep.rs", "last.rs", "last/tests.rs"];
    let files = files.map(|name| Source::new(&format!("s/src/{name}"), if name == "main.rs" { text } else { "x;" }));
    let kept = production(&files);
    let paths: Vec<_> = kept.iter().map(|file| file.path.as_str()).collect();
    assert_eq!(paths, ["s/src/main.rs", "s/src/last.rs"]);
    let main = &kept[0];
    let words: Vec<_> = main.code.split_whitespace().collect();
    assert_eq!(words.join(" "), "struct A { kept: u8, } fn stays() { } mod last;");
    assert_eq!(main.text.lines().count(), text.lines().count());
    assert_eq!(lines_of_code(main), 6);
}

#[test]
fn a_line_of_a_text_is_code_and_a_comment_is_none() {
    let text = "//! Head.\n\nlet a = \"one\n  // two\n\"; // behind\n/* a\n b */\n// alone\n";
    assert_eq!(lines_of_code(&Source::new("s/src/a.rs", text)), 3);
}
