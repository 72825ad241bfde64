//! Excerpts: the part of a text around the first word that was searched for, as HTML in which only `<mark>` is a tag.
//!
//! Postgres marks words in the list that was made of the text ([`super::words`]); the n-th word of the list is the n-th of the
//! text, so the marks are set in the text as its author wrote it. All else is escaped, so that a page may show it as it is.
use super::words::Word;

/// Words shown before the first one that is marked.
const BEFORE: usize = 8;
/// Words of an excerpt.
const LENGTH: usize = 40;
/// Stands for what is left out.
const GAP: &str = "…";

/// Which words of a list are marked.
pub fn marks(marked: &str) -> Vec<bool> {
    marked.split(' ').map(|word| word.contains('<')).collect()
}

/// The excerpt of a text whose words are marked so; all of it when it is short.
pub fn excerpt(text: &str, words: &[Word], is_marked: impl Fn(usize) -> bool) -> String {
    let first_mark = (0..words.len()).find(|place| is_marked(*place)).unwrap_or(0);
    let first = first_mark.saturating_sub(BEFORE).min(words.len().saturating_sub(LENGTH));
    let last = (first + LENGTH).min(words.len());
    let start = if first == 0 { 0 } else { words[first].range.start };
    let end = if last == words.len() { text.len() } else { words[last - 1].range.end };
    let mut html = String::new();
    if start > 0 {
        html.push_str(GAP);
    }
    let mut at = start;
    for place in (first..last).filter(|place| is_marked(*place)) {
        let word = &words[place];
        // Pairs of characters overlap: what is marked already is not marked again.
        let begin = word.range.start.max(at);
        if begin >= word.range.end {
            continue;
        }
        escape(&text[at..begin], &mut html);
        html.push_str("<mark>");
        escape(&text[begin..word.range.end], &mut html);
        html.push_str("</mark>");
        at = word.range.end;
    }
    escape(&text[at..end.max(at)], &mut html);
    if end < text.len() {
        html.push_str(GAP);
    }
    html.replace("</mark><mark>", "")
}

fn escape(text: &str, html: &mut String) {
    for c in text.chars() {
        match c {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            other => html.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::search::words::words;

    fn marked(text: &str, searched: &[&str]) -> String {
        let words = words(text);
        excerpt(text, &words, |place| searched.contains(&words[place].folded.as_str()))
    }

    /// What an author wrote is text, whatever it looks like; only the marks are tags.
    #[test]
    fn an_excerpt_is_safe_to_show() {
        let html = marked(r#"<img src=x onerror="alert(1)"> & Café"#, &["cafe", "img"]);
        let expected = "&lt;<mark>img</mark> src=x onerror=&quot;alert(1)&quot;&gt; &amp; <mark>Café</mark>";
        assert_eq!(html, expected);
        assert_eq!(marked("東京都の猫", &["東京", "京都"]), "<mark>東京都</mark>の猫");
        assert_eq!(marked("", &[]), "");
    }

    /// Of a long text the surroundings of the first mark are shown.
    #[test]
    fn an_excerpt_is_around_the_first_mark() {
        let text = format!("{}needle {}", "hay ".repeat(100), "straw ".repeat(100));
        let html = marked(&text, &["needle"]);
        assert!(html.starts_with("…hay hay hay hay hay hay hay hay <mark>needle</mark> straw"), "{html}");
        assert!(html.ends_with("straw…") && html.split_whitespace().count() == LENGTH, "{html}");
        assert!(marked(&text, &[]).starts_with("hay hay"), "without a mark it is the beginning");
    }

    /// The marks of Postgres are read word by word.
    #[test]
    fn marks_are_counted_by_words() {
        assert_eq!(marks("a <b> c"), [false, true, false]);
    }
}
