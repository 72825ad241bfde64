//! Small words about texts and addresses, as pages write them.
/// A name or a title with the characters shown that would reorder or hide what stands beside it.
pub fn visible(text: &str) -> String {
    let odd =
        |c: char| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' | '\u{61c}');
    text.chars().map(|c| if odd(c) || (c.is_control() && c != '\n' && c != '\t') { '\u{fffd}' } else { c }).collect()
}

/// The first letters of the first and the last word of a name.
pub fn initials(name: &str) -> String {
    let mut words = name.split_whitespace().filter_map(|word| word.chars().find(|c| c.is_alphanumeric()));
    let (first, last) = (words.next(), words.next_back());
    first.into_iter().chain(last).flat_map(char::to_uppercase).collect()
}

/// A sentence with its gaps `{}` filled, one after the other.
pub fn fill(sentence: &str, values: &[&str]) -> String {
    let mut parts = sentence.split("{}");
    let mut filled = parts.next().unwrap_or_default().to_owned();
    for (part, value) in parts.zip(values.iter().map(Some).chain(std::iter::repeat(None))) {
        filled.push_str(value.copied().unwrap_or_default());
        filled.push_str(part);
    }
    filled
}

/// `HATE_SPEECH` as a word that people read, where no language has a better one.
pub fn plain(word: &str) -> String {
    let lower = word.replace('_', " ").to_lowercase();
    let mut chars = lower.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

/// A part of a path or a value of a query, encoded.
pub fn encoded(part: &str) -> String {
    let keep = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    part.bytes().map(|byte| if keep(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

/// Where a form leads to after it was sent: a path of this origin, or the start page.
pub fn local(next: &str) -> &str {
    let inside = next.starts_with('/') && !next.starts_with("//") && !next.contains(['\\', '\r', '\n', '\t', '\0']);
    if inside && next.len() <= 2_000 && next.bytes().all(|byte| (0x21..0x7f).contains(&byte)) { next } else { "/" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_next_page_is_never_elsewhere() {
        for inside in ["/", "/posts/7?a=b#c", "/@ada"] {
            assert_eq!(local(inside), inside);
        }
        let outside =
            ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)", "", "\t//x", "/\n/x"];
        for outside in outside {
            assert_eq!(local(outside), "/", "{outside:?}");
        }
    }

    #[test]
    fn what_would_reorder_a_line_is_shown() {
        assert_eq!(visible("ada\u{202e}nimda"), "ada\u{fffd}nimda");
        assert_eq!(initials("  ada k. Lovelace"), "AL");
        assert_eq!(initials("—"), "");
        assert_eq!(fill("{} of {}", &["1", "2"]), "1 of 2");
        assert_eq!(fill("{} of {}", &["1"]), "1 of ");
        assert_eq!(encoded("c#/ä"), "c%23%2F%C3%A4");
    }
}
