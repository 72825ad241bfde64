//! The sentences of a text, which are the spans that have scores of their own.
//!
//! A span is a range of UTF-16 code units, as Perspective counts: what JavaScript and Java call the index of a character.
use std::ops::Range;

/// The most spans of a text: each is read by itself. The rest of a text of more sentences is one span.
const MAX_SPANS: usize = 32;

/// A part of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TextPart<'a> {
    pub text: &'a str,
    /// Where it begins, in UTF-16 code units.
    pub begin: usize,
    /// Where it ends: the first unit that is not part of it.
    pub end: usize,
}

/// A text as one span.
pub fn whole(text: &str) -> TextPart<'_> {
    TextPart { text, begin: 0, end: units(text) }
}

/// The sentences of a text, without the white space around them; a text without any is one span.
pub fn sentences(text: &str) -> Vec<TextPart<'_>> {
    let mut ranges = ranges(text);
    if ranges.len() > MAX_SPANS {
        let end = ranges[ranges.len() - 1].end;
        ranges.truncate(MAX_SPANS);
        ranges[MAX_SPANS - 1].end = end;
    }
    let (mut spans, mut at, mut unit) = (Vec::with_capacity(ranges.len()), 0, 0);
    for Range { start, end } in ranges {
        let begin = unit + units(&text[at..start]);
        unit = begin + units(&text[start..end]);
        at = end;
        spans.push(TextPart { text: &text[start..end], begin, end: unit });
    }
    if spans.is_empty() { vec![whole(text)] } else { spans }
}

fn units(text: &str) -> usize {
    text.chars().map(char::len_utf16).sum()
}

/// The bytes of each sentence: it ends behind a mark and before white space, or at the end of a line.
fn ranges(text: &str) -> Vec<Range<usize>> {
    let mut ranges = Vec::new();
    let mut start = 0;
    let mut ended = false;
    for (at, c) in text.char_indices() {
        if c == '\n' || (ended && c.is_whitespace()) {
            push(text, start..at, &mut ranges);
            start = at;
        }
        let closes = matches!(c, '"' | '\'' | ')' | ']' | '”' | '’');
        ended = matches!(c, '.' | '!' | '?' | '…' | '。' | '！' | '？') || (ended && closes);
    }
    push(text, start..text.len(), &mut ranges);
    ranges
}

fn push(text: &str, Range { start, end }: Range<usize>, ranges: &mut Vec<Range<usize>>) {
    let (there, rest) = (&text[start..end], text[start..end].trim_start());
    let start = start + there.len() - rest.len();
    let end = start + rest.trim_end().len();
    if start < end {
        ranges.push(start..end);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<(usize, usize, &str)> {
        sentences(text).into_iter().map(|span| (span.begin, span.end, span.text)).collect()
    }

    #[test]
    fn a_sentence_is_a_range_of_utf_16_units() {
        assert_eq!(
            found("What kind of idiot name is foo? Sorry, I like your name."),
            [(0, 31, "What kind of idiot name is foo?"), (32, 56, "Sorry, I like your name.")]
        );
        assert_eq!(
            found("  😀 one!  “Two…” three\nfour 3.5 "),
            [(2, 9, "😀 one!"), (11, 17, "“Two…”"), (18, 23, "three"), (24, 32, "four 3.5")]
        );
        assert_eq!(found(" \n "), [(0, 3, " \n ")]);
        assert_eq!(found("x"), [(0, 1, "x")]);
    }

    /// A text of many sentences has a bounded number of spans, which cover all of it.
    #[test]
    fn spans_are_bounded() {
        let text = "Go. ".repeat(1_000);
        let spans = sentences(&text);
        assert_eq!((spans.len(), spans[0].text, spans[31].end), (MAX_SPANS, "Go.", 3_999));
    }
}
