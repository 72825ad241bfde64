//! The words of a source's code, as far as laws about names and imports need them.

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

/// The tokens of code from which comments and the insides of literals are blanked out.
pub fn tokens(code: &str) -> Vec<Token<'_>> {
    let bytes = code.as_bytes();
    let continues = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || !byte.is_ascii();
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(first) = bytes.get(at) {
        let mut end = at + 1;
        if continues(*first) {
            while bytes.get(end).is_some_and(|byte| continues(*byte)) {
                end += 1;
            }
        } else if ["::", "->", "=>"].iter().any(|pair| bytes[at..].starts_with(pair.as_bytes())) {
            end += 1;
        }
        if !first.is_ascii_whitespace() {
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
