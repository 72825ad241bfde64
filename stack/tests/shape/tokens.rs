//! The words of a source's code, as far as laws about names and imports need them.

use std::sync::LazyLock;

/// A name, a number, `::`, `->`, `=>`, or any other single character.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token<'a> {
    pub text: &'a str,
    /// Its first byte in the code.
    pub at: usize,
}

impl Token<'_> {
    pub fn is_name(&self) -> bool {
        self.text.starts_with(|first: char| first.is_alphabetic() || first == '_')
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    Blank,
    Name,
    Sign,
}

/// What each byte is: a table, because every law reads every byte, in a debug build.
static CLASSES: LazyLock<[Class; 256]> = LazyLock::new(|| {
    std::array::from_fn(|byte| match u8::try_from(byte).unwrap_or_default() {
        blank if blank.is_ascii_whitespace() => Class::Blank,
        name if name.is_ascii_alphanumeric() || name == b'_' || !name.is_ascii() => Class::Name,
        _ => Class::Sign,
    })
});

/// The tokens of code from which comments and the insides of literals are blanked out.
pub fn tokens(code: &str) -> Vec<Token<'_>> {
    let classes = &*CLASSES;
    let bytes = code.as_bytes();
    let mut tokens = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let class = classes[usize::from(bytes[at])];
        let mut end = at + 1;
        if class == Class::Sign {
            let pair = (bytes[at], bytes.get(end));
            end += usize::from(matches!(pair, (b':', Some(b':')) | (b'-' | b'=', Some(b'>'))));
        } else {
            while end < bytes.len() && classes[usize::from(bytes[end])] == class {
                end += 1;
            }
        }
        if class != Class::Blank {
            tokens.push(Token { text: &code[at..end], at });
        }
        at = end;
    }
    tokens
}

#[test]
fn names_and_paths_are_tokens() {
    let text: Vec<_> = tokens("a::b_1(&x)->Ü").into_iter().map(|token| token.text).collect();
    assert_eq!(text, ["a", "::", "b_1", "(", "&", "x", ")", "->", "Ü"]);
}
